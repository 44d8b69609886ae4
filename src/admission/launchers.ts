import { problem, type Problem } from "../domain/problem.ts";
import type { Launching, Owner, Workload } from "../domain/workload.ts";

/** How a Pod stands to the instance that it claims to launch. */
export type Lineage =
  /** It claims nothing of the kind. */
  | { readonly is: "none" }
  /** It launches this instance. */
  | { readonly is: "launcher"; readonly machine: Workload }
  /** A virt-controller made it; whether the instance lives could not be asked. */
  | { readonly is: "unknown" }
  /** It claims what it is not. */
  | { readonly is: "forged"; readonly problem: Problem };

const APP_LABEL = "kubevirt.io";
const CREATED_BY_LABEL = "kubevirt.io/created-by";

const isPod = ({ kind, form }: Workload): boolean => kind === "Pod" && form === "pod";

/** The instance that a Pod names as its controller. */
export const machineReference = (pod: Workload): Owner | undefined =>
  isPod(pod) && pod.owner?.kind === "VirtualMachineInstance" ? pod.owner : undefined;

/** Whether a Pod gives itself out as a launcher, by its controller or by the label that KubeVirt's own go by. */
export const claimsLauncher = (pod: Workload): boolean =>
  machineReference(pod) !== undefined || (isPod(pod) && labelOf(pod, APP_LABEL) === "virt-launcher");

const labelOf = ({ labels }: Workload, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;

/**
 * Says whether a Pod is a launcher (product rules, "VMs"): created by a configured virt-controller, with a live instance as
 * its controller by UID, under that instance's account. Nothing else is one, whatever its labels say.
 */
export function lineageOf(pod: Workload, { byVirtController, machine }: Launching): Lineage {
  if (!claimsLauncher(pod)) return { is: "none" };
  if (!byVirtController) return forged("metadata.labels", "only KubeVirt's virt-controller creates launchers");
  const owner = machineReference(pod);
  if (!owner) return forged("metadata.ownerReferences", "no VirtualMachineInstance is its controller");
  if (machine === "unknown") return { is: "unknown" };
  if (machine === "none")
    return forged("metadata.ownerReferences", `no VirtualMachineInstance ${owner.name} with its UID lives here`);
  return mismatch(pod, owner, machine) ?? { is: "launcher", machine };
}

/** What of a launcher is its instance's: the label that names the UID, and the account. */
function mismatch(pod: Workload, owner: Owner, machine: Workload): Lineage | undefined {
  const named = labelOf(pod, CREATED_BY_LABEL);
  if (named !== undefined && named !== owner.uid)
    return forged(`metadata.labels.${CREATED_BY_LABEL}`, "its label names another instance than its controller");
  if (pod.serviceAccount === machine.serviceAccount) return undefined;
  return forged(
    "spec.serviceAccountName",
    `it runs under account ${pod.serviceAccount}, its instance under ${machine.serviceAccount}`,
  );
}

const forged = (path: string, why: string): Lineage => ({
  is: "forged",
  problem: problem(
    "LAUNCHER_FORGED",
    path,
    `The Pod gives itself out as a virt-launcher, but ${why}.`,
    "Start a VirtualMachine instead, or take KubeVirt's labels and the controller reference away.",
  ),
});

/** A Pod of which nothing is known but itself. */
export const NOT_LAUNCHING: Lineage = { is: "none" };
