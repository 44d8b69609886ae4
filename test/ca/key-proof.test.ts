import { constants, hash, type KeyObject, sign } from "node:crypto";
import { expect, test } from "vitest";
import { readKeyProof } from "../../src/ca/key-proof.ts";
import type { KeyType } from "../../src/domain/definitions.ts";
import { csrOf, leafKey, spkiOf } from "../fakes/ca.ts";

const pod = { name: "p", uid: "3b6e1c1e-0000-4000-8000-000000000001" };
const told = (read: Awaited<ReturnType<typeof readKeyProof>>) =>
  read.ok ? read.value.keyType : read.problems.map(({ code, message }) => `${code} ${message}`);

const SIGNERS: Readonly<Record<string, (key: KeyObject, text: string) => Buffer>> = {
  EC: (key, text) => sign("sha256", Buffer.from(text), key),
  RS: (key, text) =>
    sign("sha256", Buffer.from(text), { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
  ED: (key, text) => sign(null, Buffer.from(text), key),
};
const proofOf = (keyType: KeyType, key: KeyObject, text = pod.uid): Buffer =>
  SIGNERS[keyType.slice(0, 2)]?.(key, text) ?? Buffer.alloc(0);

const TYPES: readonly KeyType[] = ["ECDSAP256", "ECDSAP384", "ECDSAP521", "RSA3072", "ED25519"];

test.each(TYPES)("a kubelet of 1.35 proves its %s key by signing the Pod's UID", async (keyType) => {
  const key = leafKey(keyType);
  const shown = { form: "pkix", spki: spkiOf(key), proof: proofOf(keyType, key) } as const;
  expect(told(await readKeyProof({ pod, key: shown }))).toBe(keyType);
});

test("an Ed25519 key may sign the UID's digest", async () => {
  const key = leafKey("ED25519");
  const proof = sign(null, hash("sha256", pod.uid, "buffer"), key);
  expect(told(await readKeyProof({ pod, key: { form: "pkix", spki: spkiOf(key), proof } }))).toBe("ED25519");
});

const NO_PROOF = ["CSR_INVALID The proof is not a signature of the Pod's UID with that key."];

test.each(TYPES)("a proof for another Pod, or by another key, proves nothing (%s)", async (keyType) => {
  const [key, other] = [leafKey(keyType), leafKey(keyType)];
  for (const proof of [proofOf(keyType, key, "another"), proofOf(keyType, other), Buffer.alloc(8)])
    expect(told(await readKeyProof({ pod, key: { form: "pkix", spki: spkiOf(key), proof } }))).toEqual(NO_PROOF);
});

test("a request that was signed for one Pod is a proof of the key, whoever's Pod it is: the UIDs are held elsewhere", async () => {
  const key = leafKey();
  expect(told(await readKeyProof({ pod, key: { form: "pkcs10", request: csrOf(key) } }))).toBe("ECDSAP256");
  const stolen = csrOf(key, "ECDSAP256", { signedBy: leafKey() });
  expect(told(await readKeyProof({ pod, key: { form: "pkcs10", request: stolen } }))).toMatchObject([
    expect.stringMatching(/^CSR_INVALID/),
  ]);
});
