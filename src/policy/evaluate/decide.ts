import { holds } from "../sets/intervals.ts";
import { type BoundRule, type ClassId, type Door, type Ends, endsOf, type Evaluator, meansPort } from "./evaluator.ts";
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
  const egress = decideDoor(evaluator.door(source, "egress"), endsOf("egress", source, destination), key);
  const ingress = decideDoor(evaluator.door(destination, "ingress"), endsOf("ingress", destination, source), key);
  return { allowed: egress.allowed && ingress.allowed, egress, ingress };
}

const DEFAULT: DoorVerdict = { allowed: true, passes: [], because: { kind: "default" } };

function decideDoor(door: Door | undefined, ends: Ends, key: number): DoorVerdict {
  if (!door) return DEFAULT;
  const first = firstRule(door.admin, ends, key);
  if (first && !first.pass) return ruled(first.allowed, [], [first.bound]);
  const passes = first ? [first.bound] : [];
  return door.network.length > 0 ? byNetwork(door, ends, key, passes) : byBaseline(door, ends, key, passes);
}

/** NetworkPolicies decide together: one allowing rule is enough, else it is denied. */
function byNetwork({ network }: Door, ends: Ends, key: number, passes: readonly BoundRule[]): DoorVerdict {
  for (const { rules } of network)
    for (const bound of rules)
      if (bound.match(ends.other) === "yes" && meansPort(bound, ends.destination, key))
        return ruled(true, passes, [bound]);
  const by = network.map(({ policy, rules }) => ({
    policy,
    near: rules.filter((bound) => bound.match(ends.other) === "yes"),
  }));
  return { allowed: false, passes, because: { kind: "isolated", by } };
}

function byBaseline({ baseline }: Door, ends: Ends, key: number, passes: readonly BoundRule[]): DoorVerdict {
  const last = firstRule(baseline, ends, key);
  if (last && !last.pass) return ruled(last.allowed, passes, [last.bound]);
  if (!last && passes.length === 0) return DEFAULT;
  return { allowed: true, passes: last ? [...passes, last.bound] : passes, because: DEFAULT.because };
}

const ruled = (allowed: boolean, passes: readonly BoundRule[], rules: readonly BoundRule[]): DoorVerdict => ({
  allowed,
  passes,
  because: { kind: "rules", rules },
});

type First = { readonly bound: BoundRule; readonly allowed: boolean; readonly pass: boolean };

/** The first rule of an ordered tier that means the other end and the port. */
function firstRule(rules: readonly BoundRule[], { other, destination }: Ends, key: number): First | undefined {
  for (const bound of rules) {
    const action = actionOf(bound, other);
    if (action !== undefined && holds(bound.ports(destination), key))
      return { bound, allowed: action === "allow", pass: action === "pass" };
  }
  return undefined;
}
