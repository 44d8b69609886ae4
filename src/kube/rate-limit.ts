import { type Clock, sleep } from "./clock.ts";

/** Requests a second over time, and how many may go at once. */
export type RateLimit = { readonly perSecond: number; readonly burst: number };

/**
 * High on purpose: the API server's own priority and fairness decides who waits; this only keeps a runaway loop of ours
 * from being one.
 */
export const DEFAULT_RATE_LIMIT: RateLimit = { perSecond: 1000, burst: 2000 };

/** Resolves when the next request may go; in the order in which it was called. */
export type Turn = (signal: AbortSignal) => Promise<void>;

/** A token bucket: callers reserve a place in time and wait until it comes. */
export function makeRateLimit(clock: Clock, limit: RateLimit = DEFAULT_RATE_LIMIT): Turn {
  const stepMs = 1000 / limit.perSecond;
  const slackMs = stepMs * limit.burst;
  let nextFree = Number.NEGATIVE_INFINITY;
  return async (signal) => {
    const now = clock.monotonic();
    nextFree = Math.max(nextFree + stepMs, now - slackMs + stepMs);
    if (nextFree > now) await sleep(clock, nextFree - now, signal);
  };
}
