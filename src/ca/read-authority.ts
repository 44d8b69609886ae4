import { ok, refuse, type Result } from "../domain/problem.ts";
import type { AuthorityCertificate } from "./authority.ts";
import { NotDer } from "./der/read.ts";
import {
  bitsOf,
  type CertificateParts,
  constraintsOf,
  extensionAt,
  namesOf,
  readCertificate,
} from "./read-certificate.ts";

const KEY_CERT_SIGN = 5;

/**
 * Reads an authority's certificate (DER) of a trust domain; of the one that it names itself where none is given. Refuses with
 * AUTHORITY_INVALID one that is no authority, has no key identifier, or names another trust domain.
 */
export function readAuthority(der: Buffer, of: string | undefined): Result<AuthorityCertificate> {
  try {
    const parts = readCertificate(der);
    const trustDomain = of ?? trustDomainIn(parts);
    if (trustDomain === undefined) return invalid("it names no trust domain");
    const wrong = RULES.find(([holds]) => !holds(parts, trustDomain));
    if (wrong) return invalid(wrong[1]);
    const keyId = extensionAt(parts, "subjectKeyIdentifier")?.value.contents.toString("hex") ?? "";
    const root = parts.issuer.whole.equals(parts.subject.whole);
    const { window, subject } = parts;
    return ok({ der, sort: root ? "root" : "issuing", keyId, subject: subject.whole, trustDomain, window });
  } catch (fault) {
    if (fault instanceof NotDer) return invalid(fault.message);
    throw fault;
  }
}

function trustDomainIn(parts: CertificateParts): string | undefined {
  const names = extensionAt(parts, "subjectAltName");
  return names && /^uri:spiffe:\/\/([a-z0-9._-]{1,255})$/.exec(namesOf(names.value).join())?.[1];
}

const invalid = (why: string): Result<never> =>
  refuse("AUTHORITY_INVALID", "", `The certificate is not one of an authority of this trust domain: ${why}.`);

type Rule = readonly [holds: (parts: CertificateParts, trustDomain: string) => boolean, otherwise: string];

const RULES: readonly Rule[] = [
  [(parts) => constraintsOf(parts).authority, "it is no authority (basic constraints)"],
  [
    (parts) => {
      const usage = extensionAt(parts, "keyUsage");
      return usage !== undefined && bitsOf(usage.value).includes(KEY_CERT_SIGN);
    },
    "it may not sign certificates (key usage)",
  ],
  [(parts) => extensionAt(parts, "subjectKeyIdentifier") !== undefined, "it has no subject key identifier"],
  [
    (parts, trustDomain) => {
      const names = extensionAt(parts, "subjectAltName");
      return names === undefined || namesOf(names.value).join() === `uri:spiffe://${trustDomain}`;
    },
    "it names another trust domain",
  ],
  [({ subject }) => subject.contents.length > 0, "its subject is empty"],
];
