import { CompactSign, compactVerify, errors } from "jose";
import { ok, refuse, type Result } from "../../domain/problem.ts";
import { GRANT_TYPE } from "../../wire/grant.ts";
import type { GrantKey } from "./grant-key.ts";

/** Signs the payload of a grant: one JWS in compact form (RFC 7515 §3.1), ES256 and nothing else. */
export const signGrant = ({ id, key }: GrantKey, payload: string): Promise<string> =>
  new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ alg: "ES256", typ: GRANT_TYPE, kid: id })
    .sign(key);

/** A payload that one of the keys signed, byte for byte, and which. */
export type SignedGrant = { readonly payload: string; readonly signer: string };

/** Verifies a grant by the keys that are trusted; the key is the one that the header names, and never one that it brings. */
export async function verifyGrant(jws: string, keys: readonly GrantKey[]): Promise<Result<SignedGrant>> {
  const trusted: { id: string } = { id: "" };
  try {
    const { payload } = await compactVerify(
      jws.trim(),
      ({ kid }) => {
        const found = keys.find(({ id }) => id === kid);
        if (!found) throw new errors.JWSSignatureVerificationFailed("the key is not one of those trusted");
        trusted.id = found.id;
        return found.key;
      },
      { algorithms: ["ES256"], crit: {} },
    ).then((verified) => {
      if (verified.protectedHeader.typ !== GRANT_TYPE) throw new errors.JWSInvalid("it is a token for something else");
      return verified;
    });
    return ok({ payload: new TextDecoder("utf-8", { fatal: true }).decode(payload), signer: trusted.id });
  } catch (fault) {
    if (fault instanceof errors.JOSEError || fault instanceof TypeError)
      return refuse("GRANT_UNTRUSTED", "", `The signature does not count: ${fault.message}.`, MEND);
    throw fault;
  }
}

const MEND = "Name the public keys of those who may grant with --grant-keys, or have it signed by one of them.";
