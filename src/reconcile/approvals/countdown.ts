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

/** The condition that tells of an exception's end a week and a day before, while one of its generations is in force. */
export const countdown = (
  { inForce, exception }: Outcome & { readonly exception: Exception },
  now: Instant,
): readonly Said[] => (inForce ? [ending(exception, now)] : []);

function ending({ expires }: Exception, now: Instant): Said {
  const near = NEARNESS.find(({ within }) => expires - now <= within);
  const when = formatInstant(expires);
  if (!near) return said("Ending", false, "Later", `It ends at ${when}.`);
  const sentence =
    near.within === 0 ? `It ended at ${when}.` : `It ends at ${when}; extend it, or mend what it is for.`;
  return said("Ending", true, near.reason, sentence);
}

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
