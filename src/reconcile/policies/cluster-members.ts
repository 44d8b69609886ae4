import type { Catalogue } from "../../domain/catalogue.ts";
import type { ExternalWorkload } from "../../domain/definitions.ts";
import type { WorkloadEnd } from "../../domain/flow.ts";
import type { Labels } from "../../domain/label-selector.ts";
import type { Workload } from "../../domain/workload.ts";
import { flowEndOf } from "../../identity/flow-end.ts";
import { type EffectiveEnd, namedPorts, outsideEndpoint } from "../../policy/effective/end.ts";
import { openObjects } from "../../policy/foreign/object.ts";
import { readPod } from "../../policy/foreign/pod.ts";
import { workloadText } from "../../policy/model/endpoint.ts";
import type { PodRecord } from "../../policy/model/world.ts";
import { parseAddress } from "../../policy/sets/address-set.ts";
import { readApiObject } from "../../wire/objects.ts";
import { type Raw, rawAt, textAt } from "../../wire/read-object.ts";
import { readWorkload } from "../../wire/workloads.ts";
import { asCreated } from "../pods/created-by.ts";
import { endOfPod } from "../pods/quarantined.ts";

type ReadPod = { readonly workload: Workload; readonly record: PodRecord; readonly node: string | undefined };

/** Pods are read once: an object of a watch is replaced when it changes. */
const known = new WeakMap<Raw, ReadPod | "no workload">();

/**
 * The workloads of a cluster as ends of flows: its Pods that have not ended, and the machines and functions of the
 * catalogue. A Pod that cannot be read is left out. A launcher is the machine that it runs.
 */
export function clusterMembers(
  catalogue: Catalogue,
  pods: Iterable<Raw>,
  namespaces: ReadonlyMap<string, Labels>,
): readonly EffectiveEnd<WorkloadEnd>[] {
  const members: EffectiveEnd<WorkloadEnd>[] = [];
  for (const raw of pods) {
    const read = podOf(raw);
    if (read !== "no workload") members.push(memberOf(catalogue, read, namespaces));
  }
  return [...members, ...catalogue.definitions.externalWorkloads.map((each) => machineMember(catalogue, each))];
}

function podOf(raw: Raw): ReadPod | "no workload" {
  const before = known.get(raw);
  if (before) return before;
  const read = hasEnded(raw) ? "no workload" : readOne(raw);
  known.set(raw, read);
  return read;
}

const hasEnded = (raw: Raw): boolean => ["Succeeded", "Failed"].includes(textAt(rawAt(raw, "status"), "phase") ?? "");

function readOne(raw: Raw): ReadPod | "no workload" {
  const object = readApiObject(raw, "the cluster");
  const workload = object.ok ? readWorkload(object.value, { namespace: object.value.namespace }) : object;
  const [opened] = openObjects({ value: raw, locate: () => PLACE });
  if (!workload.ok || !workload.value || !opened) return "no workload";
  const record = readPod(opened, new Map());
  return opened.notes.refused.length > 0
    ? "no workload"
    : { workload: workload.value, record, node: textAt(rawAt(raw, "spec"), "nodeName") };
}

const PLACE = { file: "the cluster", line: 1, column: 1 };

/** A Pod as an end of flows; undefined where it has ended, or cannot be read. */
export function podEnd(catalogue: Catalogue, pod: Raw): WorkloadEnd | undefined {
  const read = podOf(pod);
  return read === "no workload" ? undefined : endOf(catalogue, read);
}

const endOf = (catalogue: Catalogue, { workload, record, node }: ReadPod): WorkloadEnd =>
  endOfPod(catalogue, asCreated(catalogue, workload), {
    ports: namedPorts(record.ports),
    ...(node === undefined ? {} : { node }),
  });

function memberOf(
  catalogue: Catalogue,
  read: ReadPod,
  namespaces: ReadonlyMap<string, Labels>,
): EffectiveEnd<WorkloadEnd> {
  const { record } = read;
  const end = endOf(catalogue, read);
  return {
    end,
    endpoint: {
      kind: "workload",
      name: record.workload,
      text: workloadText(record.workload),
      traits: {
        namespace: record.namespace,
        namespaceLabels: {
          ...namespaces.get(record.namespace),
          "kubernetes.io/metadata.name": record.namespace,
        },
        labels: record.labels,
        ports: record.ports,
        addresses: record.addresses,
        ...(record.host ? { host: record.host } : {}),
        virtualMachine: end.workloadKind === "VirtualMachine",
      },
    },
  };
}

/** A machine or function: policies of a cluster know it by its address only. */
function machineMember(catalogue: Catalogue, external: ExternalWorkload): EffectiveEnd<WorkloadEnd> {
  const block = parseAddress(external.addresses[0] ?? "");
  const first = block && BigInt(block.range[0]);
  const range = block && first !== undefined ? { family: block.family, first, last: first } : undefined;
  return { end: flowEndOf(catalogue, asWorkload(external)), endpoint: outsideEndpoint(external.name, range) };
}

const asWorkload = ({ kind, namespace, name, uid, serviceAccount, labels }: ExternalWorkload): Workload => ({
  kind,
  form: "object",
  object: {
    apiVersion: "signet.dev/v1alpha1",
    kind: "ExternalWorkload",
    namespace,
    name,
    ...(uid === undefined ? {} : { uid }),
  },
  namespace,
  serviceAccount,
  labels,
  annotations: {},
  ownLabels: labels,
  ownAnnotations: {},
  escapes: [],
  metadataPath: "metadata",
});
