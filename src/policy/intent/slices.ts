import type { FlowEnd } from "../../domain/flow.ts";
import type { Instant } from "../../domain/instant.ts";
import { unite } from "../sets/intervals.ts";
import type { Intent } from "./intent.ts";
import { type PairRules, pairRules } from "./pair.ts";
import { EVERY_PASSAGE, NO_PASSAGE, passageAt, type PassageSet, passagesOfAll } from "./passages.ts";
import { decidePassage, type IntentVerdict, rulingsOf } from "./verdict.ts";

/** Passages between two ends that are decided alike. */
export type IntentSlice = { readonly passages: PassageSet; readonly verdict: IntentVerdict };

/** All passages between two ends, parted by what decides on them. */
export function sliceIntent(intent: Intent, from: FlowEnd, to: FlowEnd, now: Instant): readonly IntentSlice[] {
  const rules = pairRules(intent, from, to, now);
  const slices = new Map<string, { passages: PassageSet; verdict: IntentVerdict }>();
  for (const part of parts(rules)) {
    const verdict = decidePassage(rules, passageAt(part[0]));
    const key = reasonKey(verdict);
    const known = slices.get(key);
    if (known) known.passages = unite(known.passages, part);
    else slices.set(key, { passages: part, verdict });
  }
  return [...slices.values()];
}

/** Every passage, cut wherever a rule begins or ends. */
function parts(rules: PairRules): readonly (readonly [number, number])[] {
  const bounds = new Set<number>(EVERY_PASSAGE);
  for (const line of [...rules.opens, ...rules.crossings, ...rules.denials.map((denial) => denial.line)])
    for (const bound of passagesOfAll(line.on, rules.to)) bounds.add(bound);
  const sorted = [...bounds].sort((a, b) => a - b);
  const inside = (from: number): boolean => EVERY_PASSAGE.findLastIndex((bound) => bound <= from) % 2 === 0;
  return sorted.flatMap((from, index) => {
    const until = sorted[index + 1];
    return until !== undefined && inside(from) ? [[from, until] as const] : [];
  });
}

const reasonKey = (verdict: IntentVerdict): string =>
  [
    verdict.allowed,
    verdict.reason.kind,
    ...rulingsOf(verdict.reason).map(({ object, path }) => `${object} ${path}`),
  ].join();

/** The passages that are open between two ends. */
export const openPassages = (slices: readonly IntentSlice[]): PassageSet =>
  slices.reduce<PassageSet>((all, { passages, verdict }) => (verdict.allowed ? unite(all, passages) : all), NO_PASSAGE);
