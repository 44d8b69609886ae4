import { selectorKey } from "../evaluate/imagined.ts";
import { DIRECTIONS, type Peer, type Policy, type PortMatch, type Rule } from "../model/policy.ts";
import { uniteAll } from "../sets/intervals.ts";

/** Peers of one meaning have one key, whatever their order. */
export const peersKey = ({ peers }: Rule): string =>
  peers === "anyone" ? "anyone" : JSON.stringify([...new Set(peers.map(peerKey))].sort());

function peerKey(peer: Peer): string {
  switch (peer.kind) {
    case "pods":
      return `pods ${selectorKey(peer.selector)}`;
    case "addresses":
      return `addresses ${peer.matchesPods} ${peer.addresses.v4.join()} ${peer.addresses.v6.map(String).join()}`;
    case "nodes":
      return `nodes ${selectorKey({ namespaces: { name: "" }, pods: peer.selector })}`;
    case "unknown":
      return "unknown";
  }
}

/** Ports of one meaning have one key, however they are split into entries. */
export function portsKey({ ports }: Rule): string {
  if (ports === "all") return "all";
  const numbered = uniteAll(ports.flatMap((port) => (port.kind === "ports" ? [port.ports] : [])));
  return JSON.stringify([
    numbered,
    ports
      .filter(isNamed)
      .map(({ name, protocol }) => `${protocol ?? ""} ${name}`)
      .sort(),
  ]);
}

const isNamed = (port: PortMatch): port is Extract<PortMatch, { kind: "named" }> => port.kind === "named";

/** What a policy does, its name left aside: two with one key are twins. */
export const policyKey = (policy: Policy): string =>
  JSON.stringify([
    policy.kind,
    policy.tier,
    selectorKey(policy.subject),
    policy.networks ?? [],
    ...DIRECTIONS.map(
      (direction) => policy.rules[direction]?.map((rule) => [rule.action, peersKey(rule), portsKey(rule)]) ?? null,
    ),
  ]);
