import type { ProblemCode } from "../../domain/problem-codes.ts";
import { EXCEPTION_ANNOTATION } from "../../domain/reserved-keys.ts";
import type { ObjectKey } from "../../wire/definitions/approvable.ts";
import { isLive, type PodSeen } from "./seen.ts";

/** A Pod that runs only because of an exception that has ended; it is flagged, and its next start is refused. */
export type EndedException = {
  readonly do: "flagPod";
  readonly object: ObjectKey;
  /** Name of the exception, in the Pod's namespace. */
  readonly exception: string;
  readonly code: ProblemCode;
  readonly why: string;
};

/** How an exception ends: at its time, by being withdrawn, by losing its grant, by being deleted. */
const ENDED: ReadonlySet<ProblemCode> = new Set([
  "EXCEPTION_EXPIRED",
  "EXCEPTION_UNAPPROVED",
  "EXCEPTION_UNSIGNED",
  "EXCEPTION_MISSING",
]);

/** Lists the live Pods that admission would refuse now because the exception they point to has ended. */
export const decideEnded = (pods: readonly PodSeen[]): readonly EndedException[] =>
  pods.filter(isLive).flatMap(({ object, workload, judgement }) => {
    const found = judgement.findings.find(({ problem, refuses }) => refuses && ENDED.has(problem.code));
    if (!found) return [];
    const { code, message } = found.problem;
    const exception = workload.annotations[EXCEPTION_ANNOTATION] ?? "";
    return [{ do: "flagPod", object, exception, code, why: `${message} Its next start will be refused.` }];
  });
