/** How long to wait between attempts, in milliseconds. */
export type BackoffLimits = { readonly firstMs: number; readonly mostMs: number };

/** Waits between attempts that never end: 0.8 s at first, 30 s at most. */
export const DEFAULT_BACKOFF: BackoffLimits = { firstMs: 800, mostMs: 30_000 };

/** The next wait after a failure, and the way back to the first one after a success. */
export type Backoff = { readonly next: () => number; readonly reset: () => void };

/**
 * Decorrelated jitter: each wait is drawn between the first and three times the last one, so that replicas which failed
 * together don't come back together. There is no last attempt.
 */
export function makeBackoff(random: () => number, limits: BackoffLimits = DEFAULT_BACKOFF): Backoff {
  const { firstMs, mostMs } = limits;
  let last = firstMs;
  return {
    next: () => {
      last = Math.min(mostMs, firstMs + random() * (last * 3 - firstMs));
      return last;
    },
    reset: () => {
      last = firstMs;
    },
  };
}
