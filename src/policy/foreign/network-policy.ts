import type { Direction, Peer, Policy, PolicyKind, PortMatch, Rule } from "../model/policy.ts";
import { type AddressSet, NO_ADDRESSES, parseCidr, setOf, subtractAddresses } from "../sets/address-set.ts";
import {
  at,
  type Field,
  items,
  mapOrAbsent,
  onlyKnown,
  optionalWord,
  present,
  refuseField,
  requiredText,
  warnField,
} from "./field.ts";
import { type Opened, requiredName } from "./object.ts";
import { readPolicyPort } from "./port-match.ts";
import { readSelector } from "./selector.ts";

type Scope = { readonly kind: PolicyKind; readonly namespace: string; readonly direction: Direction };

/**
 * Reads a networking.k8s.io/v1 NetworkPolicy, or a MultiNetworkPolicy, which has the same spec. `ipBlock` means outside
 * addresses only; on a secondary network, where there is no outside, it means the addresses of Pods.
 */
export function readNetworkPolicy(opened: Opened, kind: "NetworkPolicy" | "MultiNetworkPolicy"): Policy {
  const spec = at(opened.root, "spec");
  onlyKnown(spec, ["podSelector", "policyTypes", "ingress", "egress"]);
  const { namespace } = opened;
  const types = policyTypes(spec);
  const rules = (direction: Direction): readonly Rule[] | undefined => {
    const read = items(at(spec, direction)).map((rule, index) => readRule(rule, index, { kind, namespace, direction }));
    if (read.length > 0 && !types.includes(direction))
      warnField(
        at(spec, direction),
        "POLICY_IRRELEVANT",
        `policyTypes does not name ${direction}, so these rules are not used.`,
      );
    return types.includes(direction) ? read : undefined;
  };
  return {
    kind,
    namespace,
    name: requiredName(opened),
    tier: "network",
    priority: 0,
    subject: { namespaces: { name: namespace }, pods: readSelector(at(spec, "podSelector")) },
    seesHostNetwork: true,
    rules: { ingress: rules("ingress"), egress: rules("egress") },
    locate: opened.locate,
  };
}

/** Without `policyTypes` a policy covers ingress always, and egress only if it has egress rules. */
function policyTypes(spec: Field): readonly Direction[] {
  const types = at(spec, "policyTypes");
  const named = items(types).map((type) => optionalWord(type, ["Ingress", "Egress"]));
  if (named.length > 0)
    return [
      ...(named.includes("Ingress") ? ["ingress" as const] : []),
      ...(named.includes("Egress") ? ["egress" as const] : []),
    ];
  return items(at(spec, "egress")).length > 0 ? ["ingress", "egress"] : ["ingress"];
}

function readRule(field: Field, index: number, scope: Scope): Rule {
  const side = scope.direction === "ingress" ? "from" : "to";
  onlyKnown(field, ["ports", side]);
  const entries = items(at(field, side));
  const peers = entries.map((peer) => readPeer(peer, scope));
  const portEntries = items(at(field, "ports"));
  const ports = portEntries.map((port): PortMatch => {
    onlyKnown(port, ["port", "endPort", "protocol"]);
    return readPolicyPort(port);
  });
  if (scope.direction === "egress") refuseNamedTowardsBlock(portEntries, ports, peers);
  return {
    index: index + 1,
    action: "allow",
    peers: entries.length === 0 ? "anyone" : peers,
    ports: portEntries.length === 0 ? "all" : ports,
    path: field.path,
  };
}

/** An address outside has no container ports, so a name means nothing there. */
function refuseNamedTowardsBlock(entries: readonly Field[], ports: readonly PortMatch[], peers: readonly Peer[]): void {
  const named = entries.find((_, index) => ports[index]?.kind === "named");
  if (named && peers.some((peer) => peer.kind === "addresses"))
    refuseField(
      at(named, "port"),
      "FIELD_CONFLICT",
      "A named port means nothing towards an ipBlock.",
      "Write the port's number.",
    );
}

const PEER_FIELDS = ["podSelector", "namespaceSelector", "ipBlock"];

function readPeer(field: Field, scope: Scope): Peer {
  const { path } = field;
  onlyKnown(field, PEER_FIELDS);
  const set = PEER_FIELDS.filter((key) => present(at(field, key)));
  if (set.length === 0) {
    if (mapOrAbsent(field))
      refuseField(
        field,
        "FIELD_MISSING",
        "A peer must name an ipBlock, a podSelector or a namespaceSelector; this one is empty.",
      );
    return { kind: "unknown", path };
  }
  if (!set.includes("ipBlock"))
    return {
      kind: "pods",
      selector: {
        namespaces: set.includes("namespaceSelector")
          ? { selector: readSelector(at(field, "namespaceSelector")) }
          : { name: scope.namespace },
        pods: readSelector(at(field, "podSelector")),
      },
      path,
    };
  if (set.length > 1)
    refuseField(field, "FIELD_CONFLICT", "A peer is either an ipBlock or a selector; this one has both.");
  return {
    kind: "addresses",
    addresses: readBlock(at(field, "ipBlock")),
    matchesPods: scope.kind === "MultiNetworkPolicy",
    path,
  };
}

function readBlock(field: Field): AddressSet {
  onlyKnown(field, ["cidr", "except"]);
  const except = items(at(field, "except")).map(readCidr);
  return except.reduce(subtractAddresses, readCidr(at(field, "cidr")));
}

/** One CIDR; IPv6 is kept, with a warning that lists of connectivity show IPv4 only. */
export function readCidr(field: Field): AddressSet {
  const text = requiredText(field);
  const block = parseCidr(text);
  if (block === undefined) {
    if (text !== "") refuseField(field, "FIELD_INVALID", `"${text}" is no CIDR such as 10.0.0.0/8.`);
    return NO_ADDRESSES;
  }
  if (block.family === 6)
    warnField(
      field,
      "ADDRESS_V6_UNLISTED",
      `"${text}": IPv6 addresses are not supported in lists; single questions answer them.`,
    );
  return setOf(block);
}
