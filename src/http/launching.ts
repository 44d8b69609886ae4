import { claimsLauncher, isLabelledLauncher, machineReference } from "../admission/launchers.ts";
import type { Launching, Workload } from "../domain/workload.ts";
import type { ReviewRequest } from "../wire/admission-review.ts";
import type { Machines } from "./services.ts";

/**
 * What is known of the instance that the Pod of a review claims to launch; undefined where it claims none. Waits only for an
 * instance that the snapshot lacks. Who made a Pod that runs was asked when it was created.
 */
export function launchingOf(
  { operation, workload, oldWorkload, user }: ReviewRequest,
  machines: Machines,
): Launching | Promise<Launching> | undefined {
  if (!workload || !claimsLauncher(workload)) return undefined;
  const byVirtController = machines.virtControllers.has(user.username) || wasLauncher(workload, oldWorkload);
  const owner = machineReference(workload);
  if (!owner) return { byVirtController, machine: "none" };
  const machine = machines.find(workload.namespace, owner);
  if (machine) return { byVirtController, machine };
  // A launcher outlives its instance a little, and is let go in peace.
  if (operation !== "CREATE" || !byVirtController) return { byVirtController, machine: "unknown" };
  return machines.look(workload.namespace, owner).then((found) => ({ byVirtController, machine: found }));
}

/** A Pod that was no launcher does not become one by a label. */
const wasLauncher = (now: Workload, old: Workload | undefined): boolean =>
  old !== undefined && claimsLauncher(old) && (isLabelledLauncher(old) || !isLabelledLauncher(now));
