import { claimsLauncher, machineReference } from "../../../admission/launchers.ts";
import type { Launching, Workload } from "../../../domain/workload.ts";
import type { LiveMachines } from "../../../kube/machines.ts";
import { carriedStamp } from "../../../identity/inherit.ts";

/** What is known of the instance behind a Pod that runs; undefined where it claims none. */
export function launchingNow(pod: Workload, machines: Pick<LiveMachines, "find" | "launches">): Launching | undefined {
  if (!claimsLauncher(pod)) return undefined;
  const owner = machineReference(pod);
  const machine = owner && machines.find(pod.namespace, owner);
  if (!owner || !machine) return { byVirtController: true, machine: "unknown" };
  return { byVirtController: isKnown(pod, owner.uid, machines), machine };
}

/**
 * Who created a Pod is not written on it. One that carries a stamp was seen by admission; of another the instance's status
 * says that it launches it, which KubeVirt writes.
 */
const isKnown = (pod: Workload, machine: string, machines: Pick<LiveMachines, "launches">): boolean =>
  carriedStamp(pod) !== undefined || machines.launches(machine, pod.object.uid ?? "");
