import type { Judged } from "../http/services.ts";
import type { Entry } from "../store/chain.ts";
import { renderVerdictRecord, type VerdictSummary } from "../wire/verdict-record.ts";

/** A verdict as the ledger takes it. Undefined where nothing was judged. */
export function verdictEntry(
  { webhook, at, revision, request, answer }: Judged,
  requireApproval: boolean,
): Entry | undefined {
  const { verdict, allowed } = answer;
  const object = request.workload?.object;
  if (!verdict || !object) return undefined;
  const { identity } = verdict;
  const summary: VerdictSummary = {
    allowed,
    decision: verdict.decision,
    role: identity?.role.name,
    segment: identity?.segment.name,
    spiffeId: identity?.spiffeId,
    approval: verdict.approval,
    enrolled: verdict.enrolled,
    codes: verdict.problems.map(({ code }) => code),
  };
  return {
    kind: "verdict",
    subject: `${object.kind} ${object.namespace}/${object.name}`,
    at,
    body: renderVerdictRecord({ webhook, catalogue: revision, requireApproval, request, verdict: summary }),
  };
}
