import type { WorkloadEnd } from "../../domain/flow.ts";
import type { PortSpec } from "../../domain/sentences.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import type { Evaluator } from "../evaluate/evaluator.ts";
import { isSubject, matchPeers } from "../evaluate/match.ts";
import { portsTowards } from "../evaluate/ports.ts";
import type { Intent } from "../intent/intent.ts";
import { meansEnd } from "../intent/match-end.ts";
import { contradiction, enclosureOf } from "../intent/pair.ts";
import { portNamed } from "../intent/passages.ts";
import { type Endpoint, isInside } from "../model/endpoint.ts";
import { DIRECTIONS, type Policy } from "../model/policy.ts";

/** Workloads that no rule tells apart are one class: everything is computed once for each. */
export type Classes = {
  /** Class of each end, in the order of the ends. */
  readonly classOf: readonly number[];
  readonly members: readonly (readonly number[])[];
  /** The end that stands for each class. */
  readonly ends: readonly WorkloadEnd[];
  readonly endpoints: readonly Endpoint[];
  /** Class under our kinds alone, and under the foreign policies alone. */
  readonly ours: readonly number[];
  readonly foreign: readonly number[];
};

/** Groups ends into classes. */
export function classesOf(
  intent: Intent,
  policies: readonly Policy[],
  evaluator: Evaluator,
  all: readonly EffectiveEnd<WorkloadEnd>[],
): Classes {
  const ourKey = ourKeys(intent);
  const foreignKey = foreignKeys(policies, evaluator);
  const [oursOf, foreignOf, bothOf] = [numbering(), numbering(), numbering()];
  const classes = {
    classOf: [] as number[],
    members: [] as number[][],
    ends: [] as WorkloadEnd[],
    endpoints: [] as Endpoint[],
  };
  const [ours, foreign]: [number[], number[]] = [[], []];
  for (const [index, { end, endpoint }] of all.entries()) {
    const [left, right] = [oursOf(ourKey(end)), foreignOf(foreignKey(endpoint))];
    const id = bothOf(`${left} ${right}`);
    classes.classOf.push(id);
    const known = classes.members[id];
    if (known) {
      known.push(index);
      continue;
    }
    classes.members.push([index]);
    classes.ends.push(end);
    classes.endpoints.push(endpoint);
    ours.push(left);
    foreign.push(right);
  }
  return { ...classes, ours, foreign };
}

function numbering(): (key: string) => number {
  const numbers = new Map<string, number>();
  return (key) => {
    const known = numbers.get(key) ?? numbers.size;
    numbers.set(key, known);
    return known;
  };
}

/** Everything by which a line of ours, default deny or a quarantine can tell two workloads apart. */
export function ourKeys(intent: Intent): (end: WorkloadEnd) => string {
  const peers = intent.lines.flatMap(({ from, to }) => [from, to]).filter((peer) => peer.by === "namespace");
  const names = namedSpecs(intent);
  return (end) => {
    const known = [end.role, end.segment, end.environment, end.classification];
    const place = end.role === undefined ? [end.namespace, peers.map((peer) => meansEnd(peer, end)).join()] : [];
    const state = [
      enclosureOf(intent, end) !== undefined,
      intent.quarantineOf(end) !== undefined,
      contradiction(intent, end),
    ];
    return JSON.stringify([...known, ...place, ...state, names.map((spec) => portNamed(spec, end))]);
  };
}

type Named = Extract<PortSpec, { portName: string }>;

/** The ports that lines name by name rather than by number; each once. */
export const namedSpecs = (intent: Intent): readonly Named[] => [
  ...new Map(
    intent.lines
      .flatMap(({ on }) => on)
      .filter((spec): spec is Named => "portName" in spec)
      .map((spec) => [`${spec.protocol}/${spec.portName}`, spec]),
  ).values(),
];

/** Everything by which a foreign policy can tell two endpoints apart: subjects, peers, and what named ports lead to. */
function foreignKeys(policies: readonly Policy[], evaluator: Evaluator): (endpoint: Endpoint) => string {
  const known = new Map<number, string>();
  const rules = policies.flatMap((policy) =>
    DIRECTIONS.flatMap((direction) => (policy.rules[direction] ?? []).map((rule) => ({ policy, rule }))),
  );
  const named = rules.filter(({ rule }) => rule.ports !== "all" && rule.ports.some(({ kind }) => kind === "named"));
  return (endpoint) => {
    if (policies.length === 0) return "";
    const id = evaluator.classOf(endpoint);
    const before = known.get(id);
    if (before !== undefined) return before;
    const subjects = policies.map((policy) => (isInside(endpoint) && isSubject(policy, endpoint) ? 1 : 0)).join("");
    const peers = rules.map(({ policy, rule }) => matchPeers(policy, rule, endpoint)[0]).join("");
    const ports = named.map(({ policy, rule }) => portsTowards(policy, rule, endpoint).join());
    const key = [isInside(endpoint), subjects, peers, ...ports].join(" ");
    known.set(id, key);
    return key;
  };
}
