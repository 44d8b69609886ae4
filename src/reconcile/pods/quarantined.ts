import type { Catalogue } from "../../domain/catalogue.ts";
import type { PatchOperation } from "../../domain/json-patch.ts";
import { QUARANTINE_LABEL } from "../../domain/reserved-keys.ts";
import type { Workload } from "../../domain/workload.ts";
import type { WorkloadEnd } from "../../domain/flow.ts";
import { flowEndOf, type Seen } from "../../identity/flow-end.ts";
import { type QuarantineOf, quarantinesOf } from "../../policy/intent/quarantine.ts";
import type { ObjectKey } from "../../wire/definitions/approvable.ts";
import { isLive, type PodSeen } from "./seen.ts";

/** The label that says whether a Pod is under quarantine is put on, or taken away. */
export type QuarantineAction = {
  readonly do: "quarantinePod" | "releasePod";
  readonly object: ObjectKey;
  readonly why: string;
  /** JSON Patch of the Pod's metadata; its first operation tests the resource version. */
  readonly patch: readonly PatchOperation[];
};

const known = new WeakMap<Catalogue, QuarantineOf>();

/** The quarantines of a catalogue, collected once. */
export function quarantinesIn(catalogue: Catalogue): QuarantineOf {
  const found = known.get(catalogue) ?? quarantinesOf(catalogue);
  known.set(catalogue, found);
  return found;
}

/** A Pod as an end of flows. A launcher is the machine that it runs: a Restriction names the one or the other. */
export function endOfPod(catalogue: Catalogue, workload: Workload, seen: Seen = {}): WorkloadEnd {
  const { owner, object } = workload;
  if (owner?.kind !== "VirtualMachineInstance") return flowEndOf(catalogue, workload, seen);
  const machine = { apiVersion: "kubevirt.io/v1", kind: owner.kind, namespace: object.namespace, name: owner.name };
  const launcher = { name: object.name, ...(object.uid === undefined ? {} : { uid: object.uid }) };
  return flowEndOf(catalogue, { ...workload, kind: "VirtualMachine", object: machine }, { ...seen, launcher });
}

/** What is to be done about the label of a Pod that runs on this node; nothing where it says what is so. */
export function quarantineAction(
  catalogue: Catalogue,
  pod: PodSeen,
  node: string | undefined,
): QuarantineAction | undefined {
  const { object, workload, presence } = pod;
  if (!isLive(pod)) return undefined;
  const marked = Object.hasOwn(workload.ownLabels, QUARANTINE_LABEL);
  const ruling = rulingOn(catalogue, workload, node);
  if (marked === (ruling !== undefined)) return undefined;
  const test: PatchOperation = { op: "test", path: "/metadata/resourceVersion", value: object.resourceVersion };
  const path = `/metadata/labels/${QUARANTINE_LABEL.replace("/", "~1")}`;
  if (!ruling)
    return { do: "releasePod", object, why: "No quarantine stands against it.", patch: [test, { op: "remove", path }] };
  const labels: PatchOperation[] = presence.labels ? [] : [{ op: "add", path: "/metadata/labels", value: {} }];
  const why = `${ruling.object}: ${ruling.reason}`;
  return { do: "quarantinePod", object, why, patch: [test, ...labels, { op: "add", path, value: "true" }] };
}

/** By the Pod itself, by what runs in it, and by the node that it is on. */
function rulingOn(catalogue: Catalogue, workload: Workload, node: string | undefined) {
  if (catalogue.definitions.restrictions.length === 0) return undefined;
  return quarantinesIn(catalogue)(endOfPod(catalogue, workload, node === undefined ? {} : { node }));
}
