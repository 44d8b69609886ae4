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

const byPlace = (a: Problem, b: Problem): number => compare(placeOf(a), placeOf(b)) || compare(a.code, b.code);

/** A text whose order is that of files and lines. */
const placeOf = ({ source }: Problem): string =>
  source === undefined ? "" : `${source.file} ${String(source.line).padStart(9)}`;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
