import { type KeyObject, verify } from "node:crypto";
import type { ExtendedKeyUsage, KeyUsage } from "../domain/certificate.ts";
import type { Instant } from "../domain/instant.ts";
import type { SvidContents } from "../identity/svid-plan.ts";
import type { SignatureAlgorithm } from "./der/algorithms.ts";
import { keyIdOf } from "./der/extensions.ts";
import { OID } from "./der/oids.ts";
import { NotDer, readInside, readOne, readSigned, type Value } from "./der/read.ts";
import { TAG } from "./der/write.ts";

/** Who must have signed, and how. */
export type Signatory = { readonly algorithm: SignatureAlgorithm; readonly publicKey: KeyObject };

/**
 * Reads a finished certificate again and compares it with what was planned: the names of all parts that differ, none where
 * it is just as planned. It shares nothing with the writer but the object identifiers.
 */
export function recheck(der: Buffer, contents: SvidContents, signatory: Signatory): readonly string[] {
  try {
    const { signed, algorithm, signature } = readSigned(der);
    const { identifier, hash } = signatory.algorithm;
    return [
      ...different(signed, contents, identifier),
      ...(algorithm.whole.equals(identifier) ? [] : ["algorithm"]),
      ...(verify(hash, signed.whole, signatory.publicKey, signature) ? [] : ["signature"]),
    ];
  } catch (fault) {
    if (fault instanceof NotDer) return [`form: ${fault.message}`];
    throw fault;
  }
}

type Check = (value: Value | undefined, contents: SvidContents, algorithm: Buffer) => boolean;

/** The fields of what is signed, in their order (RFC 5280 §4.1). */
const FIELDS: readonly (readonly [string, Check])[] = [
  ["version", (value) => value?.whole.equals(VERSION_3) ?? false],
  ["serial", (value, { serial }) => value?.tag === TAG.integer && value.contents.toString("hex") === serial],
  ["algorithm", (value, _, algorithm) => value?.whole.equals(algorithm) ?? false],
  ["issuer", (value, { issuer }) => value?.whole.equals(issuer.subject) ?? false],
  ["window", (value, { window }) => sameWindow(value, [window.notBefore, window.notAfter])],
  ["subject", (value) => value?.tag === TAG.sequence && value.contents.length === 0],
  ["key", (value, { key }) => value?.whole.equals(key.spki) ?? false],
];

const VERSION_3 = Buffer.from([0xa0, 3, 2, 1, 2]);
const EXTENSIONS = 0xa3;

function different(tbs: Value, contents: SvidContents, algorithm: Buffer): readonly string[] {
  const values = readInside(tbs, TAG.sequence);
  const wrong = FIELDS.filter(([, check], index) => !check(values[index], contents, algorithm)).map(([name]) => name);
  const last = values[FIELDS.length];
  const [list, ...more] = last ? readInside(last, EXTENSIONS) : [];
  if (!list || more.length > 0 || values.length !== FIELDS.length + 1) return [...wrong, "extensions"];
  return [...wrong, ...differentExtensions(readInside(list, TAG.sequence), contents)];
}

function sameWindow(value: Value | undefined, wanted: readonly Instant[]): boolean {
  const found = value ? readInside(value, TAG.sequence).map(instantOf) : [];
  return found.length === 2 && found.every((at, index) => at === wanted[index]);
}

/** UTCTime reads years below 50 as 20xx (RFC 5280 §4.1.2.5.1). */
function instantOf({ tag, contents }: Value): Instant {
  const text = contents.toString("latin1");
  const digits = tag === TAG.utcTime ? `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text}` : text;
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

type Extension = { readonly critical: boolean; readonly value: Value };
type Meaning = {
  readonly id: Buffer;
  readonly name: string;
  readonly holds: (found: Extension, contents: SvidContents) => boolean;
};

/** Every extension that a leaf has, each once, and no other. */
const MEANINGS: readonly Meaning[] = [
  {
    id: OID.keyUsage,
    name: "keyUsage",
    holds: ({ critical, value }, { profile }) => critical && sameSet(usagesOf(value), profile.keyUsage),
  },
  {
    id: OID.extendedKeyUsage,
    name: "extendedKeyUsage",
    holds: ({ critical, value }, { profile }) => !critical && sameSet(purposesOf(value), profile.extendedKeyUsage),
  },
  {
    id: OID.basicConstraints,
    name: "basicConstraints",
    holds: ({ critical, value }) => critical && value.tag === TAG.sequence && value.contents.length === 0,
  },
  {
    id: OID.subjectKeyIdentifier,
    name: "subjectKeyIdentifier",
    holds: ({ critical, value }, { key }) =>
      !critical && value.tag === TAG.octetString && value.contents.equals(keyIdOf(key.spki)),
  },
  {
    id: OID.authorityKeyIdentifier,
    name: "authorityKeyIdentifier",
    holds: ({ critical, value }, { issuer }) => {
      const [keyId, ...more] = readInside(value, TAG.sequence);
      return !critical && more.length === 0 && keyId?.tag === 0x80 && keyId.contents.toString("hex") === issuer.keyId;
    },
  },
  {
    id: OID.subjectAltName,
    name: "subjectAltName",
    holds: ({ critical, value }, { spiffeId, dnsNames }) =>
      critical && sameSet(namesOf(value), [...dnsNames.map((name) => `dns:${name}`), `uri:${spiffeId}`]),
  },
];

function differentExtensions(list: readonly Value[], contents: SvidContents): readonly string[] {
  const found = list.map((each) => readInside(each, TAG.sequence));
  const wrong = MEANINGS.filter(({ id, holds }) => {
    const [first, ...again] = found.filter(([each]) => each?.whole.equals(id));
    const read = first && again.length === 0 ? extensionOf(first) : undefined;
    return !read || !holds(read, contents);
  });
  const stranger = found.length === MEANINGS.length ? [] : ["extensions"];
  return [...wrong.map(({ name }) => name), ...stranger];
}

function extensionOf([, ...parts]: readonly Value[]): Extension | undefined {
  const octets = parts.at(-1);
  if (octets?.tag !== TAG.octetString || parts.length > 2) return undefined;
  const critical = parts.length === 2;
  if (critical && !parts[0]?.whole.equals(BOOLEAN_TRUE)) return undefined;
  return { critical, value: readOne(octets.contents) };
}

const BOOLEAN_TRUE = Buffer.from([1, 1, 0xff]);
const USAGES: readonly (readonly [number, KeyUsage])[] = [
  [0x80, "digitalSignature"],
  [0x04, "keyCertSign"],
  [0x02, "cRLSign"],
];

/** Bits without a name of ours count as a usage of their own, so that they are a difference. */
function usagesOf({ tag, contents }: Value): readonly string[] {
  const bits = tag === TAG.bitString && contents.length === 2 ? (contents[1] ?? 0) : 0;
  const known = USAGES.reduce((sum, [bit]) => sum | bit, 0);
  return [
    ...USAGES.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name),
    ...((bits & ~known) === 0 ? [] : ["?"]),
  ];
}

const PURPOSES: readonly ExtendedKeyUsage[] = ["serverAuth", "clientAuth"];
const purposesOf = (value: Value): readonly string[] =>
  readInside(value, TAG.sequence).map(({ whole }) => PURPOSES.find((each) => OID[each].equals(whole)) ?? "?");

const NAME_TAGS: Readonly<Record<number, string>> = { 0x82: "dns", 0x86: "uri" };
const namesOf = (value: Value): readonly string[] =>
  readInside(value, TAG.sequence).map(({ tag, contents }) => `${NAME_TAGS[tag] ?? "?"}:${contents.toString("latin1")}`);

const sameSet = (found: readonly string[], wanted: readonly string[]): boolean =>
  found.length === wanted.length && wanted.every((each) => found.includes(each));
