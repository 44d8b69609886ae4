import { remembered } from "../../domain/remembered.ts";
import { ok, problem, refuseAll, type Result } from "../../domain/problem.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import { foreignPassages } from "../effective/verdict.ts";
import { classKey, makeEvaluator } from "../evaluate/evaluator.ts";
import { isSubject } from "../evaluate/match.ts";
import { type Passing, passing } from "../evaluate/passing.ts";
import { readWorld } from "../foreign/world.ts";
import { EVERY_PASSAGE, type PassageSet } from "../intent/passages.ts";
import { isInside } from "../model/endpoint.ts";
import type { Direction, Policy } from "../model/policy.ts";
import { intersect } from "../sets/intervals.ts";
import type { Rendered } from "./rendered.ts";

/** A data plane with rules loaded: what it lets through from one end to another. */
export type Plane = {
  readonly admits: (from: EffectiveEnd, to: EffectiveEnd) => PassageSet;
  /** Ends of one key are alike to it, whatever it is loaded with. */
  readonly keyOf: (end: EffectiveEnd) => string;
  /** What it makes of some ends before any pair of them is looked at. */
  readonly over: (ends: readonly EffectiveEnd[]) => Passing;
  /** All that it is loaded with. */
  readonly guards: readonly Guard[];
};

/** One thing that a plane is loaded with, and the doors that it can decide at; two of one text do the same. */
export type Guard = {
  readonly text: string;
  readonly isAt: (end: EffectiveEnd, direction: Direction) => boolean;
};

/** What several planes let through together: a connection passes where every plane lets it. */
export const admittedBy = (planes: readonly Plane[], from: EffectiveEnd, to: EffectiveEnd): PassageSet =>
  planes.map((plane) => plane.admits(from, to)).reduce((all, one) => intersect(all, one), EVERY_PASSAGE);

/** What was read of compiled NetworkPolicies, which change one by one. */
const known = new WeakMap<Rendered, Policy>();

/** Compiled objects as the policies they are, read by the reader for foreign ones. Refuses what the reader refuses. */
export function policiesOf(objects: readonly Rendered[]): Result<readonly Policy[]> {
  const unread = objects.filter((object) => !known.has(object));
  const read = readWorld(
    unread.map((value) => ({ value, locate: () => ({ file: value.metadata.name, line: 1, column: 1 }) })),
    { multipleNetworks: true, parseYaml: () => undefined },
  );
  if (!read.ok) return read;
  const { policies } = read.value;
  if (policies.length !== unread.length || new Set(objects.map(nameOf)).size !== objects.length)
    return refuseAll([problem("INTERNAL", "", "Compiled objects are no policies, or two of one name.")]);
  const fresh = new Map(unread.map((object, place) => [object, policies[place]]));
  for (const [object, policy] of fresh) if (policy?.kind === "NetworkPolicy") known.set(object, policy);
  return ok(objects.flatMap((object) => known.get(object) ?? fresh.get(object) ?? []));
}

const nameOf = ({ kind, metadata: { namespace, name } }: Rendered): string => `${kind} ${namespace ?? ""}/${name}`;

/**
 * The Pod network under these policies. Pods on the host network are seen by none of them, which is what most
 * implementations of NetworkPolicy do and what no compiler may rely on otherwise.
 */
export function kubernetesPlane(policies: readonly Policy[]): Plane {
  const seen = policies.map(besideHosts);
  const evaluator = makeEvaluator(seen);
  return {
    keyOf: ({ endpoint }) => classKey(endpoint),
    admits: (from, to) => foreignPassages(evaluator, from.endpoint, to.endpoint),
    over: (ends) =>
      passing(
        evaluator,
        ends.map(({ endpoint }) => endpoint),
      ),
    guards: seen.map(guardOf),
  };
}

const besideHosts = remembered((policy: Policy): Policy => ({ ...policy, seesHostNetwork: false }));

const guardOf = remembered(
  (policy: Policy): Guard => ({
    text: policyContent(policy),
    isAt: ({ endpoint }, direction) =>
      policy.rules[direction] !== undefined && isInside(endpoint) && isSubject(policy, endpoint),
  }),
);

const policyContent = ({ locate: _, ...policy }: Policy): string =>
  JSON.stringify(policy, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value));
