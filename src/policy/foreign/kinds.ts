import type { Problem } from "../../domain/problem.ts";
import { problem } from "../../domain/problem.ts";
import { type Opened, objectText } from "./object.ts";
import { isUnevaluated } from "./unevaluated.ts";

/** API groups under which a kind means what is read here; other groups have kinds of the same name. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  NetworkPolicy: ["networking.k8s.io", "extensions"],
  AdminNetworkPolicy: ["policy.networking.k8s.io"],
  BaselineAdminNetworkPolicy: ["policy.networking.k8s.io"],
  ClusterNetworkPolicy: ["policy.networking.k8s.io"],
  MultiNetworkPolicy: ["k8s.cni.cncf.io"],
  NetworkAttachmentDefinition: ["k8s.cni.cncf.io"],
  UserDefinedNetwork: ["k8s.ovn.org"],
  ClusterUserDefinedNetwork: ["k8s.ovn.org"],
  Service: [""],
  Ingress: ["networking.k8s.io", "extensions"],
  Route: ["route.openshift.io", ""],
  VirtualMachine: ["kubevirt.io"],
  Namespace: [""],
  Node: [""],
};

/** Kinds that count only where several networks are analysed. */
const NEEDS_NETWORKS: ReadonlySet<string> = new Set([
  "UserDefinedNetwork",
  "ClusterUserDefinedNetwork",
  "NetworkAttachmentDefinition",
  "MultiNetworkPolicy",
  "VirtualMachine",
]);

/** The kind of an object, empty where its group says that it is another thing of the same name. */
export const kindOf = (opened: Pick<Opened, "kind" | "group">): string =>
  GROUPS[opened.kind]?.includes(opened.group) === false ? "" : opened.kind;

/** Whether an object counts in this analysis. */
export const counts = (opened: Opened, multipleNetworks: boolean): boolean =>
  !isLauncher(opened) && (multipleNetworks || !NEEDS_NETWORKS.has(kindOf(opened)));

/** The Pod that runs a VM; the VirtualMachine stands for it. */
const isLauncher = (opened: Opened): boolean => opened.kind === "Pod" && opened.name.startsWith("virt-launcher-");

/** What the user should know of objects that don't count: one warning for each. */
export function skippedWarnings(all: readonly Opened[], multipleNetworks: boolean): readonly Problem[] {
  return all.flatMap((opened) => {
    const why = whySkipped(opened, multipleNetworks);
    return why === undefined ? [] : [{ ...problem("OBJECT_SKIPPED", "", why), source: opened.locate([]) }];
  });
}

function whySkipped(opened: Opened, multipleNetworks: boolean): string | undefined {
  const name = `${opened.namespace}/${opened.name}`;
  if (isLauncher(opened))
    return `skipping virt-launcher pod: ${name} as it is a launcher pod managing a VirtualMachine`;
  if (!multipleNetworks && NEEDS_NETWORKS.has(kindOf(opened)))
    return `skipping object with type: ${opened.kind} (${name}): it counts with --multiple-networks only.`;
  if (isUnevaluated(opened))
    return `${objectText(opened)} of ${opened.group} is not evaluated: what it denies is shown as allowed.`;
  return opened.kind === "" ? "An object that does not say its kind is left out." : undefined;
}
