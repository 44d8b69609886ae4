import { remembered } from "../../domain/remembered.ts";
import { type Endpoint, type Inside, isInside } from "../model/endpoint.ts";
import type { Direction, Policy, Rule } from "../model/policy.ts";
import { holds } from "../sets/intervals.ts";
import type { PortSet } from "../sets/port-set.ts";
import { isSubject, type Match, matchPeers } from "./match.ts";
import { portsTowards } from "./ports.ts";

/**
 * The number of a class of endpoints that no policy tells apart: same namespace, labels, ports, addresses. Everything
 * is computed once per class, however many workloads are in it.
 */
export type ClassId = number;

/** A rule with what it means to each class, computed when first asked. */
export type BoundRule = {
  readonly policy: Policy;
  readonly rule: Rule;
  readonly match: (other: ClassId) => Match;
  readonly ports: (destination: ClassId) => PortSet;
};

/** The rules that guard one direction of a class, by tier and in the order in which they are asked. */
export type Door = {
  readonly admin: readonly BoundRule[];
  /** NetworkPolicies that select the class in this direction, each with its rules; with any, all else is denied. */
  readonly network: readonly { readonly policy: Policy; readonly rules: readonly BoundRule[] }[];
  readonly baseline: readonly BoundRule[];
};

/** Who stands at the far end of a door, and which of the two ends is the destination, whose ports are meant. */
export type Ends = { readonly other: ClassId; readonly destination: ClassId };

/** The ends of the flows that a door of `subject` sees when `other` stands at the far end. */
export const endsOf = (direction: Direction, subject: ClassId, other: ClassId): Ends => ({
  other,
  destination: direction === "egress" ? other : subject,
});

/** The policies of one network, compiled for questions about any number of endpoints. */
export type Evaluator = {
  /** The class of an endpoint; a new one if it is unlike all before. */
  readonly classOf: (endpoint: Endpoint) => ClassId;
  /** The endpoint that stands for a class. */
  readonly endpoint: (id: ClassId) => Endpoint;
  /** Undefined for an outside endpoint, which has no doors. */
  readonly door: (id: ClassId, direction: Direction) => Door | undefined;
};

/** Compiles policies. Those of a tier are asked by ascending priority, then in the order of their names. */
export function makeEvaluator(policies: readonly Policy[]): Evaluator {
  const ordered = policies.toSorted(
    (a, b) => a.priority - b.priority || compare(a.name, b.name) || compare(a.namespace ?? "", b.namespace ?? ""),
  );
  const near = nearby(ordered);
  const endpoints: Endpoint[] = [];
  const classes = new Map<string, ClassId>();
  const seen = new WeakMap<Endpoint, ClassId>();
  const doors: Record<Direction, (Door | undefined)[]> = { ingress: [], egress: [] };
  const endpoint = (id: ClassId): Endpoint => {
    const found = endpoints[id];
    if (!found) throw new RangeError(`There is no class ${id}.`);
    return found;
  };
  const bound = new Map<Rule, BoundRule>();
  const bind = (policy: Policy, rule: Rule): BoundRule => {
    const found = bound.get(rule) ?? bindRule(policy, rule, endpoint);
    bound.set(rule, found);
    return found;
  };
  return {
    classOf: (one) => {
      const before = seen.get(one);
      if (before !== undefined) return before;
      const key = classKey(one);
      const id = classes.get(key) ?? endpoints.push(one) - 1;
      classes.set(key, id);
      seen.set(one, id);
      return id;
    },
    endpoint,
    door: (id, direction) => {
      const subject = endpoint(id);
      if (!isInside(subject)) return undefined;
      return (doors[direction][id] ??= makeDoor(near(subject), subject, direction, bind));
    },
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The policies that may have an endpoint as their subject, in their order: those of its namespace, and those of several. */
function nearby(policies: readonly Policy[]): (subject: Inside) => readonly Policy[] {
  const placeOf = ({ subject: { namespaces } }: Policy): string | undefined =>
    "name" in namespaces ? namespaces.name : undefined;
  const byNamespace = Map.groupBy(policies.entries(), ([_place, policy]) => placeOf(policy));
  const wide = byNamespace.get(undefined) ?? [];
  const known = new Map<string, readonly Policy[]>();
  return ({ traits: { namespace } }) => {
    const found =
      known.get(namespace) ??
      [...wide, ...(byNamespace.get(namespace) ?? [])].sort(([a], [b]) => a - b).map(([_place, policy]) => policy);
    known.set(namespace, found);
    return found;
  };
}

function makeDoor(
  policies: readonly Policy[],
  subject: Inside,
  direction: Direction,
  bind: (policy: Policy, rule: Rule) => BoundRule,
): Door {
  const guarding = policies.flatMap((policy) => {
    const rules = policy.rules[direction];
    return rules && isSubject(policy, subject) ? [{ policy, rules: rules.map((rule) => bind(policy, rule)) }] : [];
  });
  const tier = (name: Policy["tier"]) => guarding.filter(({ policy }) => policy.tier === name);
  return {
    admin: tier("admin").flatMap(({ rules }) => rules),
    network: tier("network"),
    baseline: tier("baseline").flatMap(({ rules }) => rules),
  };
}

function bindRule(policy: Policy, rule: Rule, endpoint: (id: ClassId) => Endpoint): BoundRule {
  const matches: (Match | undefined)[] = [];
  const ports: (PortSet | undefined)[] = [];
  const fixed = rule.ports !== "all" && rule.ports.some((port) => port.kind === "named") ? undefined : 0;
  return {
    policy,
    rule,
    match: (other) => (matches[other] ??= matchPeers(policy, rule, endpoint(other))),
    ports: (destination) => (ports[fixed ?? destination] ??= portsTowards(policy, rule, endpoint(destination))),
  };
}

/** Whether the rule means this port towards this destination. */
export const meansPort = (bound: BoundRule, destination: ClassId, key: number): boolean =>
  holds(bound.ports(destination), key);

/** Everything by which a policy can tell an endpoint from others. */
export const classKey = remembered((endpoint: Endpoint): string => {
  if (endpoint.kind === "outside")
    return `outside ${endpoint.addresses.v4.join()} ${endpoint.addresses.v6.map(String).join()}`;
  if (endpoint.kind === "imagined") return `imagined ${endpoint.text}`;
  const { namespace, namespaceLabels, labels, ports, addresses, host, virtualMachine } = endpoint.traits;
  return JSON.stringify([
    namespace,
    sorted(namespaceLabels),
    sorted(labels),
    ports,
    addresses.v4,
    addresses.v6.map(String),
    host ? [sorted(host.labels), host.complete] : null,
    virtualMachine,
  ]);
});

const sorted = (labels: Readonly<Record<string, string>>): readonly (readonly [string, string])[] =>
  Object.entries(labels).sort(([a], [b]) => compare(a, b));
