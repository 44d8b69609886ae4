import type { KeyType } from "../domain/definitions.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";

declare const leafKeyBrand: unique symbol;
/** A public key that may stand in a leaf certificate: its type and its SubjectPublicKeyInfo in DER. Made by `readLeafKey`. */
export type LeafKey = { readonly keyType: KeyType; readonly spki: Uint8Array } & { readonly [leafKeyBrand]: true };

type Shape = {
  readonly keyType: KeyType;
  /** The SubjectPublicKeyInfo up to where the key itself begins. */
  readonly head: string;
  readonly bytes: number;
  /** What follows the key itself. */
  readonly tail: string;
  /** Whether the first bit of the key is set: a modulus of full length. */
  readonly full: boolean;
};

const EXPONENT_65537 = "0203010001";

/**
 * The only forms of a SubjectPublicKeyInfo that are accepted, letter for letter: named curves with uncompressed points
 * (RFC 5480 §2), RSA with NULL parameters (RFC 3279 §2.3.1) and the exponent 65537, Ed25519 (RFC 8410 §4).
 */
const SHAPES: readonly Shape[] = [
  shape("ECDSAP256", "3059301306072a8648ce3d020106082a8648ce3d03010703420004", 64),
  shape("ECDSAP384", "3076301006072a8648ce3d020106052b8104002203620004", 96),
  shape("ECDSAP521", "30819b301006072a8648ce3d020106052b810400230381860004", 132),
  shape("ED25519", "302a300506032b6570032100", 32),
  rsa("RSA3072", "308201a2300d06092a864886f70d01010105000382018f003082018a0282018100", 384),
  rsa("RSA4096", "30820222300d06092a864886f70d01010105000382020f003082020a0282020100", 512),
];

function shape(keyType: KeyType, head: string, bytes: number): Shape {
  return { keyType, head, bytes, tail: "", full: false };
}

function rsa(keyType: KeyType, head: string, bytes: number): Shape {
  return { keyType, head, bytes, tail: EXPONENT_65537, full: true };
}

const PREPARED = SHAPES.map((each) => ({
  ...each,
  head: Buffer.from(each.head, "hex"),
  tail: Buffer.from(each.tail, "hex"),
}));

/**
 * Reads a SubjectPublicKeyInfo (DER) of one of the key types that leaves may have; refuses every other with
 * KEY_TYPE_REFUSED. Whether a point lies on its curve is for whoever verifies a signature with it to find.
 */
export function readLeafKey(spki: Uint8Array, path: string): Result<LeafKey> {
  const bytes = Buffer.from(spki.buffer, spki.byteOffset, spki.byteLength);
  for (const { keyType, head, bytes: length, tail, full } of PREPARED) {
    if (bytes.length !== head.length + length + tail.length || !bytes.subarray(0, head.length).equals(head)) continue;
    const sound = bytes.subarray(head.length + length).equals(tail) && (!full || (bytes[head.length] ?? 0) >= 0x80);
    if (sound) return ok(Object.freeze({ keyType, spki: Uint8Array.from(bytes) }) as LeafKey);
  }
  return refuse(
    "KEY_TYPE_REFUSED",
    path,
    "The public key is not of a type that certificates are issued for.",
    "Use ECDSA on P-256, P-384 or P-521 (uncompressed), RSA with 3072 or 4096 bits and exponent 65537, or Ed25519.",
  );
}
