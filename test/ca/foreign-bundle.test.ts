import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { readForeignBundle } from "../../src/ca/foreign-bundle.ts";
import { type PublicJwk, renderTrustBundle } from "../../src/wire/trust-bundle.ts";
import { csrOf, leafKey, podRequest, PROFILES, testAuthority, walkParts } from "../fakes/ca.ts";
import { issue } from "../../src/ca/issue.ts";
import { must, NOON } from "../fakes/judging.ts";

type Entry = { key: PublicJwk; certificate: string };
let ours: Entry;
let next: Entry;
let stranger: Entry;
let leaf: Entry;
let text: string;

const entryOf = (der: Buffer): Entry => ({
  key: new X509Certificate(der).publicKey.export({ format: "jwk" }) as PublicJwk,
  certificate: der.toString("base64"),
});

beforeAll(async () => {
  const [one, two, three] = await Promise.all([
    testAuthority(PROFILES, "example.org"),
    testAuthority(PROFILES, "example.org"),
    testAuthority(PROFILES, "other.org"),
  ]);
  [ours, next, stranger] = [entryOf(one.root.der), entryOf(two.root.der), entryOf(three.root.der)];
  const [der] = must(await issue(podRequest(csrOf(leafKey())), walkParts(one.issuer).parts)).chain;
  leaf = entryOf(Buffer.from(der ?? ""));
  text = renderTrustBundle({ x509: [ours, next], jwt: [], sequence: 7, refreshHint: 300 });
});

const refusal = (x509: readonly Entry[]): readonly string[] => {
  const read = readForeignBundle(renderTrustBundle({ x509, jwt: [] }), "example.org");
  return read.ok ? [] : read.problems.map(({ code, message }) => `${code}: ${message}`);
};

test("a bundle is read to its authorities, with its number and its hint", () => {
  const { roots, ...rest } = must(readForeignBundle(text, "example.org"));
  expect(roots.map(({ der }) => der.toString("base64"))).toEqual([ours.certificate, next.certificate]);
  expect(roots.map(({ window }) => window.notAfter > NOON)).toEqual([true, true]);
  expect(rest).toEqual({ jwt: [], sequence: 7, refreshHint: 300 });
});

test("X6: an authority of another trust domain refuses the whole", () => {
  expect(refusal([ours, stranger])).toEqual([
    "AUTHORITY_INVALID: The certificate is not one of an authority of this trust domain: it names another trust domain.",
  ]);
});

test("X6: a workload's certificate is no authority", () => {
  expect(refusal([ours, leaf])).toEqual([
    "AUTHORITY_INVALID: The certificate is not one of an authority of this trust domain: it is no authority (basic constraints).",
  ]);
});

test("an entry that says another key than its certificate refuses the whole", () => {
  expect(refusal([{ ...ours, key: next.key }])).toEqual([
    "AUTHORITY_INVALID: The key of an entry is not the key of its certificate.",
  ]);
});

test("an authority whose key no JWK can say refuses the whole, and nothing throws", () => {
  const folder = mkdtempSync(join(tmpdir(), "signet-curve-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:brainpoolP256r1 -nodes -days 9 -subj /O=x -addext";
  const san = ["subjectAltName=URI:spiffe://example.org", "-addext", "keyUsage=critical,keyCertSign,cRLSign"];
  const files = ["-keyout", join(folder, "key"), "-out", join(folder, "crt")];
  execFileSync("openssl", [...make.split(" "), ...san, ...files], { stdio: "ignore" });
  const { raw } = new X509Certificate(readFileSync(join(folder, "crt")));
  expect(refusal([{ ...ours, certificate: raw.toString("base64") }])).toEqual([
    "AUTHORITY_INVALID: The key of an entry is not the key of its certificate.",
  ]);
});

test("what is not base64 to the letter, or no certificate, is refused", () => {
  expect(refusal([{ ...ours, certificate: ` ${ours.certificate}` }])).toEqual([
    "FIELD_INVALID: A certificate in x5c is not base64.",
  ]);
  expect(refusal([{ ...ours, certificate: "MIIA" }])[0]).toMatch(/^AUTHORITY_INVALID: /);
});

test("a bundle without authorities is read: it makes everybody of its domain invalid", () => {
  expect(must(readForeignBundle('{"keys":[]}', "example.org"))).toEqual({ roots: [], jwt: [] });
});

/** Whatever is done to the text of a bundle: it is refused, or gives certificates that it held before. */
test("no byte changed, taken out or put in makes an authority that was not there", () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(2), fc.constantFrom("A", "b", "0", '"', "}", ",", "\\", " "), (at, how, letter) => {
      const place = at % text.length;
      const kept = [place + 1, place + 1, place][how] ?? place;
      const changed = text.slice(0, place) + (how === 1 ? "" : letter) + text.slice(kept);
      const read = readForeignBundle(changed, "example.org");
      const known = [ours.certificate, next.certificate];
      // A bit of the signature of a root is nobody's to verify: it is an anchor by being in the bundle. Its key and names stay.
      return (
        !read.ok ||
        read.value.roots.every(({ der }) => {
          const { publicKey } = new X509Certificate(der);
          return known.some((one) => publicKey.equals(new X509Certificate(Buffer.from(one, "base64")).publicKey));
        })
      );
    }),
    { numRuns: 1000 },
  );
});

test("no text makes the reader throw", () => {
  const certificate = fc.oneof(fc.base64String(), fc.constant(ours.certificate), fc.string());
  const entry = fc.record(
    {
      kty: fc.constantFrom("EC", "RSA", "oct", 1),
      use: fc.constantFrom("x509-svid", "jwt-svid", "x"),
      crv: fc.constant("P-256"),
      x: fc.string(),
      y: fc.string(),
      kid: fc.string(),
      x5c: fc.oneof(fc.array(certificate, { maxLength: 2 }), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 3 }), (keys) => {
      expect(typeof readForeignBundle(JSON.stringify({ keys }), "example.org").ok).toBe("boolean");
    }),
    { numRuns: 500 },
  );
});
