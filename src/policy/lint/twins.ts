import type { Problem } from "../../domain/problem.ts";
import { selectorKey } from "../evaluate/imagined.ts";
import { DIRECTIONS, type Policy, policyText, type Rule } from "../model/policy.ts";
import { finding, ruleText } from "./finding.ts";
import { peersKey, policyKey, portsKey } from "./keys.ts";

/** Policies that do the same as an earlier one, and what could be written as one. */
export function twinFindings(policies: readonly Policy[]): readonly Problem[] {
  const twins = duplicates(policies);
  const single = policies.filter((policy) => !twins.has(policy));
  return [
    ...[...twins].map(([policy, first]) =>
      finding(
        "POLICY_DUPLICATE",
        { policy, path: [] },
        `It does exactly what ${policyText(first)} does.`,
        "Delete one of the two.",
      ),
    ),
    ...sameSubject(single),
    ...single.flatMap(mergeableRules),
  ];
}

/** Each policy that has an earlier twin, with that twin. */
export function duplicates(policies: readonly Policy[]): ReadonlyMap<Policy, Policy> {
  const first = new Map<string, Policy>();
  const twins = new Map<Policy, Policy>();
  for (const policy of policies) {
    const key = policyKey(policy);
    const earlier = first.get(key);
    if (earlier) twins.set(policy, earlier);
    else first.set(key, policy);
  }
  return twins;
}

/** NetworkPolicies on one subject and one set of directions; those without rules (deny all) stand for themselves. */
function sameSubject(policies: readonly Policy[]): readonly Problem[] {
  const groups = new Map<string, Policy[]>();
  for (const policy of policies.filter(
    ({ tier, rules }) => tier === "network" && DIRECTIONS.some((one) => (rules[one]?.length ?? 0) > 0),
  )) {
    const directions = DIRECTIONS.filter((direction) => policy.rules[direction] !== undefined);
    const key = JSON.stringify([
      policy.kind,
      policy.namespace,
      selectorKey(policy.subject),
      directions,
      policy.networks ?? [],
    ]);
    groups.set(key, [...(groups.get(key) ?? []), policy]);
  }
  return [...groups.values()].flatMap(([first, ...others]) =>
    first && others.length > 0
      ? [
          finding(
            "POLICY_CONSOLIDATABLE",
            { policy: first, path: [] },
            `${others.map(policyText).join(" and ")} ${others.length === 1 ? "selects" : "select"} the same Pods in the same directions.`,
            "Write their rules into one policy.",
          ),
        ]
      : [],
  );
}

/** Rules of one policy that differ in their ports only, or in their peers only; in ordered tiers neighbours only. */
function mergeableRules(policy: Policy): readonly Problem[] {
  return DIRECTIONS.flatMap((direction) => {
    const rules = policy.rules[direction] ?? [];
    return rules.flatMap((rule, index) => {
      const earlier = policy.tier === "network" ? rules.slice(0, index) : rules.slice(Math.max(0, index - 1), index);
      const other = earlier.find((one) => isMergeable(one, rule));
      if (!other) return [];
      const same = peersKey(other) === peersKey(rule) ? "the same peers" : "the same ports";
      return [
        finding(
          "POLICY_CONSOLIDATABLE",
          { policy, path: rule.path },
          `${capital(ruleText(rule))} has ${same} as ${ruleText(other)}.`,
          "Write them as one rule.",
        ),
      ];
    });
  });
}

const isMergeable = (a: Rule, b: Rule): boolean =>
  a.action === b.action && (peersKey(a) === peersKey(b)) !== (portsKey(a) === portsKey(b));

const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
