import { type Problem, problem } from "../../domain/problem.ts";
import type { ProblemCode } from "../../domain/problem-codes.ts";
import { type FieldPath, type Policy, policyText, type Rule } from "../model/policy.ts";
import { pathText } from "../foreign/field.ts";

/** A place in a policy that a finding is about. */
export type Spot = { readonly policy: Policy; readonly path: FieldPath };

/** A finding about a place in a policy. */
export const finding = (code: ProblemCode, { policy, path }: Spot, message: string, mend?: string): Problem => ({
  ...problem(code, pathText(path), `${policyText(policy)}: ${message}`, mend),
  source: policy.locate(path),
});

/** `egress rule #2`, or by name where it has one. */
export const ruleText = (rule: Rule): string => {
  const direction = rule.path.includes("egress") ? "egress" : "ingress";
  return `${direction} rule ${rule.name === undefined ? `#${rule.index}` : `"${rule.name}"`}`;
};

/** The rule with its policy and place: `NetworkPolicy shop/a, ingress rule #1 (np.yaml:12)`. */
export const ruleOf = (policy: Policy, rule: Rule): string => {
  const { file, line } = policy.locate(rule.path);
  return `${policyText(policy)}, ${ruleText(rule)} (${file}:${line})`;
};
