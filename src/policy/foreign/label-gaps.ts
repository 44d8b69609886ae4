import { type LabelSelector, type Labels, selects } from "../../domain/label-selector.ts";
import { type Problem, problem } from "../../domain/problem.ts";
import { workloadText } from "../model/endpoint.ts";
import { DIRECTIONS, type FieldPath, type PodSelector, type Policy, policyText } from "../model/policy.ts";
import type { PodRecord } from "../model/world.ts";

type Place = { readonly policy: Policy; readonly selector: PodSelector; readonly path: FieldPath };

/**
 * Pods of one owner count as one workload, which is wrong where a policy tells them apart: each such selector is a
 * problem. Pods whose labels differ otherwise are no problem.
 */
export function labelGaps(
  pods: readonly PodRecord[],
  policies: readonly Policy[],
  namespaces: ReadonlyMap<string, Labels>,
): readonly Problem[] {
  const groups = byWorkload(pods);
  const uneven = [...groups].filter(([, group]) =>
    group.some((pod) => !sameLabels(pod.labels, group[0]?.labels ?? {})),
  );
  if (uneven.length === 0) return [];
  const places = policies.flatMap(selectorsOf);
  return uneven.flatMap(([text, group]) =>
    places
      .filter(
        ({ selector }) => inNamespace(selector, group[0]?.namespace ?? "", namespaces) && splits(selector.pods, group),
      )
      .map(({ policy, path }) => ({
        ...problem(
          "WORKLOAD_LABELS_DIFFER",
          "",
          `${policyText(policy)} selects some Pods of ${text} and not others, so the workload has no one answer.`,
          "Give all Pods of one owner the labels that policies look at.",
        ),
        source: policy.locate(path),
      })),
  );
}

function byWorkload(pods: readonly PodRecord[]): ReadonlyMap<string, readonly PodRecord[]> {
  const groups = new Map<string, PodRecord[]>();
  for (const pod of pods) {
    const text = workloadText(pod.workload);
    const group = groups.get(text);
    if (group) group.push(pod);
    else groups.set(text, [pod]);
  }
  return groups;
}

const splits = (selector: LabelSelector, group: readonly PodRecord[]): boolean => {
  const first = group[0] !== undefined && selects(selector, group[0].labels);
  return group.some((pod) => selects(selector, pod.labels) !== first);
};

const sameLabels = (a: Labels, b: Labels): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, value]) => b[key] === value);

const inNamespace = (selector: PodSelector, namespace: string, namespaces: ReadonlyMap<string, Labels>): boolean =>
  "name" in selector.namespaces
    ? selector.namespaces.name === namespace
    : selects(selector.namespaces.selector, namespaces.get(namespace) ?? {});

function selectorsOf(policy: Policy): readonly Place[] {
  const peers = DIRECTIONS.flatMap((direction) => policy.rules[direction] ?? []).flatMap((rule) =>
    rule.peers === "anyone" ? [] : rule.peers,
  );
  return [
    { policy, selector: policy.subject, path: ["spec"] },
    ...peers.flatMap((peer) => (peer.kind === "pods" ? [{ policy, selector: peer.selector, path: peer.path }] : [])),
  ];
}
