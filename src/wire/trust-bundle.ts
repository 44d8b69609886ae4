import { ok, refuse, refuseAll, type Result } from "../domain/problem.ts";
import { isRaw, type Raw, textAt } from "./read-object.ts";
import { readStrictJson } from "./strict-json.ts";

/** A public key as a JWK (RFC 7517): elliptic with crv, x, y, or RSA with n, e. */
export type PublicJwk = {
  readonly kty: string;
  readonly kid?: string;
  readonly alg?: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly n?: string;
  readonly e?: string;
};

/** An authority for X.509-SVIDs: its public key, and its certificate in DER, base64. */
export type X509Authority = { readonly key: PublicJwk; readonly certificate: string };

/** The public keys of one trust domain (SPIFFE Trust Domain and Bundle §4). */
export type TrustBundle = {
  readonly x509: readonly X509Authority[];
  /** Each has a `kid`. */
  readonly jwt: readonly PublicJwk[];
  /** Grows with every change of the contents. */
  readonly sequence?: number;
  /** Seconds after which to ask again. */
  readonly refreshHint?: number;
};

/** Writes a bundle as the document that verifiers read: a JWK set with each key's `use` (X509-SVID §6.1, JWT-SVID §5). */
export function renderTrustBundle({ x509, jwt, sequence, refreshHint }: TrustBundle): string {
  const keys = [
    ...x509.map(({ key, certificate }) => ({ ...key, kid: undefined, use: "x509-svid", x5c: [certificate] })),
    ...jwt.map((key) => ({ ...key, use: "jwt-svid" })),
  ];
  return `${JSON.stringify({ keys, spiffe_sequence: sequence, spiffe_refresh_hint: refreshHint })}\n`;
}

/** Writes the token keys for readers of OpenID Connect: they know `use: sig` and want the algorithm (RFC 7517 §4.2, §4.4). */
export const renderKeySet = (jwt: readonly PublicJwk[]): string =>
  `${JSON.stringify({ keys: jwt.map((key) => ({ ...key, use: "sig", alg: "ES256" })) })}\n`;

/** Largest bundle that is read, in characters, and most keys in it. */
export const MOST_BUNDLE = 512 * 1024;
export const MOST_BUNDLE_KEYS = 128;

/**
 * Reads a bundle, whole or not at all. Keys of a kind or use that is not known are left out, as the standard asks (SPIFFE
 * Trust Domain and Bundle §4.1.3); one of a known use must be as it should: an X.509 entry with its key and exactly
 * one certificate, a token key with a `kid` of its own. Refuses what is no JWK set, says a name twice, or is larger
 * than half a million characters or 128 keys. No key at all is a bundle too: it makes every SVID of its domain invalid.
 */
export function readTrustBundle(text: string): Result<TrustBundle> {
  const document = readKeyList(text);
  if (!document.ok) return document;
  const { raw, keys } = document.value;
  const [sequence, refreshHint] = [count(raw, "spiffe_sequence"), count(raw, "spiffe_refresh_hint")];
  const entries = keys.map(readEntry);
  const problems = [sequence, refreshHint, ...entries].flatMap((each) => (each.ok ? [] : each.problems));
  if (problems.length > 0) return refuseAll(problems);
  const read = entries.flatMap((each) => (each.ok && each.value ? [each.value] : []));
  return once({
    x509: read.flatMap((entry) => ("certificate" in entry ? [entry] : [])),
    jwt: read.flatMap((entry) => ("certificate" in entry ? [] : [entry])),
    ...(sequence.ok && sequence.value !== undefined ? { sequence: sequence.value } : {}),
    ...(refreshHint.ok && refreshHint.value !== undefined ? { refreshHint: refreshHint.value } : {}),
  });
}

function readKeyList(text: string): Result<{ readonly raw: Raw; readonly keys: readonly unknown[] }> {
  if (text.length > MOST_BUNDLE) return refuse("FIELD_INVALID", "", "The bundle is too large.");
  const json = readStrictJson(text, "The bundle");
  if (!json.ok) return json;
  const keys = isRaw(json.value) ? json.value["keys"] : undefined;
  if (!isRaw(json.value) || !Array.isArray(keys))
    return refuse(
      "FIELD_MISSING",
      "keys",
      "The bundle has no list of keys.",
      'A bundle is a JWK set: {"keys": [...]}.',
    );
  if (keys.length > MOST_BUNDLE_KEYS)
    return refuse("FIELD_INVALID", "keys", `The bundle has more than ${MOST_BUNDLE_KEYS} keys.`);
  return ok({ raw: json.value, keys });
}

/** A certificate or a `kid` that stands twice leaves open which of two keys is meant. */
function once(bundle: TrustBundle): Result<TrustBundle> {
  const twice =
    repeated(bundle.x509.map(({ certificate }) => certificate)) ?? repeated(bundle.jwt.map(({ kid }) => kid ?? ""));
  if (twice === undefined) return ok(bundle);
  return refuse("FIELD_CONFLICT", "keys", `The bundle has the key ${twice.slice(0, 40)} twice.`);
}

const repeated = (texts: readonly string[]): string | undefined =>
  texts.find((text, index) => texts.indexOf(text) !== index);

/** Of 64 bits (SPIFFE Trust Domain and Bundle §4.1): one that counts nanoseconds is known to some hundred of them. */
function count(raw: Raw, key: string): Result<number | undefined> {
  const value = raw[key];
  if (value === undefined) return ok(undefined);
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 63) return ok(value);
  return refuse("FIELD_INVALID", key, `${key} is not a whole number.`);
}

/** One entry; undefined where its kind or use is not known. */
function readEntry(raw: unknown, index: number): Result<X509Authority | PublicJwk | undefined> {
  const path = `keys[${index}]`;
  if (!isRaw(raw)) return refuse("FIELD_INVALID", path, "An entry of the bundle is no key.");
  const [kty, use] = [textAt(raw, "kty"), textAt(raw, "use")];
  const absent = kty === undefined ? "kty" : use === undefined ? "use" : undefined;
  if (kty === undefined || absent !== undefined)
    return refuse("FIELD_MISSING", `${path}.${absent}`, `A key of the bundle has no ${absent}.`);
  const [names, reader] = [PARTS.get(kty), USES.get(use ?? "")];
  if (!names || !reader) return ok(undefined);
  const key = publicKey(raw, kty, names);
  if (!key) return refuse("FIELD_MISSING", path, `A key of the bundle lacks one of ${names.join(", ")}.`);
  return reader(raw, key, path);
}

/** Members that are public, by the kind of key (RFC 7518 §6). */
const PARTS: ReadonlyMap<string, readonly string[]> = new Map([
  ["EC", ["crv", "x", "y"]],
  ["RSA", ["n", "e"]],
]);

/** Only what is public is taken over, whatever else an entry holds. */
function publicKey(raw: Raw, kty: string, names: readonly string[]): PublicJwk | undefined {
  const parts = names.flatMap((name) => {
    const value = textAt(raw, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return parts.length === names.length ? { kty, ...Object.fromEntries(parts) } : undefined;
}

type EntryReader = (raw: Raw, key: PublicJwk, path: string) => Result<X509Authority | PublicJwk>;

const USES: ReadonlyMap<string, EntryReader> = new Map<string, EntryReader>([
  ["x509-svid", x509Authority],
  ["jwt-svid", tokenKey],
]);

/** X509-SVID §6.1: exactly one certificate. */
function x509Authority(raw: Raw, key: PublicJwk, path: string): Result<X509Authority> {
  const chain: unknown = raw["x5c"];
  const [certificate, ...more]: readonly unknown[] = Array.isArray(chain) ? chain : [];
  if (typeof certificate !== "string" || more.length > 0)
    return refuse("FIELD_INVALID", `${path}.x5c`, "An X.509 authority has exactly one certificate in x5c.");
  return ok({ key, certificate });
}

/** JWT-SVID §5: a `kid`, by which tokens name it. */
function tokenKey(raw: Raw, key: PublicJwk, path: string): Result<PublicJwk> {
  const [kid, alg] = [textAt(raw, "kid"), textAt(raw, "alg")];
  if (kid === undefined || kid === "") return refuse("FIELD_MISSING", `${path}.kid`, "A token key has no kid.");
  return ok({ ...key, kid, ...(alg === undefined ? {} : { alg }) });
}
