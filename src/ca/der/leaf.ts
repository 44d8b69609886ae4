import type { SvidContents } from "../../identity/svid-plan.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  extensionsField,
  keyIdOf,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
} from "./extensions.ts";
import { distinguishedName } from "./names.ts";
import { bitString, explicit, integer, sequence, time } from "./write.ts";

const V3 = explicit(0, Buffer.from([2, 1, 2]));
const NO_SUBJECT = distinguishedName();
const CA_FALSE = basicConstraints();

/**
 * The part of an X.509-SVID that is signed (RFC 5280 §4.1.2), in DER. The subject is empty but for roles whose certificates
 * name their account; the alternative name is critical for all. Extensions stand in one fixed order.
 */
export function leafTbs(contents: SvidContents, algorithm: Buffer): Buffer {
  const { profile, serial, issuer, window, spiffeId, dnsNames, commonName, key } = contents;
  return sequence(
    V3,
    integer(serial),
    algorithm,
    issuer.subject,
    sequence(time(window.notBefore), time(window.notAfter)),
    commonName === undefined ? NO_SUBJECT : distinguishedName(["commonName", commonName]),
    key.spki,
    extensionsField(
      keyUsage(profile.keyUsage),
      extendedKeyUsage(profile.extendedKeyUsage),
      CA_FALSE,
      subjectKeyIdentifier(keyIdOf(key.spki)),
      authorityKeyIdentifier(Buffer.from(issuer.keyId, "hex")),
      subjectAltName(spiffeId, dnsNames, true),
    ),
  );
}

/** A certificate of its signed part, the algorithm and the signature. */
export const certificateOf = (tbs: Buffer, algorithm: Buffer, signature: Uint8Array): Buffer =>
  sequence(tbs, algorithm, bitString(signature));
