import type { Instant } from "../../../domain/instant.ts";
import { livingRoots, type Standing } from "../../../reconcile/federation/standing.ts";
import type { FederationReadings } from "../../../http/services.ts";

/** How the domains that are fetched stand, each by the name of its TrustDomain. */
export function figuresOf(
  domains: readonly { readonly name: string; readonly standing: Standing }[],
  now: Instant,
): Omit<FederationReadings, "refreshes"> {
  const states = domains.map(({ standing }) => stateOf(standing, now));
  const count = (state: (typeof states)[number]): number => states.filter((each) => each === state).length;
  const held = domains.flatMap(({ name, standing }) => (standing.held ? [{ name, held: standing.held }] : []));
  return {
    domains: { fetched: count("fetched"), failing: count("failing"), missing: count("missing") },
    ages: new Map(held.map(({ name, held: { fetchedAt } }) => [name, (now - fetchedAt) / 1000])),
    ends: new Map(
      held
        .filter(({ held: { roots } }) => roots.length > 0)
        .map(({ name, held: { roots } }) => [name, Math.max(...roots.map(({ notAfter }) => notAfter))]),
    ),
  };
}

/** missing: nothing is published of it; failing: the last look brought nothing, and the bundle before stays. */
function stateOf({ held, failure }: Standing, now: Instant): "fetched" | "failing" | "missing" {
  if (livingRoots(held, now).length === 0) return "missing";
  return failure ? "failing" : "fetched";
}
