import type { IssuerFacts, LeafProfile, Window } from "../domain/certificate.ts";
import { formatInstant, type Instant } from "../domain/instant.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import type { Entitlement } from "./entitlement.ts";

/** How long a leaf may live, asked and allowed, in seconds from notBefore to notAfter. */
export type LifetimeWish = { readonly asked?: number | undefined; readonly entitled: Entitlement["maxTtlSeconds"] };

/**
 * The window of a new leaf: it begins a little before now, lives for the least of what was asked, entitled and profiled, and
 * never begins before its issuer or ends after it. Refuses with AUTHORITY_UNAVAILABLE where the issuer leaves too little,
 * and with TTL_TOO_SHORT where the request does.
 */
export function leafWindow(
  profile: LeafProfile,
  issuer: IssuerFacts,
  { asked, entitled }: LifetimeWish,
  now: Instant,
): Result<Window> {
  const start = wholeSeconds(Math.max(now - profile.backdateSeconds * 1000, issuer.window.notBefore));
  const wish = Math.floor(Math.min(asked ?? entitled, entitled, profile.maxTtlSeconds));
  if (!(wish >= profile.minTtlSeconds)) return tooShort(wish, profile);
  const end = Math.min(start + wish * 1000, wholeSeconds(issuer.window.notAfter));
  if (now < issuer.window.notBefore || end - start < profile.minTtlSeconds * 1000) return endsTooSoon(issuer);
  return ok({ notBefore: start, notAfter: end });
}

const wholeSeconds = (at: Instant): Instant => Math.floor(at / 1000) * 1000;

const tooShort = (wish: number, profile: LeafProfile): Result<never> =>
  refuse(
    "TTL_TOO_SHORT",
    "ttlSeconds",
    `A lifetime of ${wish} s is shorter than profile ${profile.name} allows, ${profile.minTtlSeconds} s.`,
    "Ask for a longer lifetime, or none; maxTTL of role, segment and trust domain limit it too.",
  );

const endsTooSoon = ({ keyId, window }: IssuerFacts): Result<never> =>
  refuse(
    "AUTHORITY_UNAVAILABLE",
    "",
    `Authority ${keyId.slice(0, 16)} holds from ${formatInstant(window.notBefore)} to ${formatInstant(window.notAfter)}: too short for a certificate now.`,
    "Rotate the authority: `signet ca rotate`; `signet ca status` shows where it stands.",
  );
