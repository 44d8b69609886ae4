import { claimsLauncher, machineReference } from "../admission/launchers.ts";
import { SIGNET_ACCOUNT } from "../domain/exempt-namespaces.ts";
import type { Escape, Launching, Workload } from "../domain/workload.ts";
import type { ReviewRequest } from "../wire/admission-review.ts";
import { NETWORK_ANNOTATIONS } from "../wire/workloads/escapes.ts";
import type { Machines } from "./services.ts";

/**
 * What is known of the instance that the Pod of a review claims to launch; undefined where it claims none. Waits only for an
 * instance that the snapshot lacks.
 */
export function launchingOf(request: ReviewRequest, machines: Machines): Launching | Promise<Launching> | undefined {
  const { operation, workload, oldWorkload, user } = request;
  if (!workload || !claimsLauncher(workload)) return undefined;
  if (machines.virtControllers.has(user.username)) return launchedBy(operation, workload, machines);
  if (operation === "CREATE" || !oldWorkload) return { byVirtController: false, machine: "none" };
  return changedBy(user.username, oldWorkload, workload, machines);
}

/** Who created a Pod that runs is not written on it, and its owners may have been changed since: its instance names it. */
function changedBy(username: string, old: Workload, now: Workload, machines: Machines): Launching {
  const owner = machineReference(now);
  const named = owner !== undefined && machines.launches(owner.uid, now.object.uid ?? "");
  const machine = owner ? (machines.find(now.namespace, owner) ?? "unknown") : "none";
  return { byVirtController: named || username === SIGNET_ACCOUNT, machine, added: addedTo(old, now) };
}

function launchedBy(
  operation: ReviewRequest["operation"],
  workload: Workload,
  machines: Machines,
): Launching | Promise<Launching> {
  const owner = machineReference(workload);
  if (!owner) return { byVirtController: true, machine: "none" };
  const machine = machines.find(workload.namespace, owner);
  if (machine) return { byVirtController: true, machine };
  // A launcher outlives its instance a little, and is let go in peace.
  if (operation !== "CREATE") return { byVirtController: true, machine: "unknown" };
  return machines.look(workload.namespace, owner).then((found) => ({ byVirtController: true, machine: found }));
}

/** Escapes that a Pod did not have before. An annotation that was rewritten may name other networks. */
function addedTo(old: Workload, now: Workload): readonly Escape[] {
  const rewired = NETWORK_ANNOTATIONS.some((key) => old.annotations[key] !== now.annotations[key]);
  const had = ({ check, permit, path }: Escape): boolean =>
    old.escapes.some((each) => each.permit === permit && each.path === path) &&
    !(rewired && check === "uncoveredInterfaces");
  return now.escapes.filter((escape) => !had(escape));
}
