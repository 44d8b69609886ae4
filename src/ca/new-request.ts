import { createPublicKey, type KeyObject, sign } from "node:crypto";
import { algorithmOf } from "./der/algorithms.ts";
import { certificateOf } from "./der/leaf.ts";
import { explicit, sequence } from "./der/write.ts";

const VERSION_0 = Buffer.from([2, 1, 0]);

/** An empty certificate request (PKCS#10, RFC 2986) for a P-256 key, in DER: it proves the key and asks for no name. */
export function newRequest(privateKey: KeyObject): Buffer {
  const { identifier, hash } = algorithmOf("ECDSAP256");
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const info = sequence(VERSION_0, sequence(), spki, explicit(0));
  return certificateOf(info, identifier, sign(hash, info, privateKey));
}
