import type { Labels } from "../../domain/label-selector.ts";
import { ok, problem, refuseAll, type Result } from "../../domain/problem.ts";
import type { PodRecord, PrimaryNetwork, World } from "../model/world.ts";
import { at, present, textMap, warnField } from "./field.ts";
import { counts, kindOf, skippedWarnings } from "./kinds.ts";
import { labelGaps } from "./label-gaps.ts";
import { readClusterNetwork, readUserNetwork, refuseShared } from "./networks.ts";
import { type ForeignObject, type Opened, openObjects, requiredName } from "./object.ts";
import { holdsPods, type Nodes, readPod } from "./pod.ts";
import { readPolicies } from "./policies.ts";
import { readIngress, readRoute, readService } from "./services.ts";
import { newSheet, readLeniently, readStrictly, type Sheet } from "./sheet.ts";
import { unevaluatedIn } from "./unevaluated.ts";
import { readVirtualMachine } from "./virtual-machine.ts";

/** How a folder is read. */
export type ReadOptions = {
  /** Counts user-defined networks, network attachments, MultiNetworkPolicies and VirtualMachines; else they are skipped. */
  readonly multipleNetworks: boolean;
  /** Reads YAML inside an object (cloud-init's network data); undefined where it is none. */
  readonly parseYaml: (text: string) => unknown;
};

/** The label that every namespace has by itself. */
const NAME_LABEL = "kubernetes.io/metadata.name";

/**
 * Reads everything an analysis looks at from plain objects. A workload that can't be read is left out with a warning; a
 * policy or network that can't be read refuses the whole, as any answer without it would be wrong.
 */
export function readWorld(objects: readonly ForeignObject[], options: ReadOptions): Result<World> {
  const sheet = newSheet();
  const all = objects.flatMap(openObjects);
  const counted = all.filter((opened) => counts(opened, options.multipleNetworks));
  const of = (kind: string): readonly Opened[] => counted.filter((opened) => kindOf(opened) === kind);
  const labels = readNamespaces(sheet, of("Namespace"));
  const attachments = new Set(of("NetworkAttachmentDefinition").map((opened) => `${opened.namespace}/${opened.name}`));
  const pods = readPods(sheet, counted, readNodes(sheet, of("Node")), options);
  const namespaces = withImplied(labels, pods);
  const policies = readPolicies(sheet, counted, attachments);
  const primaryNetworks = readNetworks(
    sheet,
    [...of("UserDefinedNetwork"), ...of("ClusterUserDefinedNetwork")],
    labels,
  );
  const services = readLeniently(sheet, of("Service"), readService);
  const openings = [
    ...readLeniently(sheet, of("Ingress"), readIngress),
    ...readLeniently(sheet, of("Route"), readRoute),
  ];
  sheet.refused.push(...labelGaps(pods, policies, namespaces));
  sheet.warned.push(...skippedWarnings(all, options.multipleNetworks));
  warnMissingAttachments(sheet, pods, attachments);
  if (sheet.refused.length > 0) return refuseAll(sheet.refused);
  const warnings = sheet.warned;
  const unevaluated = all.flatMap(unevaluatedIn);
  return ok({ namespaces, pods, policies, services, openings, primaryNetworks, attachments, unevaluated, warnings });
}

/** Labels of namespaces by name; the later of two objects of one name counts, as `kubectl apply` has it. */
const readNamespaces = (sheet: Sheet, objects: readonly Opened[]): ReadonlyMap<string, Labels> =>
  new Map(
    readLeniently(sheet, objects, (opened) => {
      const { root } = opened;
      const name = requiredName(opened);
      const dead = at(root, "metadata", "annotations", DEAD_ANNOTATION);
      if (present(dead))
        warnField(dead, "ANNOTATION_DEAD", "No Kubernetes since 1.7 reads this annotation: it isolates nothing.");
      return [name, { [NAME_LABEL]: name, ...textMap(at(root, "metadata", "labels")) }] as const;
    }),
  );

/** How namespaces were isolated before NetworkPolicy had a version of its own. */
const DEAD_ANNOTATION = "net.beta.kubernetes.io/network-policy";

const readNodes = (sheet: Sheet, objects: readonly Opened[]): Nodes =>
  new Map(
    readLeniently(sheet, objects, (opened) => [opened.name, textMap(at(opened.root, "metadata", "labels"))] as const),
  );

function withImplied(labels: ReadonlyMap<string, Labels>, pods: readonly PodRecord[]): ReadonlyMap<string, Labels> {
  const all = new Map(labels);
  for (const { namespace } of pods) if (!all.has(namespace)) all.set(namespace, { [NAME_LABEL]: namespace });
  return all;
}

/** Pods, templates and VMs; of two objects of one kind and name the later counts, with a warning. */
function readPods(sheet: Sheet, objects: readonly Opened[], nodes: Nodes, options: ReadOptions): readonly PodRecord[] {
  const byName = new Map<string, PodRecord>();
  const holders = objects.filter((opened) => holdsPods(opened.kind) || kindOf(opened) === "VirtualMachine");
  readLeniently(sheet, holders, (opened) => {
    const pod =
      opened.kind === "VirtualMachine" ? readVirtualMachine(opened, options.parseYaml) : readPod(opened, nodes);
    if (opened.notes.refused.length > 0) return undefined;
    const key = `${opened.kind} ${pod.namespace}/${pod.name}`;
    if (byName.has(key))
      sheet.warned.push({
        ...problem(
          "OBJECT_DUPLICATE",
          "metadata.name",
          `${key} is defined more than once; the last definition counts.`,
        ),
        source: opened.locate(["metadata", "name"]),
      });
    byName.set(key, pod);
    return undefined;
  });
  return [...byName.values()];
}

function readNetworks(
  sheet: Sheet,
  objects: readonly Opened[],
  labels: ReadonlyMap<string, Labels>,
): readonly PrimaryNetwork[] {
  const read = objects.flatMap((opened) => {
    const network =
      kindOf(opened) === "UserDefinedNetwork" ? readUserNetwork(opened, labels) : readClusterNetwork(opened, labels);
    return network === undefined ? [] : [{ opened, network }];
  });
  refuseShared(read);
  readStrictly(sheet, objects, () => undefined);
  return read.map(({ network }) => network);
}

function warnMissingAttachments(sheet: Sheet, pods: readonly PodRecord[], attachments: ReadonlySet<string>): void {
  if (attachments.size === 0) return;
  for (const pod of pods)
    for (const { namespace, name } of pod.attachments)
      if (!attachments.has(`${namespace}/${name}`))
        sheet.warned.push({
          ...problem(
            "NETWORK_IGNORED",
            "",
            `${pod.namespace}/${pod.name} asks for the network ${namespace}/${name}, which has no NetworkAttachmentDefinition in the input.`,
          ),
          source: pod.locate([]),
        });
}
