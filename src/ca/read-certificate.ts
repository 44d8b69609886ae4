import type { Instant } from "../domain/instant.ts";
import type { Window } from "../domain/certificate.ts";
import { OID } from "./der/oids.ts";
import { NotDer, readInside, readNamed, readOne, readSigned, type Value } from "./der/read.ts";
import { instantOf } from "./der/time.ts";
import { TAG } from "./der/write.ts";

/** An extension as it stands in a certificate: whether it is critical, and its value. */
export type Extension = { readonly critical: boolean; readonly value: Value };

/** A certificate's parts, read and not yet judged. */
export type CertificateParts = {
  readonly signed: Value;
  readonly algorithm: Value;
  readonly signature: Buffer;
  /** Contents of the INTEGER, lower-case hexadecimal. */
  readonly serial: string;
  readonly innerAlgorithm: Value;
  readonly issuer: Value;
  readonly window: Window;
  readonly subject: Value;
  readonly spki: Value;
  /** Object identifier in DER, hexadecimal → extension, in their order. */
  readonly extensions: ReadonlyMap<string, Extension>;
};

const VERSION_3 = Buffer.from([0xa0, 3, 2, 1, 2]);
const EXTENSIONS = 0xa3;

/**
 * Reads a version 3 certificate (RFC 5280 §4.1) from DER. Throws NotDer for what is none: another version, unique
 * identifiers, an extension that stands twice.
 */
export function readCertificate(der: Buffer): CertificateParts {
  const { signed, algorithm, signature } = readSigned(der);
  const { version, serial, window, extensions, ...rest } = readNamed(signed, TAG.sequence, PARTS);
  if (!version.whole.equals(VERSION_3) || serial.tag !== TAG.integer) throw new NotDer("it is not of version 3");
  return {
    ...rest,
    signed,
    algorithm,
    signature,
    serial: serial.contents.toString("hex"),
    window: windowOf(window),
    extensions: extensionsOf(extensions),
  };
}

const PARTS = ["version", "serial", "innerAlgorithm", "issuer", "window", "subject", "spki", "extensions"] as const;

function windowOf(value: Value): Window {
  const [notBefore, notAfter, ...more] = readInside(value, TAG.sequence).map(timeOf);
  if (notBefore === undefined || notAfter === undefined || more.length > 0) throw new NotDer("it has not two dates");
  return { notBefore, notAfter };
}

/** A date as certificates and lists have it; throws NotDer for one of another form. */
export function timeOf(value: Value): Instant {
  const at = instantOf(value);
  if (at === undefined) throw new NotDer("a date cannot be read");
  return at;
}

function extensionsOf(value: Value): ReadonlyMap<string, Extension> {
  const [list, ...more] = readInside(value, EXTENSIONS);
  if (!list || more.length > 0) throw new NotDer("it has not one list of extensions");
  const found = new Map<string, Extension>();
  for (const each of readInside(list, TAG.sequence)) {
    const [id, ...parts] = readInside(each, TAG.sequence);
    const key = id?.whole.toString("hex") ?? "";
    if (found.has(key)) throw new NotDer("an extension stands twice");
    found.set(key, extensionOf(parts));
  }
  return found;
}

const BOOLEAN_TRUE = Buffer.from([1, 1, 0xff]);

/** `critical` is written only where it is true (X.690 §11.5). */
function extensionOf(parts: readonly Value[]): Extension {
  const octets = parts.at(-1);
  const critical = parts.length === 2;
  if (octets?.tag !== TAG.octetString || parts.length > 2 || (critical && !parts[0]?.whole.equals(BOOLEAN_TRUE)))
    throw new NotDer("an extension has another form");
  return { critical, value: readOne(octets.contents) };
}

/** The extension of an object identifier, where the certificate has it. */
export const extensionAt = ({ extensions }: CertificateParts, id: keyof typeof OID): Extension | undefined =>
  extensions.get(KEYS[id]);

const KEYS = Object.fromEntries(Object.entries(OID).map(([name, der]) => [name, der.toString("hex")])) as Readonly<
  Record<keyof typeof OID, string>
>;

/** Names of a subjectAltName: `uri:…`, `dns:…`, and `other` for every other form. */
export const namesOf = (value: Value): readonly string[] =>
  readInside(value, TAG.sequence).map(({ tag, contents }) => {
    const form = NAME_FORMS[tag];
    return form === undefined ? "other" : `${form}:${contents.toString("latin1")}`;
  });

const NAME_FORMS: Readonly<Record<number, string>> = { 0x82: "dns", 0x86: "uri" };

/** Positions of the bits that are set in a BIT STRING of at most 16 bits. */
export function bitsOf({ tag, contents }: Value): readonly number[] {
  if (tag !== TAG.bitString || contents.length < 2 || contents.length > 3)
    throw new NotDer("it is not a BIT STRING of usages");
  const found: number[] = [];
  for (let bit = 0; bit < (contents.length - 1) * 8; bit++)
    if (((contents[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0) found.push(bit);
  return found;
}

/** What basic constraints say (RFC 5280 §4.2.1.9): whether it is an authority, and how many may stand below it, if that is limited. */
export function constraintsOf(parts: CertificateParts): { readonly authority: boolean; readonly pathLength?: number } {
  const found = extensionAt(parts, "basicConstraints");
  const [flag, length, ...more] = found ? readInside(found.value, TAG.sequence, 2) : [];
  if (flag?.tag !== TAG.boolean) return { authority: false };
  if (!length) return { authority: true };
  const [octet] = length.contents;
  if (
    length.tag !== TAG.integer ||
    length.contents.length !== 1 ||
    octet === undefined ||
    octet > 0x7f ||
    more.length > 0
  )
    throw new NotDer("a path length of a form that is not known here");
  return { authority: true, pathLength: octet };
}
