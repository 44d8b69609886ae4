import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { AuthorityKeyType } from "../../domain/certificate.ts";
import { readLeafKey } from "../../identity/leaf-key.ts";
import { algorithmOf, type SignatureAlgorithm } from "../der/algorithms.ts";

/** A private key that can be used and not read, wherever it lies. */
export type SigningKey = {
  readonly keyType: AuthorityKeyType;
  readonly algorithm: SignatureAlgorithm;
  /** SubjectPublicKeyInfo in DER. */
  readonly spki: Buffer;
  /** Whether it lies in this process's memory, and not in a token. */
  readonly inMemory: boolean;
  /** Signs octets: ECDSA in DER form, RSA by PKCS#1 v1.5. */
  readonly sign: (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;
};

/** A key in this process's memory. */
export function memoryKey(privateKey: KeyObject): SigningKey {
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const keyType = authorityKeyType(spki);
  const algorithm = algorithmOf(keyType);
  return { keyType, algorithm, spki, inMemory: true, sign: (bytes) => sign(algorithm.hash, bytes, privateKey) };
}

/** Key types of authorities. */
export const AUTHORITY_KEY_TYPES: readonly AuthorityKeyType[] = ["ECDSAP256", "ECDSAP384", "RSA3072", "RSA4096"];

/** Whether a SubjectPublicKeyInfo has a key type of authorities. */
export const isAuthorityKey = (spki: Uint8Array): boolean => keyTypeIn(spki) !== undefined;

/** Which key type of an authority a SubjectPublicKeyInfo has; throws where it is none. */
export function authorityKeyType(spki: Uint8Array): AuthorityKeyType {
  const found = keyTypeIn(spki);
  if (!found) throw new Error("an authority's key is ECDSA on P-256 or P-384, or RSA with 3072 or 4096 bits");
  return found;
}

function keyTypeIn(spki: Uint8Array): AuthorityKeyType | undefined {
  const read = readLeafKey(spki, "");
  return AUTHORITY_KEY_TYPES.find((each) => read.ok && each === read.value.keyType);
}

/** A new private key. */
export function generateKey(keyType: AuthorityKeyType): KeyObject {
  return GENERATE[keyType]();
}

const curve = (namedCurve: string) => (): KeyObject => generateKeyPairSync("ec", { namedCurve }).privateKey;
const rsa = (modulusLength: number) => (): KeyObject => generateKeyPairSync("rsa", { modulusLength }).privateKey;

const GENERATE: Readonly<Record<AuthorityKeyType, () => KeyObject>> = {
  ECDSAP256: curve("P-256"),
  ECDSAP384: curve("P-384"),
  RSA3072: rsa(3072),
  RSA4096: rsa(4096),
};
