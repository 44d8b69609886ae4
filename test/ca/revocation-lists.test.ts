import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { issue } from "../../src/ca/issue.ts";
import { certificatesPem } from "../../src/ca/pem.ts";
import { RevocationLists } from "../../src/ca/revocation-lists.ts";
import type { Restriction } from "../../src/domain/definitions.ts";
import type { Known } from "../../src/reconcile/revocation/next-book.ts";
import { csrOf, leafKey, podRequest, PROFILES, testAuthority, walkParts } from "../fakes/ca.ts";
import { must, NOON } from "../fakes/judging.ts";
import { handClock, keeperOver, memoryVault, pass, workAll } from "../fakes/vault.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "signet-crl-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const R1: Restriction = {
  name: "r-1",
  approval: { state: "unchecked" },
  target: { by: "role", name: "cart" },
  effect: "revoke",
  reason: "r",
};

/** What openssl says of a leaf below a root, checked against the lists at noon. */
function checked(leaf: Buffer, above: readonly Buffer[], root: Buffer, lists: string, flag: string): string {
  const [chain, roots] = [file("chain.pem", certificatesPem(above)), file("root.pem", certificatesPem([root]))];
  const args = [
    "-attime",
    String(NOON / 1000),
    "-CAfile",
    roots,
    "-untrusted",
    chain,
    "-CRLfile",
    file("crl.pem", lists),
  ];
  try {
    return execFileSync(
      "openssl",
      ["verify", flag, "-x509_strict", ...args, file("leaf.pem", certificatesPem([leaf]))],
      {
        encoding: "utf8",
        stdio: "pipe",
      },
    ).replace(/^.*: /, "");
  } catch (fault) {
    return (
      String((fault as { stderr?: unknown }).stderr).match(/error \d+ at \d+ depth lookup: .*/)?.[0] ?? String(fault)
    );
  }
}

test.each(["ECDSAP256", "ECDSAP384", "RSA3072"] as const)(
  "openssl checks a chain against the lists of an authority with a key of type %s: who is revoked, held, and who is not",
  async (keyType) => {
    const authority = await testAuthority({ ...PROFILES, issuing: { ...PROFILES.issuing, keyType } });
    const { parts } = walkParts(authority.issuer);
    const leaves = await Promise.all([0, 1, 2].map(async () => must(await issue(podRequest(csrOf(leafKey())), parts))));
    const [revoked, held, fine] = leaves;
    const lists = new RevocationLists({
      vault: memoryVault(),
      issuers: () => [authority.issuer],
      above: () => [authority.rootList],
    });
    const id = authority.issuing.keyId;
    const of = (leaf: typeof revoked) => [
      { serial: leaf?.contents.serial ?? "", authority: id, notAfter: NOON + 3_600_000 },
    ];
    const hold: Restriction = { ...R1, name: "q-1", target: { by: "role", name: "held" }, effect: "quarantine" };
    await lists.advance({
      now: NOON,
      restrictions: [R1, hold],
      named: ({ name }) => of(name === "cart" ? revoked : held),
      authorities: [],
    });
    const { pem = "" } = lists.current() ?? {};
    const judge = (leaf: typeof revoked, flag: string) =>
      checked(leaf?.der ?? Buffer.of(), authority.issuer.intermediates, authority.root.der, pem, flag);
    for (const flag of ["-crl_check", "-crl_check_all"])
      expect([judge(fine, flag), judge(revoked, flag), judge(held, flag)]).toEqual([
        "OK\n",
        "error 23 at 0 depth lookup: certificate revoked",
        "error 23 at 0 depth lookup: certificate revoked",
      ]);
    const issuing = file("issuing.pem", certificatesPem([authority.issuing.der]));
    const args = ["crl", "-in", file("one.pem", pem), "-CAfile", issuing, "-noout", "-text"];
    const said = execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    expect(said.match(/CRL Number: *\n *\d+|Authority Key Identifier|Certificate Hold|Next Update: .*/g)).toEqual([
      "Next Update: Nov 24 12:00:00 2026 GMT",
      "Authority Key Identifier",
      "CRL Number: \n                1",
      "Certificate Hold",
    ]);
    const verified = execFileSync(
      "bash",
      ["-c", `openssl crl -in ${join(folder, "one.pem")} -CAfile ${issuing} -noout -verify 2>&1`],
      { encoding: "utf8" },
    );
    expect(verified).toBe("verify OK\n");
  },
);

test("two replicas sign the same list, of what each of them has issued", async () => {
  const [authority, vault] = [await testAuthority(), memoryVault()];
  const make = () => new RevocationLists({ vault, issuers: () => [authority.issuer], above: () => [] });
  const [one, two] = [make(), make()];
  const known = (serial: string): Known => ({
    now: NOON,
    restrictions: [R1],
    named: () => [{ serial, authority: authority.issuing.keyId, notAfter: NOON + 3_600_000 }],
    authorities: [],
  });
  await one.advance(known("4a01"));
  await two.advance(known("4a02"));
  await one.advance(known("4a01"));
  expect([one.current()?.tag === two.current()?.tag, vault.text?.match(/4a0\d/g)]).toEqual([true, ["4a01", "4a02"]]);
});

test("a writer that loses against another serves what is kept, and is not ahead of it", async () => {
  const [authority, vault] = [await testAuthority(), memoryVault()];
  const lists = new RevocationLists({ vault, issuers: () => [authority.issuer], above: () => [] });
  vault.lose = true;
  await lists.advance({ now: NOON, restrictions: [], named: () => [], authorities: [] });
  expect([lists.current(), vault.text]).toEqual([undefined, undefined]);
});

test("after a rotation the old authority still signs a list, its root left one behind, and each of them is told", async () => {
  const [clock, vault] = [handClock(), memoryVault()];
  const keeper = keeperOver(vault, clock);
  await workAll(keeper);
  const old = keeper.current().issuer;
  await keeper.step({ step: "request" });
  await workAll(keeper);
  pass(clock, 15 * 60_000);
  await workAll(keeper);
  const { trusted, rootLists } = keeper.current();
  expect([trusted.map((each) => each === old), rootLists.length]).toEqual([[true, false], 2]);
  pass(clock, 6 * 60_000);
  expect(keeper.current().trusted).toEqual([]);
});
