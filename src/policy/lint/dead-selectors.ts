import type { Problem } from "../../domain/problem.ts";
import { selects } from "../../domain/label-selector.ts";
import type { Scene } from "../analysis/scene.ts";
import { isSubject, selectsPod } from "../evaluate/match.ts";
import type { Inside, Traits } from "../model/endpoint.ts";
import { DIRECTIONS, type PodSelector, type Policy, type WrittenSelector } from "../model/policy.ts";
import { finding, ruleText } from "./finding.ts";

/**
 * Selectors that mean nobody on any network that the policy acts on: a policy without subject, and peers that look for
 * Pods in namespaces of the input and find none. Peers in namespaces that the input doesn't hold are let be.
 */
export function deadSelectors(policies: readonly Policy[], scenes: readonly Scene[]): readonly Problem[] {
  return policies.flatMap((policy) => {
    const acting = scenes.filter((scene) => scene.policies.includes(policy));
    const members = acting.flatMap((scene) => scene.members.map(({ endpoint }) => endpoint));
    if (acting.length === 0 || members.length === 0) return [];
    return members.some((member) => isSubject(policy, member))
      ? deadPeers(policy, members)
      : [deadSubject(policy, members)];
  });
}

function deadSubject(policy: Policy, members: readonly Inside[]): Problem {
  const path = policy.tier === "network" ? ["spec", "podSelector"] : ["spec", "subject"];
  return finding(
    "SELECTOR_DEAD",
    { policy, path },
    "It selects no workload of the input, so it does nothing.",
    hint(policy.subject, members),
  );
}

const deadPeers = (policy: Policy, members: readonly Inside[]): readonly Problem[] =>
  DIRECTIONS.flatMap((direction) =>
    (policy.rules[direction] ?? []).flatMap((rule) =>
      (rule.peers === "anyone" ? [] : rule.peers).flatMap((peer) => {
        if (peer.kind !== "pods" || !looksHere(peer.selector, members)) return [];
        if (members.some(({ traits }) => selectsPod(peer.selector, traits))) return [];
        const message = `A peer of ${ruleText(rule)} selects no workload of the input.`;
        return [finding("SELECTOR_DEAD", { policy, path: peer.path }, message, hint(peer.selector, members))];
      }),
    ),
  );

/** Whether the selector looks into a namespace of the input, and not into all there are. */
const looksHere = (selector: PodSelector, members: readonly Inside[]): boolean =>
  !("selector" in selector.namespaces && selector.namespaces.selector.length === 0) &&
  members.some(({ traits }) => inNamespace(selector, traits));

const inNamespace = (selector: PodSelector, traits: Traits): boolean =>
  "name" in selector.namespaces
    ? selector.namespaces.name === traits.namespace
    : selects(selector.namespaces.selector, traits.namespaceLabels);

/** What Pods of those namespaces say that is nearly what was asked for. */
function hint(selector: PodSelector, members: readonly Inside[]): string {
  const near = members
    .filter(({ traits }) => inNamespace(selector, traits))
    .flatMap(({ traits }) => nearLabels(selector.pods, traits));
  const unique = [...new Set(near)].sort();
  return unique.length > 0
    ? `Did you mean ${unique.slice(0, 3).join(" or ")}?`
    : "Delete it, or add the workloads that it means to the input.";
}

const nearLabels = (asked: WrittenSelector, { labels }: Traits): readonly string[] =>
  asked.flatMap(({ key, operator, values }) => {
    const given = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (operator !== "In" || given === undefined) return [];
    return values.some((value) => value !== given && distance(value, given) <= 2) ? [`${key}: ${given}`] : [];
  });

/** Levenshtein's distance: how many letters must be put in, taken out or changed. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of a.split("").entries()) {
    const next = [i + 1];
    for (const [j, other] of b.split("").entries())
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
    row = next;
  }
  return row[b.length] ?? 0;
}
