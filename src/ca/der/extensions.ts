import { hash } from "node:crypto";
import type { ExtendedKeyUsage, KeyUsage } from "../../domain/certificate.ts";
import { OID } from "./oids.ts";
import { readInside, readOne } from "./read.ts";
import { explicit, implicit, namedBits, octetString, sequence, TAG, TRUE } from "./write.ts";

const extension = (id: Buffer, critical: boolean, value: Buffer): Buffer =>
  critical ? sequence(id, TRUE, octetString(value)) : sequence(id, octetString(value));

const USAGE_BITS: Readonly<Record<KeyUsage, number>> = { digitalSignature: 0, keyCertSign: 5, cRLSign: 6 };

/** Critical (X509-SVID §4.3). */
export const keyUsage = (usages: readonly KeyUsage[]): Buffer =>
  extension(OID.keyUsage, true, namedBits(usages.map((usage) => USAGE_BITS[usage])));

export const extendedKeyUsage = (purposes: readonly ExtendedKeyUsage[]): Buffer =>
  extension(OID.extendedKeyUsage, false, sequence(...purposes.map((purpose) => OID[purpose])));

/** Critical; a leaf's is an empty sequence, cA being false by default. */
export const basicConstraints = (pathLength?: number): Buffer =>
  extension(
    OID.basicConstraints,
    true,
    pathLength === undefined ? sequence() : sequence(TRUE, Buffer.from([2, 1, pathLength])),
  );

/** A key's identifier: the first 160 bits of SHA-256 over the bits of the public key (RFC 7093 §2, method 1). */
export function keyIdOf(spki: Uint8Array): Buffer {
  const bits = readInside(readOne(Buffer.from(spki.buffer, spki.byteOffset, spki.byteLength)), TAG.sequence)[1];
  if (bits?.tag !== TAG.bitString) throw new Error("a SubjectPublicKeyInfo has no key");
  return hash("sha256", bits.contents.subarray(1), "buffer").subarray(0, 20);
}

export const subjectKeyIdentifier = (keyId: Uint8Array): Buffer =>
  extension(OID.subjectKeyIdentifier, false, octetString(keyId));

export const authorityKeyIdentifier = (keyId: Uint8Array): Buffer =>
  extension(OID.authorityKeyIdentifier, false, sequence(implicit(0, keyId)));

/** One URI and DNS names; critical where the subject is empty (RFC 5280 §4.2.1.6, X509-SVID §4.1). */
export const subjectAltName = (uri: string, dnsNames: readonly string[], critical: boolean): Buffer =>
  extension(
    OID.subjectAltName,
    critical,
    sequence(
      ...dnsNames.map((name) => implicit(2, Buffer.from(name, "latin1"))),
      implicit(6, Buffer.from(uri, "latin1")),
    ),
  );

/** Permits URIs of one trust domain alone. Critical (RFC 5280 §4.2.1.10). */
export const nameConstraints = (trustDomain: string): Buffer =>
  extension(
    OID.nameConstraints,
    true,
    sequence(explicit(0, sequence(implicit(6, Buffer.from(trustDomain, "latin1"))))),
  );

/** The extensions of a certificate, as its last field. */
export const extensionsField = (...extensions: readonly Buffer[]): Buffer => explicit(3, sequence(...extensions));
