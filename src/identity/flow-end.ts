import type { Catalogue } from "../domain/catalogue.ts";
import type { NamedPort, WorkloadEnd } from "../domain/flow.ts";
import type { Workload } from "../domain/workload.ts";
import { inCanary } from "./canary.ts";
import { deriveIdentity } from "./fit-role.ts";

/** What of a workload identity doesn't tell: the ports it lists by name, its node, and the Pod that runs a machine. */
export type Seen = {
  readonly ports?: readonly NamedPort[];
  readonly node?: string;
  readonly launcher?: { readonly name: string; readonly uid?: string };
};

/** The workload as an end of flows: with role and segment where exactly one role fits, else as nobody. */
export function flowEndOf(catalogue: Catalogue, workload: Workload, seen: Seen = {}): WorkloadEnd {
  const { kind, object } = workload;
  const end: WorkloadEnd = {
    kind: "workload",
    workloadKind: kind,
    object: {
      kind: object.kind,
      namespace: workload.namespace,
      name: object.name,
      ...(object.uid === undefined ? {} : { uid: object.uid }),
    },
    namespace: workload.namespace,
    labels: workload.labels,
    ports: seen.ports ?? [],
    inCanary: false,
    ...(seen.launcher === undefined ? {} : { launcher: seen.launcher }),
    ...(seen.node === undefined ? {} : { node: seen.node }),
  };
  const identity = deriveIdentity(catalogue, workload);
  if (!identity.ok) return end;
  const { role, segment, spiffeId } = identity.value;
  return {
    ...end,
    role: role.name,
    segment: segment.name,
    identity: spiffeId,
    inCanary: inCanary(segment, workload),
    ...(segment.environment === undefined ? {} : { environment: segment.environment }),
    ...(segment.classification === undefined ? {} : { classification: segment.classification }),
  };
}
