import { type Problem, problem } from "../../domain/problem.ts";
import { isSubject, matchPeers } from "../evaluate/match.ts";
import { resolve } from "../evaluate/ports.ts";
import type { Inside } from "../model/endpoint.ts";
import { DIRECTIONS, type Direction, type Policy, policyText, type PortMatch, type Rule } from "../model/policy.ts";
import type { Scene } from "./scene.ts";

/** A warning for each named port of a rule that some destination of the rule does not list. */
export function namedPortWarnings(scene: Scene): readonly Problem[] {
  const members = scene.members.map((member) => member.endpoint);
  return scene.policies.flatMap((policy) =>
    DIRECTIONS.flatMap((direction) =>
      (policy.rules[direction] ?? []).flatMap((rule) => judgeRule(policy, rule, direction, members)),
    ),
  );
}

function judgeRule(policy: Policy, rule: Rule, direction: Direction, members: readonly Inside[]): readonly Problem[] {
  const named = rule.ports === "all" ? [] : rule.ports.filter((port) => port.kind === "named");
  if (named.length === 0) return [];
  const subjects = members.filter((member) => isSubject(policy, member));
  const destinations =
    direction === "ingress"
      ? subjects
      : subjects.length === 0
        ? []
        : members.filter((member) => matchPeers(policy, rule, member) === "yes");
  return named.flatMap((port) => judgePort(policy, port, destinations));
}

function judgePort(
  policy: Policy,
  port: Extract<PortMatch, { kind: "named" }>,
  destinations: readonly Inside[],
): readonly Problem[] {
  const missing = destinations.filter(({ traits }) => resolve(policy, port, traits).length === 0);
  const [first] = missing;
  if (!first) return [];
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
  const message = `${policyText(policy)}: port name: "${port.name}" matches no container port of ${first.text}${more}.`;
  return [{ ...problem("PORT_NAME_UNMATCHED", "", message), source: policy.locate(port.path) }];
}
