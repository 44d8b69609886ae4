import type { Reviewed } from "../admission/review.ts";

/** The colour of each decision. */
export const DECISION_COLORS = { admit: "green", warn: "yellow", deny: "red" } as const;

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
