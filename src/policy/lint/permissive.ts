import type { Problem } from "../../domain/problem.ts";
import { DIRECTIONS, type Peer, type Policy, type PortMatch, type Rule } from "../model/policy.ts";
import { isWholeFamily } from "../sets/address-set.ts";
import { PROTOCOLS, rangesOf } from "../sets/port-set.ts";
import { finding, ruleText } from "./finding.ts";

/** Rules that let everybody in, or out to everywhere, on every port of a protocol; and rules that a policy never uses. */
export const wordingFindings = (policies: readonly Policy[]): readonly Problem[] => [
  ...policies.flatMap(overPermissive),
  ...policies.flatMap(irrelevant),
];

const overPermissive = (policy: Policy): readonly Problem[] =>
  DIRECTIONS.flatMap((direction) =>
    (policy.rules[direction] ?? [])
      .filter((rule) => rule.action === "allow" && isEverybody(rule) && isEveryPort(rule))
      .map((rule) => {
        const whom = direction === "ingress" ? "from everywhere" : "to everywhere";
        const message = `${ruleText(rule).replace(/^./, (letter) => letter.toUpperCase())} allows every port ${whom}.`;
        return finding(
          "POLICY_OVER_PERMISSIVE",
          { policy, path: rule.path },
          message,
          "Name the peers, or at least the ports.",
        );
      }),
  );

const isEverybody = ({ peers }: Rule): boolean => peers === "anyone" || peers.some(isEverybodyPeer);

const isEverybodyPeer = (peer: Peer): boolean =>
  (peer.kind === "addresses" && isWholeFamily(peer.addresses)) ||
  (peer.kind === "pods" &&
    "selector" in peer.selector.namespaces &&
    peer.selector.namespaces.selector.length === 0 &&
    peer.selector.pods.length === 0);

const isEveryPort = ({ ports }: Rule): boolean => ports === "all" || ports.some(isWholeProtocol);

const isWholeProtocol = (port: PortMatch): boolean =>
  port.kind === "ports" &&
  PROTOCOLS.some((protocol) => rangesOf(port.ports, protocol).some(([from, to]) => from === 1 && to === 65535));

/** A tiered policy without any rule, and a MultiNetworkPolicy for no network. */
function irrelevant(policy: Policy): readonly Problem[] {
  if (policy.networks?.length === 0)
    return [
      finding(
        "POLICY_IRRELEVANT",
        { policy, path: ["metadata", "annotations"] },
        "It acts on no network of the input.",
        "Name a NetworkAttachmentDefinition in its annotation.",
      ),
    ];
  if (policy.tier === "network" || DIRECTIONS.some((direction) => (policy.rules[direction]?.length ?? 0) > 0))
    return [];
  return [
    finding(
      "POLICY_IRRELEVANT",
      { policy, path: ["spec"] },
      "It has no rules, so it does nothing.",
      "Delete it, or give it rules.",
    ),
  ];
}
