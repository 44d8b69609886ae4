import type { ExtendedKeyUsage, KeyUsage } from "../domain/certificate.ts";
import type { SvidContents } from "../identity/svid-plan.ts";
import type { SignatureAlgorithm } from "./der/algorithms.ts";
import { keyIdOf } from "./der/extensions.ts";
import { OID } from "./der/oids.ts";
import { NotDer, readInside, type Value } from "./der/read.ts";
import { TAG } from "./der/write.ts";
import type { Verify } from "./keys/own-signatures.ts";
import {
  bitsOf,
  type CertificateParts,
  type Extension,
  extensionAt,
  namesOf,
  readCertificate,
} from "./read-certificate.ts";

/** Who must have signed, and how. */
export type Signatory = { readonly algorithm: SignatureAlgorithm; readonly verify: Verify };

/**
 * Reads a finished certificate again and compares it with what was planned: the names of all parts that differ, none where
 * it is just as planned. It shares nothing with the writer but the object identifiers.
 */
export async function recheck(der: Buffer, contents: SvidContents, signatory: Signatory): Promise<readonly string[]> {
  try {
    const parts = readCertificate(der);
    const { algorithm, verify } = signatory;
    const valid = verify(parts.signed.whole, parts.signature);
    const wrong = FIELDS.filter(([, same]) => !same(parts, contents)).map(([name]) => name);
    const algorithms = [parts.algorithm, parts.innerAlgorithm].every(({ whole }) => whole.equals(algorithm.identifier));
    return [
      ...wrong,
      ...(algorithms ? [] : ["algorithm"]),
      ...differentExtensions(parts, contents),
      ...((await valid) ? [] : ["signature"]),
    ];
  } catch (fault) {
    if (fault instanceof NotDer) return [`form: ${fault.message}`];
    throw fault;
  }
}

/** What is signed but algorithm and extensions (RFC 5280 §4.1). */
const FIELDS: readonly (readonly [string, (parts: CertificateParts, contents: SvidContents) => boolean])[] = [
  ["serial", (parts, { serial }) => parts.serial === serial],
  ["issuer", (parts, { issuer }) => parts.issuer.whole.equals(issuer.subject)],
  ["notBefore", (parts, { window }) => parts.window.notBefore === window.notBefore],
  ["notAfter", (parts, { window }) => parts.window.notAfter === window.notAfter],
  [
    "subject",
    ({ subject }, { commonName }) => sameSet(commonNamesOf(subject), commonName === undefined ? [] : [commonName]),
  ],
  ["key", ({ spki }, { key }) => spki.whole.equals(key.spki)],
];

/** The common names of a name; any other attribute, or form, is one that nobody planned. */
const commonNamesOf = (name: Value): readonly string[] =>
  readInside(name, TAG.sequence)
    .flatMap((set) => readInside(set, TAG.set))
    .map((attribute) => {
      const [id, value] = readInside(attribute, TAG.sequence);
      return id?.whole.equals(OID.commonName) && value?.tag === TAG.utf8String ? value.contents.toString("utf8") : "?";
    });

type Meaning = readonly [
  id: keyof typeof OID,
  critical: boolean,
  holds: (value: Value, contents: SvidContents) => boolean,
];

/** Every extension that a leaf has, and no other. */
const MEANINGS: readonly Meaning[] = [
  ["keyUsage", true, (value, { profile }) => sameSet(usagesIn(value), profile.keyUsage)],
  ["extendedKeyUsage", false, (value, { profile }) => sameSet(purposesOf(value), profile.extendedKeyUsage)],
  ["basicConstraints", true, ({ tag, contents }) => tag === TAG.sequence && contents.length === 0],
  [
    "subjectKeyIdentifier",
    false,
    ({ tag, contents }, { key }) => tag === TAG.octetString && contents.equals(keyIdOf(key.spki)),
  ],
  [
    "authorityKeyIdentifier",
    false,
    (value, { issuer }) =>
      sameSet(
        readInside(value, TAG.sequence).map(({ tag, contents }) => `${tag}:${contents.toString("hex")}`),
        [`${KEY_ID}:${issuer.keyId}`],
      ),
  ],
  [
    "subjectAltName",
    true,
    (value, { spiffeId, dnsNames }) =>
      sameSet(namesOf(value), [...dnsNames.map((name) => `dns:${name}`), `uri:${spiffeId}`]),
  ],
];

const KEY_ID = 0x80;

function differentExtensions(parts: CertificateParts, contents: SvidContents): readonly string[] {
  const wrong = MEANINGS.filter(([id, critical, holds]) => {
    const found: Extension | undefined = extensionAt(parts, id);
    return found?.critical !== critical || !holds(found.value, contents);
  });
  return [...wrong.map(([id]) => id), ...(parts.extensions.size === MEANINGS.length ? [] : ["extensions"])];
}

/** By position; one without a name of ours is a usage of its own, so that it is a difference. */
const USAGES: Readonly<Record<number, KeyUsage>> = { 0: "digitalSignature", 5: "keyCertSign", 6: "cRLSign" };
/** Names of the usages in a key usage extension, `?` for one that Signet never sets. */
export const usagesIn = (value: Value): readonly string[] => bitsOf(value).map((bit) => USAGES[bit] ?? "?");

const PURPOSES: readonly ExtendedKeyUsage[] = ["serverAuth", "clientAuth"];
const purposesOf = (value: Value): readonly string[] =>
  readInside(value, TAG.sequence).map(({ whole }) => PURPOSES.find((each) => OID[each].equals(whole)) ?? "?");

const sameSet = (found: readonly string[], wanted: readonly string[]): boolean =>
  found.length === wanted.length && wanted.every((each) => found.includes(each));
