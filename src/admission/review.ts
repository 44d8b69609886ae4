import type { Catalogue } from "../domain/catalogue.ts";
import type { PatchOperation } from "../domain/json-patch.ts";
import type { Workload } from "../domain/workload.ts";
import { judge, type Terms, type Verdict } from "./judge.ts";
import { type MetadataPresence, patchOf } from "../identity/patch.ts";

/** A workload, its verdict, and the patch that admission makes of it. */
export type Reviewed = {
  readonly workload: Workload;
  readonly verdict: Verdict;
  readonly patch: readonly PatchOperation[];
};

/**
 * Reviews one workload as admission would. Where a role fits it is stamped, refused or not: validation refuses what it has
 * to. What claims a role that is not its own, or has none and is refused for that, is left as it came. Templates and
 * ExternalWorkloads are never patched: their Pods and machines are.
 */
export function review(catalogue: Catalogue, workload: Workload, present: MetadataPresence, terms: Terms): Reviewed {
  const verdict = judge(catalogue, workload, terms);
  const patched = isStamped(workload) && !leftAsItCame(verdict);
  return { workload, verdict, patch: patched ? patchOf(verdict.deviations, present) : [] };
}

const leftAsItCame = ({ decision, identity, problems }: Verdict): boolean =>
  decision === "deny" && (identity === undefined || problems.some(({ code }) => code === "ROLE_NOT_ENTITLED"));

/** Whether an object is stamped itself: Pods and VMs are, templates and ExternalWorkloads are not. */
export const isStamped = ({ kind, form }: Workload): boolean =>
  form !== "template" && (kind === "Pod" || kind === "VirtualMachine");
