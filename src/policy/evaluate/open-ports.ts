import { intersect, subtract, unite } from "../sets/intervals.ts";
import { ALL_PORTS, NO_PORTS, type PortSet } from "../sets/port-set.ts";
import { type BoundRule, type ClassId, type Door, type Ends, endsOf, type Evaluator } from "./evaluator.ts";
import { actionOf } from "./slices.ts";

/** The ports on which `source` reaches `destination`: both doors must let them through. No reasons, so it is quick. */
export function allowedPorts(evaluator: Evaluator, source: ClassId, destination: ClassId): PortSet {
  const out = openAt(evaluator.door(source, "egress"), endsOf("egress", source, destination));
  if (out.length === 0) return out;
  return intersect(out, openAt(evaluator.door(destination, "ingress"), endsOf("ingress", destination, source)));
}

/** The ports that one door lets through; an end outside has no door. */
function openAt(door: Door | undefined, ends: Ends): PortSet {
  if (!door) return ALL_PORTS;
  const admin = walkTier(door.admin, ALL_PORTS, ends);
  if (admin.left.length === 0) return admin.allowed;
  if (door.network.length > 0) return unite(admin.allowed, intersect(admin.left, openedByNetwork(door, ends)));
  const baseline = walkTier(door.baseline, admin.left, ends);
  return unite(admin.allowed, unite(baseline.allowed, baseline.left));
}

/** What an ordered tier allows, and what it leaves to the next: never matched, or passed on. */
function walkTier(rules: readonly BoundRule[], entering: PortSet, { other, destination }: Ends) {
  let [open, allowed, passed] = [entering, NO_PORTS, NO_PORTS];
  for (const bound of rules) {
    const action = actionOf(bound, other);
    if (action === undefined) continue;
    const hit = intersect(open, bound.ports(destination));
    if (hit.length === 0) continue;
    open = subtract(open, hit);
    if (action === "allow") allowed = unite(allowed, hit);
    if (action === "pass") passed = unite(passed, hit);
  }
  return { allowed, left: unite(open, passed) };
}

function openedByNetwork({ network }: Door, { other, destination }: Ends): PortSet {
  let open = NO_PORTS;
  for (const { rules } of network)
    for (const bound of rules) if (bound.match(other) === "yes") open = unite(open, bound.ports(destination));
  return open;
}
