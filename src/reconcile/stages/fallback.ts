import type { Segment } from "../../domain/definitions.ts";
import { formatInstant, type Instant } from "../../domain/instant.ts";
import type { PatchOperation } from "../../domain/json-patch.ts";
import type { Outcome } from "../scan/scan.ts";

/** How many workloads of a segment pass, are warned of, fail. */
export type SegmentCounts = Readonly<Record<Outcome, number>>;

/** A segment that falls back to observe by itself. */
export type FallbackAction = {
  readonly do: "fallBack";
  readonly segment: string;
  readonly why: string;
  /** JSON Patch of the status subresource; its first operation tests the UID, so that a segment made anew is left alone. */
  readonly patch: readonly PatchOperation[];
};

/** For how long it must look so, in milliseconds: Pods that come and go make one look unsteady. */
const HOLD_MS = 60_000;
/** Of so few workloads a share says nothing. */
const LEAST = 4;

/**
 * The watchdog over segments in force whose approved spec says `fallback: observe` (product rules, "Enrolment and modes"):
 * where more than half of what runs would not start again, and has looked so for a minute, the segment falls back. It stays
 * so until another generation of it comes into force.
 */
export class FallbackWatch {
  readonly #since = new Map<string, Instant>();

  decide(
    segments: readonly Segment[],
    counts: ReadonlyMap<string, SegmentCounts>,
    now: Instant,
  ): readonly FallbackAction[] {
    const failing = segments.filter((segment) => mayFallBack(segment) && isFailing(counts.get(segment.name)));
    for (const name of this.#since.keys()) if (!failing.some((one) => one.name === name)) this.#since.delete(name);
    return failing.flatMap((segment) => {
      const since = this.#since.get(segment.name) ?? now;
      this.#since.set(segment.name, since);
      const found = counts.get(segment.name);
      return found && now - since >= HOLD_MS ? [fallBack(segment, found, now)] : [];
    });
  }
}

const mayFallBack = ({ fallsBack, mode, approval }: Segment): boolean =>
  fallsBack === true && approval.state === "approved" && (mode === "enforce" || mode === "canary");

const isFailing = (counts: SegmentCounts | undefined): boolean =>
  counts !== undefined && totalOf(counts) >= LEAST && counts.fail * 2 > totalOf(counts);

const totalOf = ({ pass, warn, fail }: SegmentCounts): number => pass + warn + fail;

function fallBack(segment: Segment, counts: SegmentCounts, now: Instant): FallbackAction {
  const why = `${counts.fail} of ${totalOf(counts)} workloads would not start again in mode ${segment.mode}.`;
  const value = { mode: "observe", since: formatInstant(now), why };
  return {
    do: "fallBack",
    segment: segment.name,
    why,
    patch: [
      { op: "test", path: "/metadata/uid", value: segment.uid ?? "" },
      { op: "add", path: "/status/fallback", value },
    ],
  };
}
