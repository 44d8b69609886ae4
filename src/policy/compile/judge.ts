import type { WorkloadEnd } from "../../domain/flow.ts";
import type { Instant } from "../../domain/instant.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import type { Intent } from "../intent/intent.ts";
import { EVERY_PASSAGE, type PassageSet } from "../intent/passages.ts";
import { openPassages, sliceIntent } from "../intent/slices.ts";
import { addAll, type Bits, both, eachBit, noBits, placesWhere } from "../reach/bits.ts";
import { ourKeys } from "../reach/classes.ts";
import { ourRows } from "../reach/our-rows.ts";
import { intersect, sameSet, subtract } from "../sets/intervals.ts";
import type { Plane } from "./plane.ts";

/** Ends that neither the intent nor any data plane tells apart; the first stands for all. */
export type EndClass<E extends EffectiveEnd = EffectiveEnd> = { readonly first: E; readonly members: readonly E[] };

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
  readonly workloads: readonly EffectiveEnd<WorkloadEnd>[];
  readonly sources: readonly EffectiveEnd[];
  readonly destinations: readonly EffectiveEnd[];
};

/**
 * Compares what several data planes admit together with what the intent opens, over all pairs of a field at an instant. A
 * connection passes where every plane lets it. Between workloads only pairs are looked at that the intent opens at all or
 * that the planes may let through: at all others both are closed.
 */
export function differences(
  intent: Intent,
  planes: readonly Plane[],
  field: Field,
  now: Instant,
): readonly Difference[] {
  const workloads = classesUnder(intent, planes, field);
  const compare = (from: EndClass, to: EndClass): readonly Difference[] => {
    const want = openPassages(sliceIntent(intent, from.first.end, to.first.end, now));
    const have = admittedBy(planes, from.first, to.first);
    if (sameSet(want, have)) return [];
    return [{ from, to, wider: subtract(have, want), narrower: subtract(want, have) }];
  };
  const firsts = workloads.map(({ first }) => first);
  const meant = ourRows(
    intent,
    firsts.map(({ end }) => end),
    now,
  );
  const admitted = mayAdmitTogether(planes, firsts);
  const [sources, destinations] = [alone(field.sources), alone(field.destinations)];
  return [
    ...workloads.flatMap((from, place) => {
      const found: Difference[] = [];
      const near = meant[place]?.slice() ?? noBits(0);
      addAll(near, admitted[place] ?? noBits(0));
      eachBit(near, (to) => found.push(...pairOf(compare, from, workloads[to])));
      for (const to of destinations) found.push(...compare(from, to));
      return found;
    }),
    ...sources.flatMap((from) => workloads.flatMap((to) => compare(from, to))),
  ];
}

type Compare = (from: EndClass, to: EndClass) => readonly Difference[];

const pairOf = (compare: Compare, from: EndClass, to: EndClass | undefined): readonly Difference[] =>
  to ? compare(from, to) : [];

const alone = (ends: readonly EffectiveEnd[]): readonly EndClass[] =>
  ends.map((first) => ({ first, members: [first] }));

/** Workloads that neither the intent nor any plane tells apart. */
function classesUnder(
  intent: Intent,
  planes: readonly Plane[],
  { workloads }: Field,
): readonly EndClass<EffectiveEnd<WorkloadEnd>>[] {
  const keys = ourKeys(intent);
  return groupedBy(workloads, (one) => [keys(one.end), ...planes.map((plane) => plane.keyOf(one))].join("\n"));
}

/** For each end those that several planes may let it through to, by their places. */
export const mayAdmitTogether = (planes: readonly Plane[], ends: readonly EffectiveEnd[]): readonly Bits[] =>
  planes
    .map((plane) => plane.mayAdmit(ends))
    .reduce<readonly Bits[]>(
      (all, rows) => all.map((row, place) => both(row, rows[place] ?? row)),
      ends.map(() => placesWhere(ends, () => true)),
    );

/** What several planes let through together. */
export const admittedBy = (planes: readonly Plane[], from: EffectiveEnd, to: EffectiveEnd): PassageSet =>
  planes.map((plane) => plane.admits(from, to)).reduce((all, one) => intersect(all, one), EVERY_PASSAGE);

/** Ends by a key; those of one key are one class. */
export function groupedBy<E extends EffectiveEnd>(
  ends: readonly E[],
  keyOf: (end: E) => string,
): readonly EndClass<E>[] {
  const classes = new Map<string, E[]>();
  for (const end of ends) {
    const key = keyOf(end);
    const known = classes.get(key);
    if (known) known.push(end);
    else classes.set(key, [end]);
  }
  return [...classes.values()].flatMap((members) => (members[0] ? [{ first: members[0], members }] : []));
}
