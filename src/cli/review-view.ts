import type { Reviewed } from "../admission/review.ts";

/** One reviewed workload as `--output json` prints it. */
export function reviewView({ workload, verdict, patch }: Reviewed) {
  return {
    kind: workload.object.kind,
    namespace: workload.object.namespace,
    name: workload.object.name,
    verdict: verdict.decision,
    role: verdict.identity?.role.name ?? null,
    segment: verdict.identity?.segment.name ?? null,
    spiffeId: verdict.identity?.spiffeId ?? null,
    approval: verdict.approval,
    labels: verdict.stamp.labels,
    annotations: verdict.stamp.annotations,
    // A refused object is never written, so nothing of it is patched.
    patch: verdict.decision === "deny" ? [] : patch,
    problems: verdict.problems.map(({ code, path, message, mend }) => ({ code, path, message, mend: mend ?? null })),
  };
}

/** The form of `reviewView`. */
export type ReviewView = ReturnType<typeof reviewView>;
