import { type KeyObject, sign } from "node:crypto";
import type { TokenContents, TokenPlan } from "../../identity/token-plan.ts";
import { derToConcat } from "./der-signature.ts";

/** A key that signs tokens: P-256, and the name under which the bundle publishes its public half. */
export type SigningKey = { readonly kid: string; readonly key: KeyObject };

const P256_BYTES = 32;
const headers = new WeakMap<SigningKey, string>();

/**
 * Signs a plan: a JWT-SVID in compact form, ES256, with the headers alg, kid and typ and no other (JWT-SVID §2). A plan that
 * was signed before is a fault.
 */
export function mintToken(plan: TokenPlan, signer: SigningKey): string {
  const text = `${headerOf(signer)}.${claimsOf(plan.redeem())}`;
  const signature = sign("sha256", Buffer.from(text, "latin1"), signer.key);
  return `${text}.${derToConcat(signature, P256_BYTES).toString("base64url")}`;
}

function headerOf(signer: SigningKey): string {
  const known = headers.get(signer);
  if (known !== undefined) return known;
  const made = base64url(JSON.stringify({ alg: "ES256", kid: signer.kid, typ: "JWT" }));
  headers.set(signer, made);
  return made;
}

/** One audience stands as a text, several as a list: verifiers read both (RFC 7519 §4.1.3). */
function claimsOf({ issuer, spiffeId, audiences, expiresAt, issuedAt, id }: TokenContents): string {
  const aud = audiences.length === 1 ? audiences[0] : audiences;
  return base64url(JSON.stringify({ iss: issuer, sub: spiffeId, aud, exp: expiresAt, iat: issuedAt, jti: id }));
}

const base64url = (text: string): string => Buffer.from(text, "utf8").toString("base64url");
