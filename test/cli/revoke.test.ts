import { expect, test } from "vitest";
import { COMMANDS } from "../../src/bin/commands.ts";
import type { LedgerLine } from "../../src/cli/ledger.ts";
import { runCli } from "../../src/cli/program.ts";
import { ok, refuse } from "../../src/domain/problem.ts";
import { renderIssuanceRecord } from "../../src/wire/issuance-record.ts";
import { fakeIo } from "../fakes/io.ts";

const line = (serial: string, account: string, notAfter: string, pod = "p", caller = "c"): LedgerLine => {
  const asked = { at: 0, door: "rest", caller, subject: `Pod web/${pod}` };
  const spiffeId = `spiffe://example.org/ns/web/sa/${account}`;
  const rest = { role: account, segment: "shop", keyType: "ECDSAP256", notBefore: 0, authority: "aa", sha256: "bb" };
  const body = renderIssuanceRecord({
    ...asked,
    ...rest,
    outcome: "issued",
    serial,
    spiffeId,
    notAfter: Date.parse(notAfter),
  });
  return { chain: 0, seq: 0, at: 0, kind: "issuance", subject: asked.subject, body, hash: "" };
};

const renewal = (serial: string, shown: string, notAfter: string, pod: string): LedgerLine =>
  line(serial, "db", notAfter, pod, `spiffe://example.org/ns/web/sa/db by certificate ${shown}`);

const LEDGER = [
  line("4a01", "cart", "2026-11-23T11:59:59Z"),
  line("4a02", "cart", "2026-11-23T13:00:00Z"),
  line("4a03", "cart", "2026-11-23T15:00:00Z", "q"),
  line("4a04", "front", "2026-11-23T16:00:00Z"),
  line("4a05", "guest", "2026-11-23T17:00:00Z", "virt-launcher-vm-x7k2p"),
  line("4a06", "guest", "2026-11-23T18:00:00Z", "virt-launcher-vm-2-x7k2p"),
  line("4a07", "long", "2026-11-23T19:00:00Z", `virt-launcher-${"v".repeat(44)}x7k2p`),
  renewal("4a0a", "4a09", "2026-11-23T21:00:00Z", "db-2"),
  line("4a08", "db", "2026-11-23T11:00:00Z", "db-1"),
  renewal("4a09", "4a08", "2026-11-23T11:59:00Z", "db-2"),
  renewal("4a0b", "4a0c", "2026-11-23T22:00:00Z", "db-2"),
  { ...line(`${"4c".repeat(8)}${"02".repeat(8)}`, "line", "2026-11-23T14:00:00Z"), subject: "Machine web/m" },
];

const on = (node: string, found: LedgerLine): LedgerLine => ({
  ...found,
  body: JSON.stringify({ ...(JSON.parse(found.body) as object), node }),
});

const PLACED = [
  on("n1", line("4a0e", "here", "2026-11-23T14:00:00Z", "here-1")),
  on("n2", line("4a0d", "there", "2026-11-23T13:30:00Z", "there-1")),
  { ...line("4a0f", "cart", "2026-11-23T15:00:00Z"), subject: "Machine web/m" },
];

async function run(...words: readonly string[]) {
  const { io, printed } = fakeIo({});
  const view = {
    records: () => (words.includes("--node") ? PLACED : LEDGER),
    verify: () => refuse("LEDGER_BROKEN", "", "Not asked here."),
    close: () => undefined,
  };
  const openLedger = () => Promise.resolve(ok({ ...view, lastVerdict: () => undefined, snapshot: () => undefined }));
  const code = await runCli({ ...io, openLedger }, ["revoke", ...words], COMMANDS);
  return { code, ...printed };
}

test("a Restriction is printed, ready to be applied", async () => {
  const { code, out } = await run(
    "--identity",
    "spiffe://example.org/ns/web/sa/cart",
    "--reason",
    "key in a log",
    "--ticket",
    "SEC-1",
  );
  expect([code, out]).toEqual([
    0,
    `apiVersion: signet.dev/v1alpha1
kind: Restriction
metadata:
  name: r-2026-11-23-12-00-00
spec:
  target:
    identity: spiffe://example.org/ns/web/sa/cart
  effect: revoke
  reason: key in a log
  ticket: SEC-1
`,
  ]);
});

const DOORS =
  "Our doors refuse it as soon as the Restriction stands. /v1/crl names a serial number, or what its servers find in their own ledgers.\n";
const until = (...rows: readonly string[]): string =>
  `${DOORS}Whoever verifies by the bundle alone trusts until:\nUNTIL                 SERIAL  IDENTITY${" ".repeat((/spiffe:\S+/.exec(rows[0] ?? "")?.[0].length ?? 0) - 6)}HOLDER\n${rows.join("")}`;
const SECOND = "2026-11-23T13:00:00Z  4a02    spiffe://example.org/ns/web/sa/cart  Pod web/p\n";
const THIRD = "2026-11-23T15:00:00Z  4a03    spiffe://example.org/ns/web/sa/cart  Pod web/q\n";
const RENEWED = "2026-11-23T21:00:00Z  4a0a    spiffe://example.org/ns/web/sa/db  Pod web/db-2\n";

test.each([
  ["an identity", ["--identity", "spiffe://example.org/ns/web/sa/cart"], until(THIRD, SECOND)],
  ["a role", ["--role", "cart"], until(THIRD, SECOND)],
  ["one certificate", ["--serial", "4a02"], until(SECOND)],
  ["one Pod", ["--pod", "web/q"], until(THIRD)],
  ["what was renewed by a certificate that has ended", ["--serial", "4a08"], until(RENEWED)],
  ["what was renewed by the certificate of a Pod", ["--pod", "web/db-1"], until(RENEWED)],
  [
    "a virtual machine, by its launcher",
    ["--vm", "web/vm"],
    until("2026-11-23T17:00:00Z  4a05    spiffe://example.org/ns/web/sa/guest  Pod web/virt-launcher-vm-x7k2p\n"),
  ],
  [
    "a virtual machine whose name is too long for its launcher's",
    ["--vm", `web/${"v".repeat(60)}`],
    until(
      `2026-11-23T19:00:00Z  4a07    spiffe://example.org/ns/web/sa/long  Pod web/virt-launcher-${"v".repeat(44)}x7k2p\n`,
    ),
  ],
  [
    "a certificate that has ended",
    ["--serial", "4a01"],
    `${DOORS}No certificate of this ledger that it names is still trusted by anybody.\n`,
  ],
  [
    "a certificate of the same line, whichever renewed which",
    ["--serial", `${"4c".repeat(8)}${"01".repeat(8)}`],
    `${DOORS}Whoever verifies by the bundle alone trusts until:
UNTIL                 SERIAL                            IDENTITY                             HOLDER
2026-11-23T14:00:00Z  4c4c4c4c4c4c4c4c0202020202020202  spiffe://example.org/ns/web/sa/line  Machine web/m
`,
  ],
  [
    "a node, by where Pods ran: one of which that is not known may have been there",
    ["--node", "n2"],
    `${DOORS}Whoever verifies by the bundle alone trusts until:
UNTIL                 SERIAL  IDENTITY                              HOLDER
2026-11-23T13:30:00Z  4a0d    spiffe://example.org/ns/web/sa/there  Pod web/there-1
`,
  ],
])("with the ledger it says who trusts until when: %s", async (_, words, said) => {
  expect((await run(...words, "--reason", "x", "--state", "s")).err).toBe(said);
});

test.each([
  ["nothing named", [], "signet: A Restriction concerns exactly one target. [USAGE]"],
  ["two named", ["--role", "a", "--node", "n"], "signet: A Restriction concerns exactly one target. [USAGE]"],
  ["a Pod without its namespace", ["--pod", "q"], 'signet: --pod: "q" is not NAMESPACE/NAME. [USAGE]'],
])("bad input is said: %s", async (_, words, said) => {
  const { code, err } = await run(...words, "--reason", "x");
  expect([code, err.split("\n")[0]]).toEqual([2, said]);
});
