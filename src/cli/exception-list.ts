import { makeCatalogue } from "../domain/catalogue.ts";
import type { Instant } from "../domain/instant.ts";
import { ok, type Result } from "../domain/problem.ts";
import type { ApprovalSnapshot } from "../reconcile/approvals/decide.ts";
import { readApprovable } from "../wire/definitions/approvable.ts";
import { readSnapshot } from "./approvals.ts";
import { exceptionView } from "./definition-views.ts";
import type { KubeAccess } from "./kube-access.ts";

/** One exception of a cluster: what a folder knows of it, and who asked for it. */
export type ListedException = ReturnType<typeof exceptionView> & { readonly requestedBy: readonly string[] };

/** The exceptions of a cluster, as they are in force. */
export async function listExceptions(kube: KubeAccess, now: Instant): Promise<Result<readonly ListedException[]>> {
  const snapshot = await readSnapshot(kube);
  return snapshot.ok ? ok(viewsOf(snapshot.value, now)) : snapshot;
}

function viewsOf({ objects, definitions }: ApprovalSnapshot, now: Instant): readonly ListedException[] {
  const catalogue = makeCatalogue(definitions, "");
  const editors = new Map(
    objects
      .filter(({ kind }) => kind === "SegmentException")
      .map((object) => [`${object.namespace}/${object.name}`, readApprovable(object, "Namespaced").editors]),
  );
  return definitions.exceptions
    .map((exception) => ({
      ...exceptionView(catalogue, exception, now),
      requestedBy: editors.get(`${exception.namespace}/${exception.name}`) ?? [],
    }))
    .sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1));
}
