import type { Direction, Policy } from "../model/policy.ts";
import { intersect, subtract, unite } from "../sets/intervals.ts";
import { ALL_PORTS, NO_PORTS, type PortSet } from "../sets/port-set.ts";
import { type BoundRule, type ClassId, type Door, type Ends, endsOf, type Evaluator } from "./evaluator.ts";

/** Why a door lets ports through or not. */
export type Because =
  /** A rule of a tier decided, or (NetworkPolicy) the first allowing rule of each policy that allows. */
  | { readonly kind: "rules"; readonly rules: readonly BoundRule[] }
  /** NetworkPolicies select the workload, and none has a rule for this. */
  | {
      readonly kind: "isolated";
      readonly by: readonly { readonly policy: Policy; readonly near: readonly BoundRule[] }[];
    }
  /** Nothing says anything: Kubernetes allows. */
  | { readonly kind: "default" };

/** A set of ports that one door treats alike, and why; `passes` are the rules that led out of a tier before. */
export type Slice = {
  readonly ports: PortSet;
  readonly allowed: boolean;
  readonly passes: readonly BoundRule[];
  readonly because: Because;
};

type Pending = { readonly ports: PortSet; readonly passes: readonly BoundRule[] };

const OPEN: readonly Slice[] = [{ ports: ALL_PORTS, allowed: true, passes: [], because: { kind: "default" } }];

/**
 * All ports, parted by how one door of `subject` treats them when `other` stands at the far end. An outside subject has
 * no door: everything is let through.
 */
export function sliceDoor(
  evaluator: Evaluator,
  subject: ClassId,
  other: ClassId,
  direction: Direction,
): readonly Slice[] {
  const door = evaluator.door(subject, direction);
  if (!door) return OPEN;
  const ends = endsOf(direction, subject, other);
  const done: Slice[] = [];
  const leftByAdmin = walkTier(door.admin, [{ ports: ALL_PORTS, passes: [] }], ends, done);
  if (door.network.length > 0) {
    for (const pending of leftByAdmin) done.push(...sliceNetwork(door, pending, ends));
    return done;
  }
  for (const { ports, passes } of walkTier(door.baseline, leftByAdmin, ends, done))
    done.push({ ports, allowed: true, passes, because: { kind: "default" } });
  return done;
}

/** Walks an ordered tier; decided ports go to `done`, what is passed on or never matched is given back. */
function walkTier(
  rules: readonly BoundRule[],
  entering: readonly Pending[],
  { other, destination }: Ends,
  done: Slice[],
): readonly Pending[] {
  let open = entering;
  const passed: Pending[] = [];
  for (const bound of rules) {
    const action = actionOf(bound, other);
    if (action === undefined) continue;
    const ports = bound.ports(destination);
    const left: Pending[] = [];
    for (const pending of open) {
      const hit = intersect(pending.ports, ports);
      const rest = hit.length === 0 ? pending.ports : subtract(pending.ports, hit);
      if (rest.length > 0) left.push({ ...pending, ports: rest });
      if (hit.length === 0) continue;
      if (action === "pass") passed.push({ ports: hit, passes: [...pending.passes, bound] });
      else
        done.push({
          ports: hit,
          allowed: action === "allow",
          passes: pending.passes,
          because: { kind: "rules", rules: [bound] },
        });
    }
    open = left;
  }
  return [...open, ...passed];
}

/**
 * What the rule does to the other end, undefined where it does nothing. Where a match is not certain, an allowing rule
 * matches nothing and any other denies (ClusterNetworkPolicy API: unknown peers fail closed).
 */
export function actionOf(bound: BoundRule, other: ClassId): "allow" | "deny" | "pass" | undefined {
  const match = bound.match(other);
  if (match === "no") return undefined;
  if (match === "yes") return bound.rule.action;
  return bound.rule.action === "allow" ? undefined : "deny";
}

/**
 * NetworkPolicies decide together: parts what is left by which policies allow it, each by its first rule that does; what
 * none allows is denied.
 */
function sliceNetwork(door: Door, entering: Pending, { other, destination }: Ends): readonly Slice[] {
  const { passes } = entering;
  const by = door.network.map(({ policy, rules }) => ({
    policy,
    near: rules.filter((bound) => bound.match(other) === "yes"),
  }));
  let parts: readonly Part[] = [{ ports: entering.ports, rules: [] }];
  for (const { near } of by) {
    let undecided = parts;
    const decided: Part[] = [];
    for (const bound of near) {
      const ports = bound.ports(destination);
      decided.push(
        ...undecided.map((part) => ({ ports: intersect(part.ports, ports), rules: [...part.rules, bound] })),
      );
      undecided = undecided.map((part) => ({ ...part, ports: subtract(part.ports, ports) }));
    }
    parts = [...decided, ...undecided].filter((part) => part.ports.length > 0);
  }
  return parts.map(({ ports, rules }) => {
    const because: Because = rules.length > 0 ? { kind: "rules", rules } : { kind: "isolated", by };
    return { ports, allowed: rules.length > 0, passes, because };
  });
}

type Part = { readonly ports: PortSet; readonly rules: readonly BoundRule[] };

/** The ports that one door lets through. */
export const openPorts = (slices: readonly Slice[]): PortSet =>
  slices.reduce<PortSet>((ports, slice) => (slice.allowed ? unite(ports, slice.ports) : ports), NO_PORTS);

/** The ports on which `source` reaches `destination`: both doors must let them through. No reasons, so it is quick. */
export function allowedPorts(evaluator: Evaluator, source: ClassId, destination: ClassId): PortSet {
  const out = openAt(evaluator.door(source, "egress"), endsOf("egress", source, destination));
  if (out.length === 0) return out;
  return intersect(out, openAt(evaluator.door(destination, "ingress"), endsOf("ingress", destination, source)));
}

/** The ports that one door lets through; an end outside has no door. */
function openAt(door: Door | undefined, ends: Ends): PortSet {
  if (!door) return ALL_PORTS;
  const admin = passTier(door.admin, ALL_PORTS, ends);
  if (admin.left.length === 0) return admin.allowed;
  if (door.network.length > 0) return unite(admin.allowed, intersect(admin.left, openedByNetwork(door, ends)));
  const baseline = passTier(door.baseline, admin.left, ends);
  return unite(admin.allowed, unite(baseline.allowed, baseline.left));
}

/** What an ordered tier allows, and what it leaves to the next: never matched, or passed on. */
function passTier(rules: readonly BoundRule[], entering: PortSet, { other, destination }: Ends) {
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

/**
 * Whether what has no ports, such as a message of ICMP, passes from `source` to `destination`: a rule that names ports does
 * not mean it. So where only ports are denied it passes, and where only ports are allowed it does not.
 */
export const passesPortless = (evaluator: Evaluator, source: ClassId, destination: ClassId): boolean =>
  letsPortless(evaluator.door(source, "egress"), destination) &&
  letsPortless(evaluator.door(destination, "ingress"), source);

function letsPortless(door: Door | undefined, other: ClassId): boolean {
  if (!door) return true;
  const admin = portlessIn(door.admin, other);
  if (admin === "allow" || admin === "deny") return admin === "allow";
  if (door.network.length === 0) return portlessIn(door.baseline, other) !== "deny";
  return door.network.some(({ rules }) =>
    rules.some((bound) => bound.rule.ports === "all" && bound.match(other) === "yes"),
  );
}

/** What an ordered tier does to what has no ports. */
const portlessIn = (rules: readonly BoundRule[], other: ClassId): ReturnType<typeof actionOf> =>
  rules
    .filter(({ rule }) => rule.ports === "all")
    .map((bound) => actionOf(bound, other))
    .find((action) => action !== undefined);
