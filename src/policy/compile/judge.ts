import type { EffectiveEnd } from "../effective/end.ts";
import type { Passing } from "../evaluate/passing.ts";
import type { PassageSet } from "../intent/passages.ts";
import { openPassages, sliceIntent } from "../intent/slices.ts";
import { addAll, both, hasBit, noBits, placesWhere } from "../reach/bits.ts";
import { sameSet, subtract } from "../sets/intervals.ts";
import { type EndClass, type Field, oncePer } from "./end-class.ts";
import type { Kinship } from "./kinship.ts";
import { type Explaining, type Part, partsOf } from "./parts.ts";
import { admittedBy, type Plane } from "./plane.ts";

/** What is compared: what an intent opens at an instant, and what data planes let through together. */
export type Case = Explaining & {
  readonly planes: readonly Plane[];
  /** The same object as long as nothing but sentences and policies has changed; absent: not known. */
  readonly ground?: object;
};

/** What a comparison is made of. */
export type Compared = {
  readonly judged: Case;
  readonly kinship: Kinship;
  readonly field: Field;
  readonly classes: readonly EndClass[];
  /** The sort of each class as the intent and the words for differences have it. */
  readonly sorts: readonly string[];
};

/** What planes make of ends: whom they may let through together, and sorts that none of them tells apart nor of `others`. */
export function passingTogether(
  planes: readonly Plane[],
  others: readonly Plane[],
  ends: readonly EffectiveEnd[],
): Passing {
  const acting = planes.map((plane) => plane.over(ends));
  const all = [...acting, ...others.filter((plane) => !planes.includes(plane)).map((plane) => plane.over(ends))];
  const everyone = placesWhere(ends, () => true);
  return {
    rows: ends.map((_end, place) => acting.map(({ rows }) => rows[place] ?? everyone).reduce(both, everyone)),
    touched: ends.map((_end, place) => {
      const bits = noBits(ends.length);
      for (const { touched } of all) addAll(bits, touched[place] ?? everyone);
      return bits;
    }),
    sorts: ends.map((_end, place) => all.map(({ sorts }) => sorts[place]).join("\n")),
  };
}

/** In what the connections from one class of ends to another differ. */
export type PairJudge = (from: EndClass, to: EndClass) => readonly Part[];

/**
 * Judges pairs, each by the intent's own verdicts and by what the planes let through. `passing`: what the planes make of the
 * classes; with it pairs that nothing tells apart are judged once.
 */
export function pairJudge({ judged, kinship, classes, sorts: kin }: Compared, passing?: Passing): PairJudge {
  const { intent, now, planes } = judged;
  const opened = ({ first: from }: EndClass, { first: to }: EndClass): PassageSet =>
    openPassages(sliceIntent(intent, from.end, to.end, now));
  const differ = (from: EndClass, to: EndClass, want: PassageSet): readonly Part[] => {
    const have = admittedBy(planes, from.first, to.first);
    if (sameSet(want, have)) return SAME;
    return partsOf(judged, from.first, to.first, { wider: subtract(have, want), narrower: subtract(want, have) });
  };
  const openedAlike = oncePer(kin, opened);
  const sorts = classes.map(({ place }) => `${kin[place]} ${passing?.sorts[place]}`);
  const differAlike = oncePer(sorts, (from, to) => differ(from, to, openedAlike(from, to)));
  return (from, to) => {
    if (kinship.isBetween(from.first.end, to.first.end)) return differ(from, to, opened(from, to));
    const touched = passing?.touched[from.place];
    return touched && !hasBit(touched, to.place) ? differAlike(from, to) : differ(from, to, openedAlike(from, to));
  };
}

const SAME: readonly Part[] = [];
