import { compactVerify, importJWK } from "jose";
import type { Instant } from "../../domain/instant.ts";
import { ok, refuse, type Result } from "../../domain/problem.ts";
import { parseSpiffeId, type SpiffeName } from "../../domain/spiffe-id.ts";
import { isRaw, numberAt, type Raw, textAt, textsAt } from "../../wire/read-object.ts";
import { readStrictJson } from "../../wire/strict-json.ts";
import type { PublicJwk, TrustBundle } from "../../wire/trust-bundle.ts";

/** What a verified JWT-SVID says; times in milliseconds. */
export type VerifiedToken = {
  readonly spiffeId: string;
  readonly trustDomain: string;
  readonly path: string;
  readonly audiences: readonly string[];
  readonly expiresAt: Instant;
  readonly id: string | undefined;
};

/** What a token is held against: one bundle per trust domain, never pooled, and the audience that the verifier is. */
export type TokenTerms = {
  readonly bundleOf: (trustDomain: string) => TrustBundle | undefined;
  readonly audience: string;
  readonly now: Instant;
};

/** Longest token that is read, in bytes. */
const MOST_BYTES = 8192;
/** JWT-SVID §2.1: these and no other. */
const ALGORITHMS = ["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] as const;
const HEADERS: ReadonlySet<string> = new Set(["alg", "kid", "typ"]);
const TYPES: ReadonlySet<unknown> = new Set([undefined, "JWT", "JOSE"]);
/** A verifier that tries every key of a bundle for a token without kid does no more than this. */
const MOST_TRIES = 8;

/** Verifies a JWT-SVID as its standard asks (JWT-SVID §5; nbf: RFC 7519 §4.1.5). Every refusal is TOKEN_REFUSED; the path names the part. */
export async function verifyToken(token: string, terms: TokenTerms): Promise<Result<VerifiedToken>> {
  const header = readHeader(token);
  if (!header.ok) return header;
  const claims = readClaims(token, terms);
  if (!claims.ok) return claims;
  const keys = keysFor(terms.bundleOf(claims.value.trustDomain), header.value);
  for (const jwk of keys) if (await isSignedBy(token, jwk, header.value.alg)) return claims;
  return refused("signature", "No key of its trust domain has signed the token.");
}

const refused = (path: string, message: string): Result<never> =>
  refuse("TOKEN_REFUSED", path, message, "Ask for a new token, for this audience.");

type Header = { readonly alg: string; readonly kid: string | undefined };

function readHeader(token: string): Result<Header> {
  if (token.length > MOST_BYTES) return refused("", `A token has at most ${MOST_BYTES} bytes.`);
  const parts = token.split(".");
  if (parts.length !== 3 || !parts.every(isBase64Url)) return refused("", "The token is not a JWS in compact form.");
  const raw = readPart(parts[0]);
  if (!raw) return refused("header", "The token's header cannot be read.");
  const wrong = HEADER_RULES.find(({ holds }) => !holds(raw));
  if (wrong) return refused(wrong.path, wrong.message);
  return ok({ alg: textAt(raw, "alg") ?? "", kid: textAt(raw, "kid") });
}

type HeaderRule = { readonly path: string; readonly message: string; readonly holds: (raw: Raw) => boolean };

const HEADER_RULES: readonly HeaderRule[] = [
  {
    path: "header",
    message: "The token's header holds more than alg, kid and typ.",
    holds: (raw) => Object.keys(raw).every((name) => HEADERS.has(name)),
  },
  {
    path: "header.alg",
    message: "The token's algorithm is not allowed.",
    holds: (raw) => ALGORITHMS.some((each) => each === raw["alg"]),
  },
  { path: "header.typ", message: "The token is of another type.", holds: (raw) => TYPES.has(raw["typ"]) },
  {
    path: "header.kid",
    message: "The token's kid is not a text.",
    holds: (raw) => raw["kid"] === undefined || typeof raw["kid"] === "string",
  },
];

/** Strict: one text has one form, so that a token cannot be changed and stay valid. */
const isBase64Url = (part: string): boolean =>
  part !== "" && /^[A-Za-z0-9_-]+$/.test(part) && Buffer.from(part, "base64url").toString("base64url") === part;

function readPart(part = ""): Raw | undefined {
  const json = readStrictJson(Buffer.from(part, "base64url").toString("utf8"), "The token");
  return json.ok && isRaw(json.value) ? json.value : undefined;
}

function readClaims(token: string, { audience, now }: TokenTerms): Result<VerifiedToken> {
  const raw = readPart(token.split(".")[1]);
  if (!raw) return refused("claims", "The token's claims cannot be read.");
  const name = parseSpiffeId(textAt(raw, "sub") ?? "", "sub");
  if (!name.ok) return refused("sub", "The token's subject is not the SPIFFE ID of a workload.");
  const audiences = typeof raw["aud"] === "string" ? [raw["aud"]] : textsAt(raw, "aud");
  if (!audiences.includes(audience)) return refused("aud", "The token is for another audience.");
  const expires = readEnd(raw, now);
  return expires.ok ? ok(verified(name.value, audiences, expires.value, textAt(raw, "jti"))) : expires;
}

/** When it ends, in seconds; refused before it has begun and after it has ended. */
function readEnd(raw: Raw, now: Instant): Result<number> {
  const expires = numberAt(raw, "exp");
  if (expires === undefined || !Number.isFinite(expires)) return refused("exp", "The token has no end.");
  if (expires * 1000 <= now) return refused("exp", "The token has ended.");
  const begins = raw["nbf"] === undefined ? 0 : numberAt(raw, "nbf");
  if (begins === undefined) return refused("nbf", "The token's begin is not a number.");
  return begins * 1000 > now ? refused("nbf", "The token has not begun.") : ok(expires);
}

const verified = (
  name: SpiffeName,
  audiences: readonly string[],
  expires: number,
  id: string | undefined,
): VerifiedToken => ({
  spiffeId: name.id,
  trustDomain: name.trustDomain,
  path: name.path,
  audiences,
  expiresAt: expires * 1000,
  id,
});

const FAMILY: Readonly<Record<string, string>> = { E: "EC", R: "RSA", P: "RSA" };

/** By its kid the one key; without, every key of the algorithm's kind (JWT-SVID §2.2: kid is optional). */
function keysFor(bundle: TrustBundle | undefined, { alg, kid }: Header): readonly PublicJwk[] {
  const fitting = (bundle?.jwt ?? []).filter(({ kty }) => kty === FAMILY[alg.slice(0, 1)]);
  return (kid === undefined ? fitting : fitting.filter((key) => key.kid === kid)).slice(0, MOST_TRIES);
}

async function isSignedBy(token: string, jwk: PublicJwk, alg: string): Promise<boolean> {
  if (jwk.alg !== undefined && jwk.alg !== alg) return false;
  try {
    await compactVerify(token, await importJWK({ ...jwk }, alg), { algorithms: [alg] });
    return true;
  } catch {
    return false;
  }
}
