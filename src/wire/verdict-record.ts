import type { Labels } from "../domain/label-selector.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import type { Workload } from "../domain/workload.ts";
import type { ReviewRequest } from "./admission-review.ts";
import { isRaw } from "./read-object.ts";
import { isJudgedAnnotation } from "./relevant-change.ts";

/** What a verdict came to. */
export type VerdictSummary = {
  readonly allowed: boolean;
  readonly decision: string;
  readonly role?: string;
  readonly segment?: string;
  readonly spiffeId?: string;
  readonly approval: string;
  readonly enrolled: boolean;
  readonly codes: readonly string[];
};

/** A verdict as the ledger keeps it: everything that it was a function of, and what it was. */
export type VerdictRecord = {
  readonly webhook: "mutate" | "validate";
  /** Digest of the catalogue's text. */
  readonly catalogue: string;
  readonly requireApproval: boolean;
  readonly request: ReviewRequest;
  readonly verdict: VerdictSummary;
};

/**
 * The record as JSON. Of annotations only those that a verdict hangs on are kept: others may hold whole manifests, with
 * secrets in them.
 */
export const renderVerdictRecord = ({ request, ...rest }: VerdictRecord): string => {
  const { workload, oldWorkload, ...bare } = request;
  const kept = {
    ...bare,
    ...(workload ? { workload: withoutForeign(workload) } : {}),
    ...(oldWorkload ? { oldWorkload: withoutForeign(oldWorkload) } : {}),
  };
  return JSON.stringify({ ...rest, request: kept });
};

function withoutForeign({ source: _source, ...workload }: Workload): Workload {
  const same = workload.ownAnnotations === workload.annotations;
  const annotations = judged(workload.annotations);
  return { ...workload, annotations, ownAnnotations: same ? annotations : judged(workload.ownAnnotations) };
}

function judged(annotations: Labels): Labels {
  const kept: Record<string, string> = {};
  for (const key in annotations) if (isJudgedAnnotation(key)) kept[key] = annotations[key] ?? "";
  return kept;
}

/** Reads a record of this Signet's ledger; refuses one that is no verdict. The chain vouches for what is inside. */
export function readVerdictRecord(text: string): Result<VerdictRecord> {
  try {
    const raw: unknown = JSON.parse(text);
    const whole = isRaw(raw) && isRaw(raw["request"]) && isRaw(raw["verdict"]) && typeof raw["catalogue"] === "string";
    if (whole) return ok(raw as unknown as VerdictRecord);
  } catch {
    // Falls through: what is no JSON is no verdict either.
  }
  return refuse("LEDGER_BROKEN", "", "The record is no verdict.", "Run `signet ledger verify`.");
}
