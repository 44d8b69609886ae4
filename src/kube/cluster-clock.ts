import type { Instant } from "../domain/instant.ts";
import type { Clock } from "./clock.ts";

/** The API server's time: what its answers say, carried on by a clock that never jumps. */
export type ClusterClock = {
  /** Hears the Date header of an answer (RFC 9110 §6.6.1); one that cannot be read says nothing. */
  readonly heard: (date: string | undefined) => void;
  /** The API server's time now; this machine's before the first answer. */
  readonly now: () => Instant;
};

/** A Date header is cut to whole seconds, and an answer takes its time: an estimate that is off by less stays as it is. */
const SLACK_MS = 2_000;

/**
 * The API server decides whether a certificate's beginning is near enough to now (certificates.k8s.io: five minutes), and all
 * nodes go by it. So certificates are dated by its time: a replica whose own clock is minutes off, or jumps by a day, issues on.
 */
export function makeClusterClock({ wall, monotonic }: Pick<Clock, "wall" | "monotonic">): ClusterClock {
  let offset: number | undefined;
  const now = (): Instant => (offset === undefined ? wall() : Math.floor(monotonic() + offset));
  return {
    now,
    heard: (date) => {
      const at = date === undefined ? Number.NaN : Date.parse(date);
      if (Number.isNaN(at)) return;
      const off = offset === undefined ? Number.POSITIVE_INFINITY : monotonic() + offset - at;
      if (off < 0 || off > SLACK_MS) offset = at - monotonic();
    },
  };
}
