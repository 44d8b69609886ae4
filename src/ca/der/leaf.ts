import type { IssuerFacts, LeafProfile } from "../../domain/certificate.ts";
import { remembered } from "../../domain/remembered.ts";
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

/** What all leaves of a profile have in common, and all of an issuer. */
const profiled = remembered(({ keyUsage: usages, extendedKeyUsage: purposes }: LeafProfile) =>
  Buffer.concat([keyUsage(usages), extendedKeyUsage(purposes), CA_FALSE]),
);
const issued = remembered(({ keyId }: IssuerFacts) => authorityKeyIdentifier(Buffer.from(keyId, "hex")));

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
      profiled(profile),
      subjectKeyIdentifier(keyIdOf(key.spki)),
      issued(issuer),
      subjectAltName(spiffeId, dnsNames, true),
    ),
  );
}

/** A certificate of its signed part, the algorithm and the signature. */
export const certificateOf = (tbs: Buffer, algorithm: Buffer, signature: Uint8Array): Buffer =>
  sequence(tbs, algorithm, bitString(signature));
