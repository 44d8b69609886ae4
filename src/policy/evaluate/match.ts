import { type LabelSelector, type Labels, selects } from "../../domain/label-selector.ts";
import { type Endpoint, type HostNode, type Inside, isInside, type Traits } from "../model/endpoint.ts";
import { impliedBy } from "./imagined.ts";
import type { Peer, PodSelector, Policy, Rule } from "../model/policy.ts";
import {
  type AddressSet,
  includesAddresses,
  isWholeFamily,
  meet,
  NO_ADDRESSES,
  noAddresses,
} from "../sets/address-set.ts";

/** Whether a rule means somebody: surely not, perhaps (an address or a node is not known), or surely. */
export type Match = "no" | "perhaps" | "yes";

/** Whether a selector means a workload, by its namespace and its labels. */
export const selectsPod = (selector: PodSelector, traits: Traits): boolean =>
  ("name" in selector.namespaces
    ? selector.namespaces.name === traits.namespace
    : selects(selector.namespaces.selector, traits.namespaceLabels)) && selects(selector.pods, traits.labels);

/** Whether a policy has the workload as its subject. */
export const isSubject = (policy: Policy, endpoint: Inside): boolean =>
  (policy.seesHostNetwork || !endpoint.traits.host) && selectsPod(policy.subject, endpoint.traits);

/** Whether a rule means whoever stands at the other end. */
export function matchPeers(policy: Policy, rule: Rule, other: Endpoint): Match {
  if (rule.peers === "anyone") return "yes";
  let best: Match = "no";
  for (const peer of rule.peers) {
    const match = matchPeer(policy, peer, other);
    if (match === "yes") return match;
    if (match === "perhaps") best = match;
  }
  return best;
}

function matchPeer(policy: Policy, peer: Peer, other: Endpoint): Match {
  switch (peer.kind) {
    case "pods":
      return yesOrNo(meansPods(policy, peer.selector, other));
    case "addresses":
      return meansAddresses(peer, other);
    case "nodes":
      return peer.met && isInside(other) && other.traits.host ? matchNode(peer.selector, other.traits.host) : "no";
    case "unknown":
      return "perhaps";
  }
}

function meansPods(policy: Policy, selector: PodSelector, other: Endpoint): boolean {
  if (other.kind === "imagined") return impliedBy(selector, other.selector);
  return other.kind !== "outside" && isPeer(policy, selector, other);
}

function meansAddresses(peer: AddressPeer, other: Endpoint): Match {
  if (other.kind === "outside") return yesOrNo(includesAddresses(peer.addresses, other.addresses));
  if (!peer.matchesPods) return "no";
  return matchAddress(peer, other.kind === "imagined" ? NO_ADDRESSES : other.traits.addresses);
}

type AddressPeer = Extract<Peer, { kind: "addresses" }>;

const yesOrNo = (truth: boolean): Match => (truth ? "yes" : "no");

function isPeer(policy: Policy, selector: PodSelector, other: Inside): boolean {
  if (!policy.seesHostNetwork && other.traits.host) return false;
  if (policy.kind === "MultiNetworkPolicy" && other.traits.virtualMachine) return false;
  return selectsPod(selector, other.traits);
}

/** An unknown address is in all of IPv4 for certain; whether it is in less than that nobody knows. */
function matchAddress(peer: AddressPeer, addresses: AddressSet): Match {
  if (!noAddresses(addresses)) return yesOrNo(meet(peer.addresses, addresses));
  return noAddresses(peer.addresses) ? "no" : isWholeFamily(peer.addresses) ? "yes" : "perhaps";
}

function matchNode(selector: LabelSelector, node: HostNode): Match {
  if (node.complete) return yesOrNo(selects(selector, node.labels));
  const known = selector.filter((requirement) => has(node.labels, requirement.key));
  if (!selects(known, node.labels)) return "no";
  return known.length === selector.length ? "yes" : "perhaps";
}

const has = (labels: Labels, key: string): boolean => Object.hasOwn(labels, key);
