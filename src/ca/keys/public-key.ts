import { createPublicKey, type KeyObject } from "node:crypto";
import { toPem } from "../pem.ts";

/**
 * The key of a SubjectPublicKeyInfo (DER); undefined where there is none, as where a point is not on its curve. Node gets it as
 * text: octets it first takes for key objects of four kinds, and the errors of that cost more than reading the key.
 */
export function publicKeyIn(spki: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey(toPem("PUBLIC KEY", spki));
  } catch {
    return undefined;
  }
}
