import { oid } from "./write.ts";

/** Object identifiers, in DER, of extensions, attributes, purposes and names that Signet writes and reads. */
export const OID = {
  commonName: oid("2.5.4.3"),
  organization: oid("2.5.4.10"),
  subjectKeyIdentifier: oid("2.5.29.14"),
  keyUsage: oid("2.5.29.15"),
  subjectAltName: oid("2.5.29.17"),
  basicConstraints: oid("2.5.29.19"),
  crlNumber: oid("2.5.29.20"),
  reasonCode: oid("2.5.29.21"),
  nameConstraints: oid("2.5.29.30"),
  authorityKeyIdentifier: oid("2.5.29.35"),
  extendedKeyUsage: oid("2.5.29.37"),
  extensionRequest: oid("1.2.840.113549.1.9.14"),
  serverAuth: oid("1.3.6.1.5.5.7.3.1"),
  clientAuth: oid("1.3.6.1.5.5.7.3.2"),
} as const;
