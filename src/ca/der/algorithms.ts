import type { KeyType } from "../../domain/definitions.ts";
import { oid, sequence } from "./write.ts";

/** A way to sign: its AlgorithmIdentifier in DER; for node:crypto, the hash (null where there is none to name) and the keys. */
export type SignatureAlgorithm = {
  readonly identifier: Buffer;
  readonly hash: string | null;
  readonly keys: "ec" | "rsa" | "ed25519";
};

const NULL = Buffer.from([5, 0]);
const ecdsa = (last: number, hash: string): SignatureAlgorithm => ({
  identifier: sequence(oid(`1.2.840.10045.4.3.${last}`)),
  hash,
  keys: "ec",
});
const rsa = (last: number, hash: string): SignatureAlgorithm => ({
  identifier: sequence(oid(`1.2.840.113549.1.1.${last}`), NULL),
  hash,
  keys: "rsa",
});

const ECDSA = [ecdsa(2, "sha256"), ecdsa(3, "sha384"), ecdsa(4, "sha512")] as const;
const RSA = [rsa(11, "sha256"), rsa(12, "sha384"), rsa(13, "sha512")] as const;
const ED25519 = [{ identifier: sequence(oid("1.3.101.112")), hash: null, keys: "ed25519" }] as const;

/** Signature algorithms that fit a key, the one that Signet signs with first (RFC 5758 §3.2, RFC 4055 §5, RFC 8410 §3). */
export const ALGORITHMS: Readonly<Record<KeyType, readonly SignatureAlgorithm[]>> = {
  ECDSAP256: ECDSA,
  ECDSAP384: [ECDSA[1], ECDSA[0], ECDSA[2]],
  ECDSAP521: [ECDSA[2], ECDSA[0], ECDSA[1]],
  RSA3072: RSA,
  RSA4096: RSA,
  ED25519,
};

/** Every way to sign that is known here. */
export const SIGNATURE_ALGORITHMS: readonly SignatureAlgorithm[] = [...ECDSA, ...RSA, ...ED25519];

/** How Signet signs with a key of this type. */
export const algorithmOf = (keyType: KeyType): SignatureAlgorithm => {
  const [first] = ALGORITHMS[keyType];
  if (!first) throw new Error(`no signature algorithm for ${keyType}`);
  return first;
};
