import type { Policy, PortMatch } from "../model/policy.ts";
import { PROTOCOLS, type Protocol } from "../sets/port-set.ts";
import { type Dialect, readSubject, readTieredRules } from "./admin-policy.ts";
import { at, exactlyOne, type Field, onlyKnown, optionalWhole, present, refuseField, requiredWord } from "./field.ts";
import { type Opened, requiredName } from "./object.ts";
import { readNamedPort, readProtocol, readRange } from "./port-match.ts";

const V1ALPHA1_PEERS = {
  ingress: ["namespaces", "pods"],
  egress: ["namespaces", "pods", "nodes", "networks", "domainNames"],
} as const;

const ADMIN: Dialect = {
  actions: { Allow: "allow", Deny: "deny", Pass: "pass" },
  peers: V1ALPHA1_PEERS,
  meetsByAddress: false,
  unknownPeerFailsClosed: false,
  portsField: "ports",
  readPort: readAdminPort,
};
const BASELINE: Dialect = { ...ADMIN, actions: { Allow: "allow", Deny: "deny" } };
const CLUSTER: Dialect = {
  actions: { Accept: "allow", Deny: "deny", Pass: "pass" },
  peers: V1ALPHA1_PEERS,
  meetsByAddress: true,
  unknownPeerFailsClosed: true,
  portsField: "protocols",
  readPort: readClusterProtocol,
};

/** Reads a policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy. */
export const readAdminPolicy = (opened: Opened): Policy => ({
  ...tiered(opened, ADMIN, ["priority", "subject", "ingress", "egress"]),
  kind: "AdminNetworkPolicy",
  tier: "admin",
  priority: readPriority(at(opened.root, "spec", "priority")),
});

/** Reads a policy.networking.k8s.io/v1alpha1 BaselineAdminNetworkPolicy, of which there is one, named `default`. */
export function readBaselinePolicy(opened: Opened): Policy {
  if (opened.name !== "default")
    refuseField(
      at(opened.root, "metadata", "name"),
      "FIELD_INVALID",
      `The one BaselineAdminNetworkPolicy of a cluster is named default, not "${opened.name}".`,
    );
  return {
    ...tiered(opened, BASELINE, ["subject", "ingress", "egress"]),
    kind: "BaselineAdminNetworkPolicy",
    tier: "baseline",
    priority: 0,
  };
}

/** Reads a policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy. Pods on the host network are outside its reach. */
export function readClusterPolicy(opened: Opened): Policy {
  const spec = at(opened.root, "spec");
  const tier = requiredWord(at(spec, "tier"), ["Admin", "Baseline"]);
  return {
    ...tiered(opened, CLUSTER, ["tier", "priority", "subject", "ingress", "egress"]),
    kind: "ClusterNetworkPolicy",
    tier: tier === "Baseline" ? "baseline" : "admin",
    priority: readPriority(at(spec, "priority")),
    seesHostNetwork: false,
  };
}

function tiered(
  opened: Opened,
  dialect: Dialect,
  known: readonly string[],
): Omit<Policy, "kind" | "tier" | "priority"> {
  const spec = at(opened.root, "spec");
  onlyKnown(spec, known);
  return {
    name: requiredName(opened),
    subject: readSubject(at(spec, "subject")),
    seesHostNetwork: true,
    rules: {
      ingress: readTieredRules(at(spec, "ingress"), "ingress", dialect),
      egress: readTieredRules(at(spec, "egress"), "egress", dialect),
    },
    locate: opened.locate,
  };
}

function readPriority(field: Field): number {
  const priority = optionalWhole(field);
  if (!present(field)) refuseField(field, "FIELD_MISSING", "The priority is missing.");
  if (priority !== undefined && (priority < 0 || priority > 1000))
    refuseField(field, "FIELD_INVALID", `${priority} is no priority; priorities are 0 to 1000.`);
  return priority ?? 0;
}

/** v1alpha1: exactly one of portNumber, portRange, namedPort. */
function readAdminPort(field: Field): PortMatch {
  const keys = ["portNumber", "portRange", "namedPort"];
  onlyKnown(field, keys);
  const only = exactlyOne(field, keys);
  if (only === "namedPort") return readNamedPort(at(field, only));
  if (only === undefined) return { kind: "ports", ports: [] };
  const entry = at(field, only);
  onlyKnown(entry, only === "portNumber" ? ["port", "protocol"] : ["start", "end", "protocol"]);
  const protocol = readProtocol(at(entry, "protocol"));
  const [from, to] = only === "portNumber" ? ["port", "port"] : ["start", "end"];
  return { kind: "ports", ports: readRange(protocol, at(entry, from ?? ""), at(entry, to ?? "")) };
}

const FIELD_OF: Readonly<Record<Protocol, string>> = { TCP: "tcp", UDP: "udp", SCTP: "sctp" };

/** v1alpha2: exactly one of tcp, udp, sctp, destinationNamedPort. */
function readClusterProtocol(field: Field): PortMatch {
  const keys = [...PROTOCOLS.map((protocol) => FIELD_OF[protocol]), "destinationNamedPort"];
  onlyKnown(field, keys);
  const only = exactlyOne(field, keys);
  if (only === "destinationNamedPort") return readNamedPort(at(field, only));
  const protocol = PROTOCOLS.find((one) => FIELD_OF[one] === only);
  if (only === undefined || protocol === undefined) return { kind: "ports", ports: [] };
  onlyKnown(at(field, only), ["destinationPort"]);
  return { kind: "ports", ports: readDestinationPort(at(field, only, "destinationPort"), protocol) };
}

function readDestinationPort(field: Field, protocol: Protocol) {
  onlyKnown(field, ["number", "range"]);
  if (exactlyOne(field, ["number", "range"]) !== "range")
    return present(at(field, "number")) ? readRange(protocol, at(field, "number"), at(field, "number")) : [];
  onlyKnown(at(field, "range"), ["start", "end"]);
  return readRange(protocol, at(field, "range", "start"), at(field, "range", "end"));
}
