import type { DoorVerdict } from "../policy/evaluate/decide.ts";
import type { BoundRule } from "../policy/evaluate/evaluator.ts";
import type { Direction, Policy } from "../policy/model/policy.ts";
import { policyText } from "../policy/model/policy.ts";

/** A rule in machine-readable form: the policy, the rule by name or number, and where it stands. */
type RuleReason = {
  readonly policy: string;
  readonly rule?: string;
  readonly action?: string;
  readonly file: string;
  readonly line: number;
};

/** Why a door lets a port through, in machine-readable form. */
export type DoorReason = {
  readonly allowed: boolean;
  readonly decidedBy: "rule" | "no-rule-of-those-that-select-it" | "default";
  readonly rules: readonly RuleReason[];
  readonly passedBy: readonly RuleReason[];
};

/** The reason of a door's verdict as plain data. */
export function doorReason(verdict: DoorVerdict): DoorReason {
  const { allowed, passes, because } = verdict;
  const passedBy = passes.map(ruleReason);
  switch (because.kind) {
    case "rules":
      return { allowed, decidedBy: "rule", rules: because.rules.map(ruleReason), passedBy };
    case "isolated":
      return {
        allowed,
        decidedBy: "no-rule-of-those-that-select-it",
        rules: because.by.map(({ policy }) => policyReason(policy)),
        passedBy,
      };
    case "default":
      return { allowed, decidedBy: "default", rules: [], passedBy };
  }
}

const policyReason = (policy: Policy): RuleReason => {
  const { file, line } = policy.locate([]);
  return { policy: policyText(policy), file, line };
};

function ruleReason({ policy, rule }: BoundRule): RuleReason {
  const { file, line } = policy.locate(rule.path);
  return { policy: policyText(policy), rule: rule.name ?? `#${rule.index}`, action: rule.action, file, line };
}

/** The reason of a door's verdict as lines: what decided, and before that what passed it on. */
export function doorLines(verdict: DoorVerdict, direction: Direction): readonly string[] {
  const { because } = verdict;
  const passes = verdict.passes.map((bound) => `passed on by ${ruleText(bound, direction)}`);
  switch (because.kind) {
    case "rules":
      return [
        ...passes,
        ...because.rules.map((bound) => `${verdict.allowed ? "allowed" : "denied"} by ${ruleText(bound, direction)}`),
      ];
    case "isolated":
      return [
        ...passes,
        ...because.by.map(
          ({ policy, near }) =>
            `denied: ${policyText(policy)} selects it, and ${near.length === 0 ? `none of its ${direction} rules names the other end` : `${near.map((bound) => ruleName(bound, direction)).join(" and ")} names the other end, but not this port`} (${placeText(policy.locate([]))})`,
        ),
      ];
    case "default":
      return [
        ...passes,
        passes.length > 0 ? "allowed: nothing after that says anything" : "allowed: no policy says anything",
      ];
  }
}

const ruleText = (bound: BoundRule, direction: Direction): string =>
  `${policyText(bound.policy)}, ${ruleName(bound, direction)} (${placeText(bound.policy.locate(bound.rule.path))})`;

const ruleName = ({ rule }: BoundRule, direction: Direction): string =>
  `${direction} rule ${rule.name === undefined ? `#${rule.index}` : `"${rule.name}"`}`;

const placeText = ({ file, line }: { readonly file: string; readonly line: number }): string => `${file}:${line}`;
