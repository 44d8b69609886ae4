import { ok, problem, type Problem, refuse, refuseAll, type Result } from "../domain/problem.ts";
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

/**
 * Reads a bundle. Keys of a kind or use that is not known are left out, and so is an X.509 entry without certificate or a
 * token key without `kid`: the standard asks for it (§4.2, X509-SVID §6.2). Refuses what is no JWK set, or says a name twice.
 * No key at all is a bundle too: it makes every SVID of its domain invalid.
 */
export function readTrustBundle(text: string): Result<TrustBundle> {
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
  const [sequence, refreshHint] = [count(json.value, "spiffe_sequence"), count(json.value, "spiffe_refresh_hint")];
  const problems = [...sequence.problems, ...refreshHint.problems];
  if (problems.length > 0) return refuseAll(problems);
  const entries = keys.filter(isRaw);
  return ok({
    x509: entries.flatMap(x509Authority),
    jwt: entries.flatMap(tokenKey),
    ...(sequence.value === undefined ? {} : { sequence: sequence.value }),
    ...(refreshHint.value === undefined ? {} : { refreshHint: refreshHint.value }),
  });
}

type Count = { readonly value: number | undefined; readonly problems: readonly Problem[] };

function count(raw: Raw, key: string): Count {
  const value = raw[key];
  if (value === undefined) return { value: undefined, problems: [] };
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return { value, problems: [] };
  return { value: undefined, problems: [problem("FIELD_INVALID", key, `${key} is not a whole number.`)] };
}

function x509Authority(raw: Raw): readonly X509Authority[] {
  const chain = raw["x5c"];
  const [certificate]: readonly unknown[] = Array.isArray(chain) ? chain : [];
  const key = publicKey(raw);
  return key && raw["use"] === "x509-svid" && typeof certificate === "string" ? [{ key, certificate }] : [];
}

function tokenKey(raw: Raw): readonly PublicJwk[] {
  const [key, kid, alg] = [publicKey(raw), textAt(raw, "kid"), textAt(raw, "alg")];
  if (!key || kid === undefined || raw["use"] !== "jwt-svid") return [];
  return [{ ...key, kid, ...(alg === undefined ? {} : { alg }) }];
}

/** Only what is public is taken over, whatever else an entry holds. */
function publicKey(raw: Raw): PublicJwk | undefined {
  const kty = textAt(raw, "kty");
  const names = kty === "EC" ? (["crv", "x", "y"] as const) : kty === "RSA" ? (["n", "e"] as const) : [];
  const parts = names.flatMap((name) => {
    const value = textAt(raw, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return kty !== undefined && names.length > 0 && parts.length === names.length
    ? { kty, ...Object.fromEntries(parts) }
    : undefined;
}
