import type { Profiles } from "../../domain/certificate.ts";
import { PACE, type Pace } from "../../reconcile/authority/pace.ts";
import type { AuthoritiesConfig } from "../../wire/authorities-config.ts";

/** How fast a rotation goes: by what is configured, by the profile's longest leaf, and by the trust domain's. */
export function paceOf(
  { settleMs = PACE.settleMs }: AuthoritiesConfig,
  { leaf }: Profiles,
  trustDomain: { readonly leafMaxTtlSeconds: number } | undefined,
): Pace {
  const longestLeafMs = leaf.maxTtlSeconds * 1000;
  const usualLeafMs = Math.min(longestLeafMs, (trustDomain?.leafMaxTtlSeconds ?? leaf.maxTtlSeconds) * 1000);
  return { ...PACE, settleMs, longestLeafMs, usualLeafMs };
}
