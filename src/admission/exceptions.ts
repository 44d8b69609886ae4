import type { Catalogue } from "../domain/catalogue.ts";
import type { Exception } from "../domain/definitions.ts";
import { formatInstant, type Instant } from "../domain/instant.ts";
import { problem, type Problem } from "../domain/problem.ts";
import { EXCEPTION_ANNOTATION } from "../domain/reserved-keys.ts";
import type { Escape, Workload } from "../domain/workload.ts";
import { permits } from "./permits.ts";

/** The exception that a workload points to, or why it cannot be counted; undefined where it points to none. */
export function exceptionOf(
  catalogue: Catalogue,
  workload: Workload,
  role: string,
  now: Instant,
): { readonly exception?: Exception; readonly problem?: Problem } | undefined {
  if (!Object.hasOwn(workload.annotations, EXCEPTION_ANNOTATION)) return undefined;
  const name = workload.annotations[EXCEPTION_ANNOTATION] ?? "";
  const exception = catalogue.exceptions.get(`${workload.namespace}/${name}`);
  const refused = unusable(exception, name, workload, role, now);
  return refused ? { problem: refused } : exception ? { exception } : undefined;
}

function unusable(
  exception: Exception | undefined,
  name: string,
  workload: Workload,
  role: string,
  now: Instant,
): Problem | undefined {
  const path = `${workload.metadataPath}.annotations.${EXCEPTION_ANNOTATION}`;
  if (!exception)
    return problem(
      "EXCEPTION_MISSING",
      path,
      `There is no exception "${name}" in namespace ${workload.namespace}.`,
      "Create the SegmentException and have it approved, or take the annotation away.",
    );
  if (exception.approval.state === "missing")
    return problem(
      "EXCEPTION_UNAPPROVED",
      path,
      `Exception "${name}" is not approved.`,
      "Ask somebody with the verb approve.",
    );
  if (exception.notBefore !== undefined && now < exception.notBefore)
    return problem(
      "EXCEPTION_NOT_YET",
      path,
      `Exception "${name}" begins at ${formatInstant(exception.notBefore)}.`,
      "Wait until then, or have one approved that begins earlier.",
    );
  if (now >= exception.expires)
    return problem(
      "EXCEPTION_EXPIRED",
      path,
      `Exception "${name}" ended at ${formatInstant(exception.expires)}.`,
      "Mend what it was for, or have a new one approved.",
    );
  if (exception.role !== role)
    return problem(
      "EXCEPTION_MISMATCH",
      path,
      `Exception "${name}" is for role ${exception.role}, not ${role}.`,
      "Point to an exception for this role, or request one.",
    );
  return undefined;
}

/** Whether an exception permits this escape. */
export function excepts(exception: Exception, escape: Escape): boolean {
  if (!("check" in exception.permit)) return false;
  const { check, path } = exception.permit;
  return permits([path === undefined ? check : `${check}:${path}`], escape);
}
