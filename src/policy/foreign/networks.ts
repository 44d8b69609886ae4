import { selects, type Labels } from "../../domain/label-selector.ts";
import type { PrimaryNetwork } from "../model/world.ts";
import { at, type Field, refuseField, requiredWord, warnField } from "./field.ts";
import { type Opened, objectText } from "./object.ts";
import { readSelector } from "./selector.ts";

const OPT_IN = "k8s.ovn.org/primary-user-defined-network";
/** OVN-Kubernetes keeps user-defined networks out of these namespaces. */
const isReserved = (namespace: string): boolean => namespace === "default" || namespace.startsWith("openshift-");

function refuseReserved(field: Field, namespaces: readonly string[]): void {
  for (const name of namespaces.filter(isReserved))
    refuseField(field, "FIELD_INVALID", `No user-defined network may take the namespace ${name}.`);
}

type Topology = "Layer2" | "Layer3" | "Localnet";

/** Labels of the namespaces that have an object of their own. */
export type NamespaceObjects = ReadonlyMap<string, Labels>;

/** Reads a k8s.ovn.org/v1 UserDefinedNetwork; undefined where it isolates nothing, which a warning says. */
export function readUserNetwork(opened: Opened, namespaces: NamespaceObjects): PrimaryNetwork | undefined {
  const name = at(opened.root, "metadata", "name");
  if (opened.name === "default")
    refuseField(name, "FIELD_INVALID", "The name of a UserDefinedNetwork must not be default.");
  refuseReserved(at(opened.root, "metadata", "namespace"), [opened.namespace]);
  if (!isPrimary(at(opened.root, "spec"), ["Layer2", "Layer3"])) return undefined;
  const taken = optedIn([opened.namespace], namespaces, opened.root);
  return taken.length === 0 ? undefined : { kind: "UDN", name: opened.name, namespaces: taken };
}

/** Reads a k8s.ovn.org/v1 ClusterUserDefinedNetwork; undefined where it isolates nothing, which a warning says. */
export function readClusterNetwork(opened: Opened, namespaces: NamespaceObjects): PrimaryNetwork | undefined {
  const selector = readSelector(at(opened.root, "spec", "namespaceSelector"));
  if (!isPrimary(at(opened.root, "spec", "network"), ["Layer2", "Layer3", "Localnet"])) return undefined;
  const selected = [...namespaces].filter(([, labels]) => selects(selector, labels)).map(([name]) => name);
  const taken = optedIn(selected, namespaces, opened.root);
  refuseReserved(at(opened.root, "spec", "namespaceSelector"), taken);
  return taken.length === 0 ? undefined : { kind: "CUDN", name: opened.name, namespaces: taken };
}

/** Whether the network takes the place of the Pod network for those in it. */
function isPrimary(spec: Field, topologies: readonly Topology[]): boolean {
  const topology = requiredWord(at(spec, "topology"), topologies);
  if (topology === undefined) return false;
  const layer = at(spec, `${topology[0]?.toLowerCase()}${topology.slice(1)}`);
  const role = requiredWord(at(layer, "role"), ["Primary", "Secondary"]);
  if (role === "Secondary")
    warnField(
      at(layer, "role"),
      "NETWORK_IGNORED",
      "Only primary user-defined networks are looked at; this one is ignored.",
    );
  return role === "Primary";
}

function optedIn(names: readonly string[], namespaces: NamespaceObjects, root: Field): readonly string[] {
  for (const name of names)
    if (!Object.hasOwn(namespaces.get(name) ?? {}, OPT_IN))
      warnField(
        root,
        "NETWORK_IGNORED",
        `The namespace ${name} has no object with the label ${OPT_IN}, so the network does not isolate it.`,
      );
  return names.filter((name) => Object.hasOwn(namespaces.get(name) ?? {}, OPT_IN));
}

/** Notes on each network that takes a namespace which another has taken already. */
export function refuseShared(networks: readonly { readonly opened: Opened; readonly network: PrimaryNetwork }[]): void {
  const takenBy = new Map<string, Opened>();
  for (const { opened, network } of networks)
    for (const namespace of network.namespaces) {
      const other = takenBy.get(namespace);
      if (other)
        refuseField(
          opened.root,
          "FIELD_CONFLICT",
          `The namespace ${namespace} has a primary network already, of ${objectText(other)}; there can be only one.`,
        );
      else takenBy.set(namespace, opened);
    }
}
