import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from "jose";
import { ok, refuse, type Result } from "../../domain/problem.ts";

/** What a key for grants says it is for, so that no key of a CA signs grants and no key for grants anything else. */
const PURPOSE = "signet-grant";

/** A new key: the private half for one file that only its owner reads, the public half for all who verify. */
export type NewGrantKey = { readonly privateKey: string; readonly publicKeys: string };

/** Makes a key for grants (ECDSA P-256); its name is its thumbprint (RFC 7638). */
export async function makeGrantKey(): Promise<NewGrantKey> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await exportJWK(privateKey);
  const { d: _secret, ...open } = { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: "ES256", use: PURPOSE };
  return {
    privateKey: `${JSON.stringify({ ...open, d: jwk.d })}\n`,
    publicKeys: `${JSON.stringify({ keys: [open] }, null, 2)}\n`,
  };
}

/** A key that signs or verifies grants, and its name. */
export type GrantKey = { readonly id: string; readonly key: CryptoKey };

/** Reads the private half. Never says what stands in the file. */
export async function readGrantKey(text: string): Promise<Result<GrantKey>> {
  const jwk = jwkOf(text);
  if (jwk?.d === undefined) return refuse("GRANT_UNREADABLE", "--key", "That is no private key for grants.", MAKE);
  const [key] = await imported([jwk]);
  return key ? ok(key) : refuse("GRANT_UNREADABLE", "--key", "That is no private key for grants.", MAKE);
}

/** Reads public keys, a JWK Set (RFC 7517 §5). A private key among them, or one for anything else, refuses all. */
export async function readGrantKeys(text: string): Promise<Result<readonly GrantKey[]>> {
  const jwks = jwksOf(text);
  const keys = jwks.some(({ d }) => d !== undefined) ? [] : await imported(jwks);
  if (keys.length > 0 && keys.length === jwks.length) return ok(keys);
  return refuse("GRANT_UNREADABLE", "--grant-keys", "That is no set of public keys for grants.", MAKE);
}

const MAKE = "`signet exceptions keygen --out FILE` makes both halves.";

const imported = async (jwks: readonly JWK[]): Promise<readonly GrantKey[]> =>
  (await Promise.all(jwks.map(importOne)).catch(() => [])).flat();

/** Nothing where the key is for something else, or goes by another's name. */
async function importOne({ use, kid, ...jwk }: JWK): Promise<readonly GrantKey[]> {
  if (use !== PURPOSE || kid === undefined || kid !== (await calculateJwkThumbprint(jwk))) return [];
  const key = await importJWK(jwk, "ES256");
  return key instanceof Uint8Array ? [] : [{ id: kid, key }];
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const isJwk = (value: unknown): value is JWK => typeof value === "object" && value !== null && "kty" in value;

const jwkOf = (text: string): JWK | undefined => {
  const value = parsed(text);
  return isJwk(value) ? value : undefined;
};

function jwksOf(text: string): readonly JWK[] {
  const value = parsed(text);
  if (typeof value !== "object" || value === null || !("keys" in value) || !Array.isArray(value.keys)) return [];
  const keys: readonly unknown[] = value.keys;
  return keys.every(isJwk) ? keys : [];
}
