import { claimsLauncher, machineReference } from "../admission/launchers.ts";
import { SIGNET_ACCOUNT } from "../domain/exempt-namespaces.ts";
import type { Escape, Launching, Workload } from "../domain/workload.ts";
import type { ReviewRequest } from "../wire/admission-review.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { NETWORK_ANNOTATIONS } from "../wire/workloads/escapes.ts";
import type { Machines } from "./services.ts";

/**
 * What is known of the instance that the Pod of a review claims to launch; undefined where it claims none. Waits only for what
 * the snapshot lacks, and refuses with NOT_READY where the verdict hangs on it and nobody answers.
 */
export function launchingOf(
  request: ReviewRequest,
  machines: Machines,
): Launching | Promise<Result<Launching>> | undefined {
  const { operation, workload, oldWorkload, user } = request;
  if (!workload || !claimsLauncher(workload)) return undefined;
  if (machines.virtControllers.has(user.username)) return launchedBy(operation, workload, machines);
  if (operation === "CREATE" || !oldWorkload) return { byVirtController: false, machine: "none" };
  return changedBy(user.username, oldWorkload, workload, machines);
}

/**
 * Who created a Pod that runs is not written on it, and its owners may have been changed since: its instance names it. A
 * snapshot that does not say so may be older than the Pod.
 */
function changedBy(
  username: string,
  old: Workload,
  now: Workload,
  machines: Machines,
): Launching | Promise<Result<Launching>> {
  const owner = machineReference(now);
  const added = addedTo(old, now);
  const byUs = username === SIGNET_ACCOUNT;
  if (!owner) return { byVirtController: byUs, machine: "none", added };
  const pod = now.object.uid ?? "";
  if (byUs || machines.launches(owner.uid, pod))
    return { byVirtController: true, machine: machines.find(now.namespace, owner) ?? "unknown", added };
  return machines.look(now.namespace, owner).then(({ machine, launchers }) => {
    if (machine === "unknown") return refuse("NOT_READY", "", NO_ANSWER, "Try again; it is asked anew.");
    return ok({ byVirtController: launchers.includes(pod), machine, added });
  });
}

const NO_ANSWER = "The instance that the Pod launches could not be read from the API server in time.";

function launchedBy(
  operation: ReviewRequest["operation"],
  workload: Workload,
  machines: Machines,
): Launching | Promise<Result<Launching>> {
  const owner = machineReference(workload);
  if (!owner) return { byVirtController: true, machine: "none" };
  const machine = machines.find(workload.namespace, owner);
  if (machine) return { byVirtController: true, machine };
  // A launcher outlives its instance a little, and is let go in peace.
  if (operation !== "CREATE") return { byVirtController: true, machine: "unknown" };
  return machines
    .look(workload.namespace, owner)
    .then((found) => ok({ byVirtController: true, machine: found.machine }));
}

/** Escapes that a Pod did not have before. An annotation that was rewritten may name other networks. */
function addedTo(old: Workload, now: Workload): readonly Escape[] {
  const rewired = NETWORK_ANNOTATIONS.some((key) => old.annotations[key] !== now.annotations[key]);
  const had = ({ check, permit, path }: Escape): boolean =>
    old.escapes.some((each) => each.permit === permit && each.path === path) &&
    !(rewired && check === "uncoveredInterfaces");
  return now.escapes.filter((escape) => !had(escape));
}
