import type { Instant } from "../../domain/instant.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import type { Intent } from "../intent/intent.ts";
import { EVERY_PASSAGE, type PassageSet } from "../intent/passages.ts";
import { openPassages, sliceIntent } from "../intent/slices.ts";
import { ourKeys } from "../reach/classes.ts";
import { intersect, sameSet, subtract } from "../sets/intervals.ts";
import type { Plane } from "./plane.ts";

/** Ends that neither the intent nor any data plane tells apart; the first stands for all. */
export type EndClass = { readonly first: EffectiveEnd; readonly members: readonly EffectiveEnd[] };

/** Two classes between which data planes let through other than what is meant. */
export type Difference = {
  readonly from: EndClass;
  readonly to: EndClass;
  /** What they admit and the intent does not. */
  readonly wider: PassageSet;
  /** What the intent opens and they do not admit. */
  readonly narrower: PassageSet;
};

/** Who is looked at: all workloads, and the outside in parts that no rule tells apart, by the side on which it stands. */
export type Field = {
  readonly workloads: readonly EffectiveEnd[];
  readonly sources: readonly EffectiveEnd[];
  readonly destinations: readonly EffectiveEnd[];
};

/**
 * Compares what several data planes admit together with what the intent opens, over all pairs of a field at an instant. A
 * connection passes where every plane lets it.
 */
export function differences(
  intent: Intent,
  planes: readonly Plane[],
  field: Field,
  now: Instant,
): readonly Difference[] {
  const keys = ourKeys(intent);
  const keyOf = ({ end, endpoint }: EffectiveEnd): string =>
    [end.kind === "workload" ? keys(end) : "", ...planes.map((plane) => plane.keyOf({ end, endpoint }))].join("\n");
  const workloads = groupedBy(field.workloads, keyOf);
  const alone = (ends: readonly EffectiveEnd[]): readonly EndClass[] =>
    ends.map((first) => ({ first, members: [first] }));
  const compare = (from: EndClass, to: EndClass): readonly Difference[] => {
    const want = openPassages(sliceIntent(intent, from.first.end, to.first.end, now));
    const have = admittedBy(planes, from.first, to.first);
    if (sameSet(want, have)) return [];
    return [{ from, to, wider: subtract(have, want), narrower: subtract(want, have) }];
  };
  return [
    ...workloads.flatMap((from) => [...workloads, ...alone(field.destinations)].flatMap((to) => compare(from, to))),
    ...alone(field.sources).flatMap((from) => workloads.flatMap((to) => compare(from, to))),
  ];
}

/** What several planes let through together. */
export const admittedBy = (planes: readonly Plane[], from: EffectiveEnd, to: EffectiveEnd): PassageSet =>
  planes.map((plane) => plane.admits(from, to)).reduce((all, one) => intersect(all, one), EVERY_PASSAGE);

/** Ends by a key; those of one key are one class. */
export function groupedBy(ends: readonly EffectiveEnd[], keyOf: (end: EffectiveEnd) => string): readonly EndClass[] {
  const classes = new Map<string, EffectiveEnd[]>();
  for (const end of ends) {
    const key = keyOf(end);
    const known = classes.get(key);
    if (known) known.push(end);
    else classes.set(key, [end]);
  }
  return [...classes.values()].flatMap((members) => (members[0] ? [{ first: members[0], members }] : []));
}
