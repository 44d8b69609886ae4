import { makeGrantKey, readGrantKey, readGrantKeys } from "../ca/grants/grant-key.ts";
import { type SignedGrant, signGrant, verifyGrant } from "../ca/grants/sign-grant.ts";
import { ok, type Result } from "../domain/problem.ts";

/** A new key for grants, both halves as texts. */
export const makeKeys = makeGrantKey;

/** Signs a payload with the private key that the text holds. */
export async function sign(keyText: string, payload: string): Promise<Result<string>> {
  const key = await readGrantKey(keyText);
  return key.ok ? ok(await signGrant(key.value, payload)) : key;
}

/** Verifies a grant by the public keys that the text holds. */
export async function verify(jws: string, keysText: string): Promise<Result<SignedGrant>> {
  const keys = await readGrantKeys(keysText);
  return keys.ok ? verifyGrant(jws, keys.value) : keys;
}
