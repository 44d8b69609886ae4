import type { Segment } from "../domain/definitions.ts";
import type { Workload } from "../domain/workload.ts";

/** Whether a segment's canary names this workload: by namespace, or as NAME, KIND/NAME or NAMESPACE/NAME of it or its owner. */
export function inCanary({ canary }: Segment, workload: Workload): boolean {
  if (canary.namespaces.includes(workload.namespace)) return true;
  return namesOf(workload).some(
    ({ kind, name }) =>
      canary.workloads.includes(name) ||
      canary.workloads.includes(`${kind}/${name}`) ||
      canary.workloads.includes(`${workload.namespace}/${name}`),
  );
}

/** The workload itself, its owner, and the Deployment behind a ReplicaSet's Pod. */
function namesOf({ object, owner, labels }: Workload): readonly { kind: string; name: string }[] {
  const names = [{ kind: object.kind, name: object.name }];
  if (!owner) return names;
  const hash = labels["pod-template-hash"];
  const deployed = owner.kind === "ReplicaSet" && hash !== undefined && owner.name.endsWith(`-${hash}`);
  if (deployed) names.push({ kind: "Deployment", name: owner.name.slice(0, -hash.length - 1) });
  return [...names, { kind: owner.kind, name: owner.name }];
}
