import { type KeyObject, verify } from "node:crypto";
import type { SignatureAlgorithm } from "../der/algorithms.ts";

/**
 * Whether a signature was made with the key, by that algorithm; ECDSA in DER form. Checked in a thread of Node's pool: it takes
 * longer than anything else on a certificate's walk, and drives everything else out of a processor's caches.
 */
export async function verifySignature(
  { hash, keys }: SignatureAlgorithm,
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
