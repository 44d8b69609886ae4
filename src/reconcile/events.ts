import type { Instant } from "../domain/instant.ts";
import type { Problem } from "../domain/problem.ts";
import type { ProblemCode } from "../domain/problem-codes.ts";
import type { Workload } from "../domain/workload.ts";
import type { EndedException } from "./pods/ended-exceptions.ts";
import type { PodAction } from "./pods/missed.ts";

/** One Event to be written beside an object, so that `kubectl describe` shows it. */
export type EventAction = {
  readonly do: "emitEvent";
  readonly regarding: {
    /** Left out: v1. */
    readonly apiVersion?: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
  };
  readonly type: "Normal" | "Warning";
  /** One CamelCase word, at most 128 characters. */
  readonly reason: string;
  /** What Signet did, CamelCase. */
  readonly action: "Admission" | "Reconcile" | "Certificate";
  /** At most 1,024 characters (events.k8s.io/v1 Event.note). */
  readonly note: string;
};

const MAX_NOTE = 1024;

/** `ROLE_NONE` as `RoleNone`. */
export const reasonOfCode = (code: ProblemCode): string =>
  code
    .toLowerCase()
    .split("_")
    .map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`)
    .join("");

const noteOf = (text: string): string => (text.length <= MAX_NOTE ? text : `${text.slice(0, MAX_NOTE - 1)}…`);

/**
 * The Event that tells a controller's owner why its Pod was refused: whoever applied the Deployment never sees the refusal.
 * Undefined for a Pod without a controller (its creator was told) and where the owner was told often enough.
 */
export function refusalEvent(
  budget: EventBudget,
  { namespace, owner, object }: Workload,
  problems: readonly Problem[],
  now: Instant,
): EventAction | undefined {
  const [first] = problems;
  if (!owner || owner.uid === "" || !first || !budget.take(owner.uid, now)) return undefined;
  const lines = problems.map(({ message, mend }) => (mend === undefined ? message : `${message} ${mend}`));
  return {
    do: "emitEvent",
    regarding: { kind: owner.kind, namespace, name: owner.name, uid: owner.uid },
    type: "Warning",
    reason: reasonOfCode(first.code),
    action: "Admission",
    note: noteOf(`${object.kind} ${object.name} was refused: ${lines.join(" ")}`),
  };
}

/** The Event on a running Pod that was reported or flagged; undefined where it was told often enough. */
export function podEvent(
  budget: EventBudget,
  { object, code, why }: PodAction | EndedException,
  now: Instant,
): EventAction | undefined {
  if (!budget.take(object.uid, now)) return undefined;
  const { kind, namespace, name, uid } = object;
  return {
    do: "emitEvent",
    regarding: { kind, namespace, name, uid },
    type: "Warning",
    reason: reasonOfCode(code),
    action: "Reconcile",
    note: noteOf(why),
  };
}

/** How many Events an object may get: so many at once, then one each period. */
export type EventLimits = { readonly burst: number; readonly periodMs: number; readonly objects: number };

/** Three at once, then one a minute; of ten thousand objects at most. */
export const DEFAULT_EVENT_LIMITS: EventLimits = { burst: 3, periodMs: 60_000, objects: 10_000 };

/** Token buckets by UID. The object that was quiet longest is forgotten first, and begins anew with a full bucket. */
export class EventBudget {
  readonly #limits: EventLimits;
  readonly #buckets = new Map<string, { readonly tokens: number; readonly at: Instant }>();

  constructor(limits: EventLimits = DEFAULT_EVENT_LIMITS) {
    this.#limits = limits;
  }

  /** Whether an Event may be written about the object now; if so it is counted. A clock that steps back gives nothing. */
  take(uid: string, now: Instant): boolean {
    const { burst, periodMs, objects } = this.#limits;
    const { tokens, at } = this.#buckets.get(uid) ?? { tokens: burst, at: now };
    const filled = Math.min(burst, tokens + Math.max(0, now - at) / periodMs);
    const taken = filled >= 1;
    this.#buckets.delete(uid);
    this.#buckets.set(uid, { tokens: taken ? filled - 1 : filled, at: Math.max(at, now) });
    const [quietest] = this.#buckets.keys();
    if (this.#buckets.size > objects && quietest !== undefined) this.#buckets.delete(quietest);
    return taken;
  }
}
