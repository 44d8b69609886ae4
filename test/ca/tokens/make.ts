import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { composeSpiffeId } from "../../../src/domain/spiffe-id.ts";
import { TokenPlan, type TokenWish } from "../../../src/identity/token-plan.ts";
import type { TrustBundle } from "../../../src/wire/trust-bundle.ts";
import { must } from "../../fakes/judging.ts";

/** 2026-12-01T00:00:00Z. */
export const NOW = Date.UTC(2026, 11, 1);

/** The identity that these tests speak of. */
export const ORDERS = must(composeSpiffeId("prod.example.org", "payments", "orders"));

/** A plan for the identity, a token of at most an hour. */
export const planFor = (wish: TokenWish = { audiences: ["shop"] }): TokenPlan =>
  must(TokenPlan.for({ spiffeId: ORDERS, now: NOW, id: "t-1", maxTtlSeconds: 3600 }, wish));

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A key of somebody's, with what a bundle says of it. */
export function pair(kid: string) {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { kty = "", crv = "", x = "", y = "" } = publicKey.export({ format: "jwk" });
  return { privateKey, jwk: { kty, crv, x, y, kid } };
}

/** A token written by hand: whatever header and claims, signed as ES256. */
export function handMade(key: KeyObject, header: object, claims: object | string): string {
  const body = typeof claims === "string" ? Buffer.from(claims).toString("base64url") : base64url(claims);
  const text = `${base64url(header)}.${body}`;
  const signature = sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}

/** Bundles by trust domain. */
export const bundles =
  (byDomain: Readonly<Record<string, TrustBundle>>) =>
  (domain: string): TrustBundle | undefined =>
    Object.hasOwn(byDomain, domain) ? byDomain[domain] : undefined;
