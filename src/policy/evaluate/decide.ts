import type { Direction } from "../model/policy.ts";
import { holds } from "../sets/intervals.ts";
import { type BoundRule, type ClassId, type Evaluator, meansPort } from "./evaluator.ts";
import { actionOf, type Because } from "./slices.ts";

/** How one door treats one port, and why. */
export type DoorVerdict = {
  readonly allowed: boolean;
  readonly passes: readonly BoundRule[];
  readonly because: Because;
};

/** Whether one port is open from a source to a destination: both doors must let it through. */
export type Verdict = { readonly allowed: boolean; readonly egress: DoorVerdict; readonly ingress: DoorVerdict };

/** Decides one port without computing all others: the hot path. `key` is that of port-set's portKey. */
export function decide(evaluator: Evaluator, source: ClassId, destination: ClassId, key: number): Verdict {
  const egress = decideDoor(evaluator, source, destination, "egress", key);
  const ingress = decideDoor(evaluator, destination, source, "ingress", key);
  return { allowed: egress.allowed && ingress.allowed, egress, ingress };
}

const DEFAULT: DoorVerdict = { allowed: true, passes: [], because: { kind: "default" } };

function decideDoor(
  evaluator: Evaluator,
  subject: ClassId,
  other: ClassId,
  direction: Direction,
  key: number,
): DoorVerdict {
  const door = evaluator.door(subject, direction);
  if (!door) return DEFAULT;
  const destination = direction === "egress" ? other : subject;
  const first = firstRule(door.admin, other, destination, key);
  if (first && !first.pass) return ruled(first.allowed, [], [first.bound]);
  const passes = first ? [first.bound] : [];
  if (door.network.length > 0) {
    for (const { rules } of door.network)
      for (const bound of rules)
        if (bound.match(other) === "yes" && meansPort(bound, destination, key)) return ruled(true, passes, [bound]);
    const by = door.network.map(({ policy, rules }) => ({
      policy,
      near: rules.filter((bound) => bound.match(other) === "yes"),
    }));
    return { allowed: false, passes, because: { kind: "isolated", by } };
  }
  const last = firstRule(door.baseline, other, destination, key);
  if (last && !last.pass) return ruled(last.allowed, passes, [last.bound]);
  return passes.length === 0 && !last
    ? DEFAULT
    : { allowed: true, passes: last ? [...passes, last.bound] : passes, because: DEFAULT.because };
}

const ruled = (allowed: boolean, passes: readonly BoundRule[], rules: readonly BoundRule[]): DoorVerdict => ({
  allowed,
  passes,
  because: { kind: "rules", rules },
});

type First = { readonly bound: BoundRule; readonly allowed: boolean; readonly pass: boolean };

/** The first rule of an ordered tier that means the other end and the port. */
function firstRule(rules: readonly BoundRule[], other: ClassId, destination: ClassId, key: number): First | undefined {
  for (const bound of rules) {
    const action = actionOf(bound, other);
    if (action !== undefined && holds(bound.ports(destination), key))
      return { bound, allowed: action === "allow", pass: action === "pass" };
  }
  return undefined;
}
