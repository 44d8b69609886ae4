import type { ContainerPort, HostNode, WorkloadName } from "../model/endpoint.ts";
import type { PodRecord } from "../model/world.ts";
import { type AddressSet, NO_ADDRESSES, parseAddress, setOf, uniteAddresses } from "../sets/address-set.ts";
import { isPort } from "../sets/port-set.ts";
import { readAttachments } from "./attachments.ts";
import { at, type Field, items, optionalText, optionalWhole, requiredText, textMap, warnField } from "./field.ts";
import { type Opened, requiredName } from "./object.ts";
import { readProtocol } from "./port-match.ts";

/** Where each kind of controller keeps the template of its Pods. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  Deployment: ["spec", "template"],
  ReplicaSet: ["spec", "template"],
  StatefulSet: ["spec", "template"],
  DaemonSet: ["spec", "template"],
  ReplicationController: ["spec", "template"],
  Job: ["spec", "template"],
  CronJob: ["spec", "jobTemplate", "spec", "template"],
};

/** Labels of nodes by name, as far as Node objects are in the input. */
export type Nodes = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** Whether the kind stands for Pods of containers. */
export const holdsPods = (kind: string): boolean => kind === "Pod" || Object.hasOwn(TEMPLATES, kind);

/** Reads a Pod, or the template of a controller, as what policies see of it. */
export function readPod(opened: Opened, nodes: Nodes): PodRecord {
  const template = TEMPLATES[opened.kind];
  const pod = template ? at(opened.root, ...template) : opened.root;
  const spec = at(pod, "spec");
  const name = requiredName(opened);
  const { namespace } = opened;
  const replicas =
    template && opened.kind !== "CronJob" ? optionalWhole(at(opened.root, "spec", "replicas")) : undefined;
  const host = at(spec, "hostNetwork").value === true ? readHost(spec, nodes) : undefined;
  return {
    namespace,
    name,
    workload: template ? { namespace, name, kind: opened.kind } : ownerOf(opened, name),
    labels: textMap(at(pod, "metadata", "labels")),
    serviceAccount: optionalText(at(spec, "serviceAccountName")) ?? "default",
    ports: [...items(at(spec, "containers")), ...sidecars(spec)].flatMap((container) =>
      items(at(container, "ports")).flatMap(readContainerPort),
    ),
    addresses: template ? NO_ADDRESSES : readAddresses(at(opened.root, "status")),
    ...(host ? { host } : {}),
    virtualMachine: false,
    attachments: readAttachments(at(pod, "metadata", "annotations"), namespace),
    ...(replicas === undefined ? {} : { replicas }),
    locate: opened.locate,
  };
}

/** Init containers that run on beside the others (restartPolicy Always) serve ports too. */
const sidecars = (spec: Field): readonly Field[] =>
  items(at(spec, "initContainers")).filter((container) => at(container, "restartPolicy").value === "Always");

/** A Pod is called after its controller; a node that controls a mirror Pod is none. */
function ownerOf(opened: Opened, name: string): WorkloadName {
  const { namespace } = opened;
  for (const owner of items(at(opened.root, "metadata", "ownerReferences"))) {
    const kind = optionalText(at(owner, "kind")) ?? "";
    if (at(owner, "controller").value === true && kind !== "Node")
      return { namespace, name: requiredText(at(owner, "name")), kind: kind === "" ? "Pod" : kind };
  }
  return { namespace, name, kind: "Pod" };
}

/** An entry without a number is left out with a warning; one that is no number at all makes the Pod unreadable. */
function readContainerPort(field: Field): readonly ContainerPort[] {
  const port = optionalWhole(at(field, "containerPort"));
  if (port === undefined || !isPort(port)) {
    warnField(field, "FIELD_INVALID", "This container port has no number from 1 to 65535, so it is left out.");
    return [];
  }
  const name = optionalText(at(field, "name"));
  const protocol = readProtocol(at(field, "protocol"));
  return [name === undefined ? { port, protocol } : { port, protocol, name }];
}

function readAddresses(status: Field): AddressSet {
  const listed = items(at(status, "podIPs")).map((entry) => at(entry, "ip").value);
  return [at(status, "podIP").value, ...listed]
    .map((text) => (typeof text === "string" ? parseAddress(text) : undefined))
    .reduce<AddressSet>((set, block) => (block ? uniteAddresses(set, setOf(block)) : set), NO_ADDRESSES);
}

/**
 * What is known of the node: its own labels where the Node object is there; else what the Pod itself demands of it, and
 * Linux where it doesn't say otherwise.
 */
function readHost(spec: Field, nodes: Nodes): HostNode {
  const known = nodes.get(optionalText(at(spec, "nodeName")) ?? "");
  if (known) return { labels: known, complete: true };
  const os = optionalText(at(spec, "os", "name")) ?? "linux";
  return { labels: { "kubernetes.io/os": os, ...textMap(at(spec, "nodeSelector")) }, complete: false };
}
