import type { Exception } from "../../domain/definitions.ts";
import { formatInstant, type Instant } from "../../domain/instant.ts";
import type { Approvable, Condition } from "../../wire/definitions/approvable.ts";
import type { EventAction } from "../events.ts";
import { type Outcome, type Said, said } from "./conditions.ts";

const DAY_MS = 86_400_000;

/** How near the end is, nearest first: the reason of the condition Ending while fewer milliseconds are left. */
const NEARNESS: readonly { readonly within: number; readonly reason: string }[] = [
  { within: 0, reason: "Ended" },
  { within: DAY_MS, reason: "WithinADay" },
  { within: 7 * DAY_MS, reason: "WithinAWeek" },
];

/**
 * The conditions that tell of an exception's end, while one of its generations is in force: Ending a week and a day before,
 * and RunsBeyondEnd while Pods run that only it had let in.
 */
export function countdown(
  { inForce, exception }: Outcome & { readonly exception: Exception },
  beyond: ReadonlyMap<string, number> | undefined,
  now: Instant,
): readonly Said[] {
  const pods = beyond?.get(`${exception.namespace}/${exception.name}`) ?? 0;
  const runs = pods === 0 ? [] : [said("RunsBeyondEnd", true, "PodsRun", runsText(pods))];
  return inForce ? [ending(exception, now), ...runs] : runs;
}

function ending({ expires }: Exception, now: Instant): Said {
  const near = NEARNESS.find(({ within }) => expires - now <= within);
  const when = formatInstant(expires);
  if (!near) return said("Ending", false, "Later", `It ends at ${when}.`);
  const sentence =
    near.within === 0 ? `It ended at ${when}.` : `It ends at ${when}; extend it, or mend what it is for.`;
  return said("Ending", true, near.reason, sentence);
}

const runsText = (pods: number): string =>
  `${pods === 1 ? "1 Pod runs" : `${pods} Pods run`} only because of it; the next start is refused.`;

/** The Event at each step of the countdown; undefined where the step was told before. The condition is its memory. */
export function countdownEvent(
  { object, conditions: before }: Approvable,
  conditions: readonly Condition[],
): EventAction | undefined {
  const find = (all: readonly Condition[]) => all.find(({ type }) => type === "Ending");
  const now = find(conditions);
  if (object.kind !== "SegmentException" || now?.status !== "True" || find(before)?.reason === now.reason)
    return undefined;
  const { apiVersion, kind, namespace, name, uid } = object;
  return {
    do: "emitEvent",
    regarding: { apiVersion, kind, namespace, name, uid },
    type: now.reason === "Ended" ? "Warning" : "Normal",
    reason: `Exception${now.reason}`,
    action: "Reconcile",
    note: now.message,
  };
}
