import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readCsr } from "../../src/ca/read-csr.ts";
import { toPem } from "../../src/ca/pem.ts";
import { algorithmOf } from "../../src/ca/der/algorithms.ts";
import { OID } from "../../src/ca/der/oids.ts";
import { explicit, implicit, octetString, oid, sequence, tagged, TAG } from "../../src/ca/der/write.ts";
import type { KeyType } from "../../src/domain/definitions.ts";
import { csrOf, leafKey, spkiOf } from "../fakes/ca.ts";
import { must } from "../fakes/judging.ts";

const key = leafKey();
const good = csrOf(key);
const pem = toPem("CERTIFICATE REQUEST", good);

const said = async (input: string | Uint8Array): Promise<string> => {
  const read = await readCsr(input);
  return read.ok ? read.value.keyType : read.problems.map(({ code, message }) => `${code} ${message}`).join("; ");
};

test.each<KeyType>(["ECDSAP256", "ECDSAP384", "ECDSAP521", "RSA3072", "ED25519"])(
  "a request with a key of type %s proves possession of just that key",
  async (keyType) => {
    const own = leafKey(keyType);
    const read = must(await readCsr(csrOf(own, keyType)));
    expect([read.keyType, Buffer.from(read.spki)]).toEqual([keyType, spkiOf(own)]);
  },
);

const SAN_URIS = (...uris: readonly string[]): Buffer =>
  sequence(OID.subjectAltName, octetString(sequence(...uris.map((each) => implicit(6, Buffer.from(each))))));
const asking = (...extensions: readonly Buffer[]): Buffer =>
  explicit(0, sequence(OID.extensionRequest, tagged(TAG.set, sequence(...extensions))));

test.each([
  ["subject", csrOf(key, "ECDSAP256", { commonName: "admin" })],
  ["one name asked for, whosever it is", csrOf(key, "ECDSAP256", { attributes: asking(SAN_URIS("spiffe://x/a")) })],
  ["PEM", pem],
  ["PEM with its older label", pem.replaceAll("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")],
  ["PEM with line ends of Windows", pem.replaceAll("\n", "\r\n")],
])("a request may come with: %s", async (_, input) => {
  expect(await said(input)).toBe("ECDSAP256");
});

/** A request that openssl makes for a new key, PEM. */
const byOpenssl = (...args: readonly string[]): string =>
  execFileSync("openssl", ["req", "-new", "-newkey", ...args, "-nodes", "-keyout", "/dev/null", "-subj", "/CN=x"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });

test("a request that openssl makes is read, whatever it asks for", async () => {
  const names = ["-addext", "subjectAltName=URI:spiffe://a/b"];
  expect(await said(byOpenssl("ec", "-pkeyopt", "ec_paramgen_curve:P-256", ...names))).toBe("ECDSAP256");
});

const odd = (why: string): string => `CSR_INVALID The certificate request cannot be accepted: ${why}.`;
const attribute = (id: Buffer): Buffer => sequence(id, tagged(TAG.set, octetString(Buffer.from("x"))));

test.each<[string, string | Uint8Array, string]>([
  [
    "a signature by another key",
    csrOf(key, "ECDSAP256", { signedBy: leafKey() }),
    odd("its signature is not made with its key"),
  ],
  ["octets behind it", Buffer.concat([good, Buffer.from([0])]), odd("octets follow the value")],
  ["a cut end", good.subarray(0, -1), odd("it ends within a value")],
  ["nothing", "", odd("it is not one PEM block of type CERTIFICATE REQUEST")],
  ["a certificate's label", toPem("CERTIFICATE", good), odd("it is not one PEM block of type CERTIFICATE REQUEST")],
  ["two blocks", pem + pem, odd("it is not one PEM block of type CERTIFICATE REQUEST")],
  ["text before it", `hello\n${pem}`, odd("it is not one PEM block of type CERTIFICATE REQUEST")],
  [
    "two URIs",
    csrOf(key, "ECDSAP256", { attributes: asking(SAN_URIS("spiffe://x/a", "spiffe://x/b")) }),
    odd("it asks for more than one URI (X509-SVID §2)"),
  ],
  [
    "one extension twice",
    csrOf(key, "ECDSAP256", { attributes: asking(SAN_URIS("spiffe://x/a"), SAN_URIS("spiffe://x/b")) }),
    odd("it asks for an extension twice"),
  ],
  [
    "a challenge password",
    csrOf(key, "ECDSAP256", { attributes: explicit(0, attribute(oid("1.2.840.113549.1.9.7"))) }),
    odd("it has attributes other than one extensionRequest"),
  ],
  ["too many bytes", "x".repeat(8193), "INPUT_TOO_LARGE The request is larger than 8192 bytes."],
])("it is refused: %s", async (_, input, sentence) => {
  expect(await said(input)).toBe(sentence);
});

test("a weak or unknown key is refused by its type, before its signature is looked at", async () => {
  for (const made of [byOpenssl("rsa:2048"), byOpenssl("ec", "-pkeyopt", "ec_paramgen_curve:secp256k1")])
    expect(await said(made)).toBe("KEY_TYPE_REFUSED The public key is not of a type that certificates are issued for.");
});

test("a signature algorithm that is not the key's is refused", async () => {
  const identifier = algorithmOf("ED25519").identifier;
  const at = good.indexOf(algorithmOf("ECDSAP256").identifier);
  const swapped = sequence(good.subarray(good[1] === 0x81 ? 3 : 4, at), identifier, good.subarray(at + 12));
  expect(await said(swapped)).toBe(odd("its signature algorithm does not fit the key"));
});

test("a point that is not on its curve is refused", async () => {
  const moved = Buffer.from(good);
  const at = moved.indexOf(spkiOf(key)) + 60;
  moved[at] = (moved[at] ?? 0) ^ 0xff;
  expect(await said(moved)).toBe(odd("its signature is not made with its key"));
});

test("no octets, and no change to a good request, make the reader throw or accept another key", async () => {
  const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, octet]) => {
    const changed = Buffer.from(good);
    changed[at] = octet;
    return changed;
  });
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 300 }), change, fc.string()), async (input) => {
      const read = await readCsr(input);
      expect(!read.ok || Buffer.from(read.value.spki).equals(spkiOf(key))).toBe(true);
    }),
    { numRuns: 400 },
  );
});
