import { type JsonWebKey, X509Certificate } from "node:crypto";
import { ok, refuse, refuseAll, type Result } from "../domain/problem.ts";
import { type PublicJwk, readTrustBundle } from "../wire/trust-bundle.ts";
import type { AuthorityCertificate } from "./authority.ts";
import { readAuthority } from "./read-authority.ts";

/** What another trust domain publishes of itself, read whole: its authorities and token keys, and what it says of the document. */
export type ForeignBundle = {
  readonly roots: readonly AuthorityCertificate[];
  /** Keys that sign its JWT-SVIDs; each has a `kid`. */
  readonly jwt: readonly PublicJwk[];
  readonly sequence?: number;
  /** Seconds after which to ask again. */
  readonly refreshHint?: number;
};

/**
 * Reads the bundle of another trust domain (SPIFFE Trust Domain and Bundle §4). Besides what `readTrustBundle` refuses: an entry
 * whose certificate is not base64 to the letter, is no authority of that trust domain (X509-SVID §3), or has another key than
 * the entry says. One wrong entry refuses the whole.
 */
export function readForeignBundle(text: string, trustDomain: string): Result<ForeignBundle> {
  const bundle = readTrustBundle(text);
  if (!bundle.ok) return bundle;
  const { x509, jwt, sequence, refreshHint } = bundle.value;
  const roots = x509.map(({ certificate, key }) =>
    readRoot(Buffer.from(certificate, "base64"), certificate, key, trustDomain),
  );
  const problems = roots.flatMap((root) => (root.ok ? [] : root.problems));
  if (problems.length > 0) return refuseAll(problems);
  return ok({
    roots: roots.flatMap((root) => (root.ok ? [root.value] : [])),
    jwt,
    ...(sequence === undefined ? {} : { sequence }),
    ...(refreshHint === undefined ? {} : { refreshHint }),
  });
}

function readRoot(der: Buffer, text: string, key: PublicJwk, trustDomain: string): Result<AuthorityCertificate> {
  if (der.toString("base64") !== text) return refuse("FIELD_INVALID", "keys", "A certificate in x5c is not base64.");
  const authority = readAuthority(der, trustDomain);
  if (!authority.ok) return authority;
  return isKeyOf(der, key)
    ? authority
    : refuse("AUTHORITY_INVALID", "keys", "The key of an entry is not the key of its certificate.");
}

function isKeyOf(der: Buffer, key: PublicJwk): boolean {
  const found = publicKeyIn(der);
  return found !== undefined && MEMBERS.every((name) => found[name] === key[name]);
}

const MEMBERS = ["kty", "crv", "x", "y", "n", "e"] as const;

/** Undefined where the certificate has a key that cannot be used, or that no JWK can say (other curves, DSA). */
function publicKeyIn(der: Buffer): JsonWebKey | undefined {
  try {
    return new X509Certificate(der).publicKey.export({ format: "jwk" });
  } catch {
    return undefined;
  }
}
