import type { Catalogue } from "../domain/catalogue.ts";
import type { Workload } from "../domain/workload.ts";
import { judge, type Terms, type Verdict } from "./judge.ts";
import { type MetadataPresence, type PatchOperation, patchOf } from "./patch.ts";

/** A workload, its verdict, and the patch that admission makes of it. */
export type Reviewed = {
  readonly workload: Workload;
  readonly verdict: Verdict;
  readonly patch: readonly PatchOperation[];
};

/**
 * Reviews one workload as admission would. What is refused is left as it came; templates and ExternalWorkloads are never
 * patched: their Pods and machines are.
 */
export function review(catalogue: Catalogue, workload: Workload, present: MetadataPresence, terms: Terms): Reviewed {
  const verdict = judge(catalogue, workload, terms);
  const stamped = verdict.decision !== "deny" && workload.form !== "template" && isStampable(workload);
  return { workload, verdict, patch: stamped ? patchOf(verdict.deviations, present) : [] };
}

const isStampable = ({ kind }: Workload): boolean => kind === "Pod" || kind === "VirtualMachine";
