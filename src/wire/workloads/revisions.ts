import type { Labels } from "../../domain/label-selector.ts";
import type { Owner } from "../../domain/workload.ts";

const REVISION_LABEL = "serving.knative.dev/revision";
/** What Knative makes of a revision is owned by it, or by something named after it. */
const REVISION_OWNERS: ReadonlySet<string> = new Set(["Revision", "Deployment", "ReplicaSet"]);

/** Says "function" of the Pods of a Knative revision: its Deployment, that one's ReplicaSets, and their Pods carry its name. */
export function servedBy(labels: Labels, owner: Owner | undefined): "function" | undefined {
  const revision = Object.hasOwn(labels, REVISION_LABEL) ? labels[REVISION_LABEL] : undefined;
  if (revision === undefined || owner === undefined || !REVISION_OWNERS.has(owner.kind)) return undefined;
  const isIts = owner.name === revision || owner.name.startsWith(`${revision}-deployment`);
  return isIts ? "function" : undefined;
}
