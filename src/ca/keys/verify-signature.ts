import { type KeyObject, verify } from "node:crypto";
import type { SignatureAlgorithm } from "../der/algorithms.ts";

/**
 * Whether a signature was made with the key, ECDSA in DER form. Checked in a thread of Node's pool: it takes longer than
 * anything else on a certificate's walk, and another request can go on meanwhile.
 */
export const verifySignature = (
  { hash }: SignatureAlgorithm,
  key: KeyObject,
  bytes: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> =>
  new Promise((resolve) => {
    verify(hash, bytes, key, signature, (fault, valid) => resolve(!fault && valid));
  });
