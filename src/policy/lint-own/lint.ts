import type { WorkloadEnd } from "../../domain/flow.ts";
import type { Instant } from "../../domain/instant.ts";
import type { Problem } from "../../domain/problem.ts";
import type { Intent } from "../intent/intent.ts";
import { pairFindings } from "./pairs.ts";
import { singleFindings } from "./single.ts";

/**
 * Everything worth mending in sentences, guardrails and exceptions at an instant, in the order of files and lines. Names
 * that nobody defined are the matter of `signet lint`.
 */
export function lintSentences(intent: Intent, ends: readonly WorkloadEnd[], now: Instant): readonly Problem[] {
  return [...pairFindings(intent), ...singleFindings(intent, ends, now)].sort(byPlace);
}

const byPlace = (a: Problem, b: Problem): number =>
  compare(a.source?.file ?? "", b.source?.file ?? "") ||
  compare(a.source?.line ?? 0, b.source?.line ?? 0) ||
  compare(a.code, b.code);

const compare = <T extends string | number>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);
