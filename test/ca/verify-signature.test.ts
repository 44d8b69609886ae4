import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { expect, test } from "vitest";
import { ALGORITHMS, SIGNATURE_ALGORITHMS } from "../../src/ca/der/algorithms.ts";
import { publicKeyIn } from "../../src/ca/keys/public-key.ts";
import { verifySignature } from "../../src/ca/keys/verify-signature.ts";
import type { KeyType } from "../../src/domain/definitions.ts";

const TEXT = Buffer.from("what is signed");
const curve = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve });
const rsa = (modulusLength: number) => generateKeyPairSync("rsa", { modulusLength });

const PAIRS: readonly (readonly [KeyType, { publicKey: KeyObject; privateKey: KeyObject }])[] = [
  ["ECDSAP256", curve("P-256")],
  ["ECDSAP384", curve("P-384")],
  ["ECDSAP521", curve("P-521")],
  ["RSA3072", rsa(3072)],
  ["RSA4096", rsa(4096)],
  ["ED25519", generateKeyPairSync("ed25519")],
];

test.each(PAIRS)("a signature by %s is told from another's, and from none", async (type, pair) => {
  const key = publicKeyIn(pair.publicKey.export({ type: "spki", format: "der" })) ?? expect.fail("no key");
  const [algorithm = expect.fail("no algorithm")] = ALGORITHMS[type];
  const signature = sign(algorithm.hash, TEXT, pair.privateKey);
  expect(await verifySignature(algorithm, key, TEXT, signature)).toBe(true);
  expect(await verifySignature(algorithm, key, Buffer.from("another text"), signature)).toBe(false);
  expect(await verifySignature(algorithm, key, TEXT, Buffer.of())).toBe(false);
});

test.each(PAIRS)("a signature that names an algorithm of other keys than %s is none", async (type, pair) => {
  const key = publicKeyIn(pair.publicKey.export({ type: "spki", format: "der" })) ?? expect.fail("no key");
  const [own = expect.fail("no algorithm")] = ALGORITHMS[type];
  const signature = sign(own.hash, TEXT, pair.privateKey);
  for (const other of SIGNATURE_ALGORITHMS.filter(({ keys }) => keys !== own.keys))
    expect(await verifySignature(other, key, TEXT, signature)).toBe(false);
});
