import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { issue } from "../../src/ca/issue.ts";
import { certificatesPem } from "../../src/ca/pem.ts";
import type { AuthorityKeyType, Profiles } from "../../src/domain/certificate.ts";
import type { KeyType } from "../../src/domain/definitions.ts";
import { csrOf, leafKey, podRequest, PROFILES, testAuthority, walkParts } from "../fakes/ca.ts";
import { must } from "../fakes/judging.ts";
import { type Judges, judges } from "./judges.ts";

const run = promisify(execFile);
const LEAVES: readonly KeyType[] = ["ECDSAP256", "ECDSAP384", "ECDSAP521", "RSA3072", "RSA4096", "ED25519"];
const AUTHORITIES: readonly AuthorityKeyType[] = ["ECDSAP256", "ECDSAP384", "RSA3072"];

let folder: string;
let built: Judges;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "signet-clients-"));
  built = await judges(process.env, () => undefined);
});
afterAll(() => rmSync(folder, { recursive: true }));

const profilesOf = (keyType: AuthorityKeyType): Profiles => ({
  ...PROFILES,
  root: { ...PROFILES.root, keyType },
  issuing: { ...PROFILES.issuing, keyType },
});

/** A bundle and one chain for each key type, as files; real verifiers judge dates by the machine's clock. */
async function samples(keyType: AuthorityKeyType) {
  const now = Date.now();
  const authority = await testAuthority(profilesOf(keyType), "example.org", now);
  const write = (name: string, text: string): string => {
    const path = join(folder, `${keyType}-${name}`);
    writeFileSync(path, text);
    return path;
  };
  const { parts } = walkParts(authority.issuer, { now: () => now });
  const chains: string[] = [];
  for (const leaf of LEAVES) {
    const { chain } = must(await issue(podRequest(csrOf(leafKey(leaf), leaf)), parts));
    chains.push(write(`${leaf}.pem`, certificatesPem(chain)));
  }
  const named = await issue(podRequest(csrOf(leafKey()), "pay", "orders-db"), parts);
  chains.push(write("named.pem", certificatesPem(must(named).chain)));
  const other = await testAuthority(profilesOf("ECDSAP256"), "example.org", now);
  return {
    chains,
    bundle: write("bundle.pem", certificatesPem([authority.root.der])),
    issuing: write("issuing.pem", certificatesPem([authority.issuing.der])),
    stranger: write("stranger.pem", certificatesPem([other.root.der])),
  };
}

const lines = (text: string): readonly string[] => text.trimEnd().split("\n");

test.each(AUTHORITIES)(
  "openssl, go-spiffe, zlint and Java accept every leaf of an authority with a key of type %s",
  { timeout: 180_000 },
  async (keyType) => {
    const { chains, bundle, issuing, stranger } = await samples(keyType);
    for (const chain of chains)
      expect(
        (
          await run("openssl", [
            "verify",
            "-x509_strict",
            "-purpose",
            "sslserver",
            "-CAfile",
            bundle,
            "-untrusted",
            issuing,
            chain,
          ])
        ).stdout,
      ).toBe(`${chain}: OK\n`);

    const judged = lines((await run(built.go, ["example.org", bundle, ...chains])).stdout);
    const seen = judged.map((line) => JSON.parse(line) as { id: string; error: string; lints: readonly string[] });
    const ids = [
      ...LEAVES.map(() => "spiffe://example.org/ns/web/sa/cart"),
      "spiffe://example.org/ns/pay/sa/orders-db",
    ];
    expect(seen).toEqual(ids.map((id) => ({ id, error: "", lints: [] })));

    expect(lines((await run("java", ["-cp", built.java, "Verify", bundle, ...chains])).stdout)).toEqual(
      chains.map(() => "ok"),
    );
    const [chain = ""] = chains;
    expect(lines((await run("java", ["-cp", built.java, "Verify", stranger, chain])).stdout)).not.toEqual(["ok"]);
    const refused = await run(built.go, ["example.org", stranger, chain]);
    expect((JSON.parse(refused.stdout) as { id: string }).id).toBe("");
  },
);
