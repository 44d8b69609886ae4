import { type KeyObject, verify } from "node:crypto";
import type { KeyType } from "../../domain/definitions.ts";
import type { SignatureAlgorithm } from "../der/algorithms.ts";
import { publicKeyIn } from "./public-key.ts";

/** How something is said to be signed. */
type Way = Pick<SignatureAlgorithm, "hash" | "keys">;

/**
 * Whether a signature was made with the key, by that algorithm; ECDSA in DER form. Checked in a thread of Node's pool: it takes
 * longer than anything else on a certificate's walk, and drives everything else out of a processor's caches.
 */
export async function verifySignature(
  { hash, keys }: Way,
  key: KeyObject,
  bytes: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  // Node goes by the key alone.
  if (key.asymmetricKeyType !== keys) return false;
  return new Promise((resolve) => {
    verify(hash, bytes, key, signature, (fault, valid) => resolve(!fault && valid));
  });
}

/** What is said to be signed with a key that comes with it, as a SubjectPublicKeyInfo in DER. */
export type Signed = {
  readonly keyType: KeyType;
  readonly algorithm: Way;
  readonly spki: Buffer;
  readonly bytes: Buffer;
  readonly signature: Buffer;
};

/** Whether it is signed so. A key that is none has signed nothing. */
export type VerifySigned = (signed: Signed) => Promise<boolean>;

/** Verifies in Node's pool. */
export const verifyInPool: VerifySigned = async ({ algorithm, spki, bytes, signature }) => {
  const key = publicKeyIn(spki);
  return key !== undefined && verifySignature(algorithm, key, bytes, signature);
};

/** Verifies here and now, for a thread that does nothing else. */
export function isSigned({ algorithm: { hash, keys }, spki, bytes, signature }: Omit<Signed, "keyType">): boolean {
  const key = publicKeyIn(spki);
  return key?.asymmetricKeyType === keys && verify(hash, bytes, key, signature);
}
