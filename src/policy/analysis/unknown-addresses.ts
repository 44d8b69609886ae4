import { type Problem, problem } from "../../domain/problem.ts";
import { isSubject, matchPeers } from "../evaluate/match.ts";
import type { Inside } from "../model/endpoint.ts";
import { DIRECTIONS, type Policy, policyText, type Rule } from "../model/policy.ts";
import type { Scene } from "./scene.ts";

/** A warning for each rule that asks for the address or node of a workload of which it is not known. */
export function unknownAddressWarnings(scene: Scene): readonly Problem[] {
  const members = scene.members.map((member) => member.endpoint);
  return scene.policies.flatMap((policy) => {
    const asking = DIRECTIONS.flatMap((direction) => (policy.rules[direction] ?? []).filter(asksForAddress));
    if (asking.length === 0 || !members.some((member) => isSubject(policy, member))) return [];
    return asking.flatMap((rule) => judge(policy, rule, members));
  });
}

const asksForAddress = ({ peers }: Rule): boolean =>
  peers !== "anyone" &&
  peers.some((peer) => (peer.kind === "addresses" && peer.matchesPods) || (peer.kind === "nodes" && peer.met));

function judge(policy: Policy, rule: Rule, members: readonly Inside[]): readonly Problem[] {
  const unsure = members.filter((member) => matchPeers(policy, rule, member) === "perhaps");
  const [first] = unsure;
  if (!first) return [];
  const more = unsure.length > 1 ? ` and ${unsure.length - 1} more` : "";
  const effect = rule.action === "allow" ? "it is taken to allow them nothing" : "it is taken to deny them";
  const message = `${policyText(policy)}: whether a rule means ${first.text}${more} depends on addresses or nodes that are not known; ${effect}.`;
  return [{ ...problem("ADDRESS_UNKNOWN", "", message), source: policy.locate(rule.path) }];
}
