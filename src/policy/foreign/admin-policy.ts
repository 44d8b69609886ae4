import type { Action, Direction, Peer, PodSelector, PortMatch, Rule } from "../model/policy.ts";
import { uniteAddresses } from "../sets/address-set.ts";
import {
  at,
  exactlyOne,
  type Field,
  items,
  keysOf,
  mapOrAbsent,
  onlyKnown,
  optionalText,
  refuseField,
  requiredWord,
  warnField,
} from "./field.ts";
import { readCidr } from "./network-policy.ts";
import { readSelector } from "./selector.ts";

/** The fields of a peer, of which exactly one is set. */
type PeerWord = "namespaces" | "pods" | "nodes" | "networks" | "domainNames";

/** What tells the tiered kinds apart: words for actions, what a peer may be, how ports are written. */
export type Dialect = {
  readonly actions: Readonly<Record<string, Action>>;
  readonly peers: Readonly<Record<Direction, readonly PeerWord[]>>;
  /** Whether `networks` means Pods with such an address too, and `nodes` host-networked Pods. */
  readonly meetsByAddress: boolean;
  /** Whether a peer of a kind we don't know fails closed instead of refusing the policy. */
  readonly unknownPeerFailsClosed: boolean;
  readonly portsField: string;
  readonly readPort: (field: Field) => PortMatch;
};

/** The subject of a tiered policy: exactly one of `namespaces` and `pods`. */
export function readSubject(field: Field): PodSelector {
  onlyKnown(field, ["namespaces", "pods"]);
  return exactlyOne(field, ["namespaces", "pods"]) === "pods"
    ? podsOf(at(field, "pods"))
    : namespacesOf(at(field, "namespaces"));
}

const namespacesOf = (field: Field): PodSelector => ({ namespaces: { selector: readSelector(field) }, pods: [] });

function podsOf(field: Field): PodSelector {
  onlyKnown(field, ["namespaceSelector", "podSelector"]);
  return {
    namespaces: { selector: readSelector(at(field, "namespaceSelector")) },
    pods: readSelector(at(field, "podSelector")),
  };
}

/** The rules of one direction, in order. A rule needs an action, and `from` or `to` with at least one peer. */
export const readTieredRules = (field: Field, direction: Direction, dialect: Dialect): readonly Rule[] =>
  items(field).map((rule, index) => readTieredRule(rule, index, direction, dialect));

function readTieredRule(field: Field, index: number, direction: Direction, dialect: Dialect): Rule {
  const side = direction === "ingress" ? "from" : "to";
  onlyKnown(field, ["name", "action", side, dialect.portsField]);
  const name = optionalText(at(field, "name"));
  const word = requiredWord(at(field, "action"), Object.keys(dialect.actions));
  const entries = items(at(field, side));
  if (entries.length === 0)
    refuseField(at(field, side), "FIELD_MISSING", `\`${side}\` must be there and hold at least one peer.`);
  const peers = entries.map((peer) => readTieredPeer(peer, direction, dialect));
  const portEntries = items(at(field, dialect.portsField));
  const ports = portEntries.map(dialect.readPort);
  warnNamedTowardsAddresses(portEntries, ports, peers);
  return {
    index: index + 1,
    ...(name === undefined ? {} : { name }),
    action: (word === undefined ? undefined : dialect.actions[word]) ?? "deny",
    peers,
    ports: portEntries.length === 0 ? "all" : ports,
    path: field.path,
  };
}

function warnNamedTowardsAddresses(
  entries: readonly Field[],
  ports: readonly PortMatch[],
  peers: readonly Peer[],
): void {
  const named = entries.find((_, index) => ports[index]?.kind === "named");
  if (named && peers.some((peer) => peer.kind === "addresses"))
    warnField(
      named,
      "PORT_NAME_UNMATCHED",
      "A named port matches nothing towards networks.",
      "Write the port's number.",
    );
}

function readTieredPeer(field: Field, direction: Direction, dialect: Dialect): Peer {
  const { path } = field;
  const known = dialect.peers[direction];
  const isKnown = keysOf(field).some((key) => known.some((one) => one === key));
  if (dialect.unknownPeerFailsClosed && !isKnown) return unknownPeer(field);
  const only = exactlyOne(field, known);
  if (only === undefined) return { kind: "unknown", path };
  onlyKnown(field, known);
  return PEERS[only](at(field, only), dialect, path);
}

function unknownPeer(field: Field): Peer {
  if (mapOrAbsent(field))
    warnField(
      field,
      "PEER_UNSUPPORTED",
      "No peer that is known here: an accepting rule matches nothing, any other denies all.",
    );
  return { kind: "unknown", path: field.path };
}

type PeerReader = (field: Field, dialect: Dialect, path: Peer["path"]) => Peer;

const PEERS: Readonly<Record<PeerWord, PeerReader>> = {
  namespaces: (field, _, path) => ({ kind: "pods", selector: namespacesOf(field), path }),
  pods: (field, _, path) => ({ kind: "pods", selector: podsOf(field), path }),
  networks: readNetworks,
  nodes: readNodes,
  domainNames: (field, _, path) => {
    warnField(field, "PEER_UNSUPPORTED", "Domain names are not resolved: this peer matches nothing.");
    return { kind: "unknown", path };
  },
};

function readNetworks(field: Field, dialect: Dialect, path: Peer["path"]): Peer {
  const cidrs = items(field);
  if (cidrs.length === 0) refuseField(field, "FIELD_MISSING", "`networks` must hold at least one CIDR.");
  const addresses = cidrs.map(readCidr).reduce(uniteAddresses, { v4: [], v6: [] });
  return { kind: "addresses", addresses, matchesPods: dialect.meetsByAddress, path };
}

function readNodes(field: Field, dialect: Dialect, path: Peer["path"]): Peer {
  if (!dialect.meetsByAddress)
    warnField(
      field,
      "PEER_UNSUPPORTED",
      "Nodes field of an AdminNetworkPolicyEgressPeer is not supported: it matches nothing.",
    );
  return { kind: "nodes", selector: readSelector(field), met: dialect.meetsByAddress, path };
}
