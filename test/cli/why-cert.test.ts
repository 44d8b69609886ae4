import { expect, test } from "vitest";
import type { LedgerLine } from "../../src/cli/ledger.ts";
import { runCli } from "../../src/cli/program.ts";
import { addWhyCommand } from "../../src/cli/why.ts";
import { ok, refuse } from "../../src/domain/problem.ts";
import type { IssuanceRecord } from "../../src/wire/issuance-record.ts";
import { renderIssuanceRecord } from "../../src/wire/issuance-record.ts";
import { fakeIo } from "../fakes/io.ts";

const ID = "spiffe://example.org/ns/web/sa/cart";
const at = Date.parse("2026-11-23T11:00:00Z");
const FIRST = "4c".repeat(16);
const NEXT = `${"4c".repeat(8)}${"01".repeat(8)}`;

const issued = (serial: string, more: Partial<IssuanceRecord> = {}): IssuanceRecord =>
  ({
    at,
    door: "podCertificateRequest",
    caller: "system:node:n1",
    subject: "Pod web/cart-1",
    pod: "u-1",
    node: "n1",
    revision: "cafe",
    outcome: "issued",
    serial,
    spiffeId: ID,
    role: "cart",
    segment: "shop",
    keyType: "ECDSAP256",
    notBefore: at,
    notAfter: at + 4 * 3_600_000,
    authority: "aa",
    sha256: "bb",
    ...more,
  }) as IssuanceRecord;

const RECORDS: readonly IssuanceRecord[] = [
  {
    at,
    door: "rest",
    caller: "system:serviceaccount:web:cart",
    subject: "Pod web/cart-1",
    outcome: "refused",
    code: "ROLE_NONE",
    message: "No role fits.",
  },
  issued(FIRST),
  issued(NEXT, { door: "rest", caller: `${ID} by certificate ${FIRST}`, notAfter: at + 1000 }),
  issued("4d".repeat(16), { subject: "Pod web/cart-2", pod: "u-2", node: "n2" }),
  {
    at,
    door: "rest",
    caller: "c",
    subject: "Pod web/lost-1",
    outcome: "refused",
    code: "IDENTITY_RESTRICTED",
    message: "Restriction q-1 stands.",
  },
];
const LINES = RECORDS.map(
  (record, index): LedgerLine => ({
    chain: 1,
    seq: index + 1,
    at: record.at,
    kind: "issuance",
    subject: record.subject,
    body: renderIssuanceRecord(record),
    hash: "",
  }),
);
const CATALOGUE: LedgerLine = { chain: 1, seq: 9, at, kind: "catalogue", subject: "d1", body: "{}", hash: "" };
const restriction = (name: string, target: object) => ({
  apiVersion: "signet.dev/v1alpha1",
  kind: "Restriction",
  metadata: { name },
  spec: { target, effect: "revoke", reason: "It leaked." },
});
const SNAPSHOT = JSON.stringify([
  { name: "a.yaml", items: [restriction("r-1", { serial: FIRST }), restriction("r-2", { node: { name: "n9" } })] },
]);

async function why(...words: readonly string[]) {
  const { io, printed } = fakeIo({});
  const openLedger = () =>
    Promise.resolve(
      ok({
        records: ({ kind }: { readonly kind?: string }) => (kind === "catalogue" ? [CATALOGUE] : LINES),
        verify: () => refuse("LEDGER_BROKEN", "", "Not asked here."),
        snapshot: (digest: string) => (digest === "d1" ? SNAPSHOT : undefined),
        lastVerdict: () => undefined,
        close: () => undefined,
      }),
    );
  const code = await runCli({ ...io, openLedger }, ["why", "cert", ...words], [addWhyCommand]);
  return { code, ...printed };
}

test("a certificate is told by its serial number: who asked, on what ground, what it renewed, until when, and what revokes it", async () => {
  const { code, out } = await why(NEXT.toUpperCase().replace(/../g, "$&:").slice(0, -1));
  expect([code, out]).toEqual([
    0,
    `certificate  ${NEXT}
identity     ${ID}
for          Pod web/cart-1
asked by     ${ID} by certificate ${FIRST}, by door rest, at 2026-11-23T11:00:00Z (record 1/3)
ground       role cart of segment shop
catalogue    cafe
pod          u-1
node         n1
renews       ${FIRST}
key          ECDSAP256
authority    aa
holds        2026-11-23T11:00:00Z to 2026-11-23T11:00:01Z, has ended
revoked      by Restriction r-1 (revoke): It leaked.
`,
  ]);
});

test("a Pod is told by its name, with what was refused; programs read the same", async () => {
  const { code, out } = await why("web/cart-1", "-o", "json");
  const report = JSON.parse(out) as { certificates: readonly object[]; refusals: readonly object[] };
  expect(code).toBe(0);
  expect(report.certificates).toMatchObject([
    { serial: FIRST, parent: null, renewals: [NEXT], ended: false, ground: { pod: "u-1", node: "n1" } },
    { serial: NEXT, parent: FIRST, renewals: [], ended: true, revoked: [{ restriction: "r-1" }] },
  ]);
  expect(report.refusals).toMatchObject([{ code: "ROLE_NONE", message: "No role fits.", record: "1/1" }]);
  expect((await why("web/cart-1", "-o", "yaml")).out).toContain("\n  - serial: ");
});

test("a Pod that has no certificate is told why, and so is one of which nothing is known", async () => {
  const lost = await why("web/lost-1");
  expect([lost.code, lost.out.split("\n").slice(0, 3)]).toEqual([
    3,
    [
      "refused      IDENTITY_RESTRICTED: Restriction q-1 stands.",
      "for          Pod web/lost-1",
      "asked by     c, by door rest, at 2026-11-23T11:00:00Z (record 1/5)",
    ],
  ]);
  const nobody = await why("web/nobody");
  expect([nobody.code, nobody.err.split("\n")[0]]).toEqual([
    2,
    "signet: The ledger says nothing of web/nobody. [NOT_FOUND]",
  ]);
});
