import type { Role } from "../../domain/definitions.ts";
import type { WorkloadEnd } from "../../domain/flow.ts";
import type { PortSpec } from "../../domain/sentences.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import { foreignPassages } from "../effective/verdict.ts";
import { makeEvaluator } from "../evaluate/evaluator.ts";
import type { Intent } from "../intent/intent.ts";
import type { PassageSet } from "../intent/passages.ts";
import type { Policy } from "../model/policy.ts";
import { intersect } from "../sets/intervals.ts";
import { specsOf } from "./ports.ts";

/** One sentence that foreign policies mean between two roles. */
export type ImportedSentence = { readonly from: string; readonly to: string; readonly on: readonly PortSpec[] };

/** The sentences of the owner of one role, for a SegmentPolicy in that role's namespace. */
export type ImportedPolicy = {
  readonly namespace: string;
  readonly role: string;
  readonly segment: string;
  readonly sentences: readonly ImportedSentence[];
};

/**
 * What policies of others let through between roles, as sentences. Where workloads of one role are treated differently only
 * what all of them may is taken over; the comparison afterwards names the rest.
 */
export function importPolicies(
  intent: Intent,
  policies: readonly Policy[],
  members: readonly EffectiveEnd<WorkloadEnd>[],
): readonly ImportedPolicy[] {
  const evaluator = makeEvaluator(policies);
  const holders = byRole(members);
  const passages = (from: EffectiveEnd, to: EffectiveEnd): PassageSet =>
    foreignPassages(evaluator, from.endpoint, to.endpoint);
  return [...holders].flatMap(([name, destinations]) => {
    const role = intent.catalogue.roles.get(name);
    const [first] = destinations;
    if (!role || !first) return [];
    const sentences = [...holders].flatMap(([caller, sources]): readonly ImportedSentence[] => {
      const open = sources
        .flatMap((from) => destinations.map((to) => passages(from, to)))
        .reduce((all, one) => intersect(all, one));
      return caller === name || open.length === 0 ? [] : [{ from: caller, to: name, on: specsOf(open) }];
    });
    return sentences.length === 0 ? [] : [policyOf(role, first.end.namespace, sentences)];
  });
}

const policyOf = (role: Role, namespace: string, sentences: readonly ImportedSentence[]): ImportedPolicy => ({
  namespace,
  role: role.name,
  segment: role.segment,
  sentences,
});

function byRole(
  members: readonly EffectiveEnd<WorkloadEnd>[],
): ReadonlyMap<string, readonly EffectiveEnd<WorkloadEnd>[]> {
  const holders = new Map<string, EffectiveEnd<WorkloadEnd>[]>();
  for (const member of members.toSorted((a, b) => ((a.end.role ?? "") < (b.end.role ?? "") ? -1 : 1)))
    if (member.end.role !== undefined) holders.set(member.end.role, [...(holders.get(member.end.role) ?? []), member]);
  return holders;
}
