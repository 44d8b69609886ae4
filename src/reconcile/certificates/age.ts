import type { Instant } from "../../domain/instant.ts";

/**
 * How long a request has waited, in milliseconds. The API server says in whole seconds when it was made: one that was seen
 * within that second, or by a clock that is slow, counts from when it was seen.
 */
export const waited = (made: Instant | undefined, seen: Instant, now: Instant): number =>
  Math.max(0, now - (made !== undefined && seen - made >= 1000 ? made : seen));
