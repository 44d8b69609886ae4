import { EVERY_PASSAGE, type PassageSet } from "../intent/passages.ts";
import { intersect, sameSet } from "../sets/intervals.ts";
import { eachBit, noBits } from "./bits.ts";
import { type Hop, hopsFrom, wayTo } from "./hops.ts";
import type { Reach } from "./matrix.ts";

/** What must not be: a way from some workloads to others whose last hop is on one of these passages. */
export type Forbidden = {
  readonly from: readonly number[];
  readonly to: ReadonlySet<number>;
  readonly on: PassageSet;
  /** Most hops that are looked at; absent: all. */
  readonly hops?: number;
};

/**
 * The shortest forbidden way, as the workloads on it; undefined proves that there is none. A way back to where it began is
 * none, whoever is on both sides.
 */
export function forbiddenWay(reach: Reach, forbidden: Forbidden): readonly number[] | undefined {
  const way = wayOrRound(reach, forbidden);
  return way && way[0] === way.at(-1) ? wayWithoutRounds(reach, forbidden) : way;
}

/** A round can hide a way that is as long or longer: each workload of both sides is looked for from the others alone. */
function wayWithoutRounds(reach: Reach, { from, to, ...rest }: Forbidden): readonly number[] | undefined {
  const sources = new Set(from);
  const both = from.filter((end) => to.has(end));
  const ways = [
    wayOrRound(reach, { ...rest, from, to: new Set([...to].filter((end) => !sources.has(end))) }),
    ...both.map((end) => wayOrRound(reach, { ...rest, from: from.filter((one) => one !== end), to: new Set([end]) })),
  ];
  return ways.reduce((best, way) => (way && (!best || way.length < best.length) ? way : best), undefined);
}

function wayOrRound(
  reach: Reach,
  { from, to, on, hops = Number.POSITIVE_INFINITY }: Forbidden,
): readonly number[] | undefined {
  const inner = hopsFrom(reach, from, hops - 1);
  const byEnd = new Map<number, Hop>(inner.map((hop) => [hop.end, hop]));
  const targets = targetsByClass(reach, to);
  const walked = new Set<number>();
  for (const start of [...from, ...inner.map(({ end }) => end)]) {
    const id = reach.classes.classOf[start] ?? 0;
    // Ends of one class reach the same, but one that is a target itself is no target of its own.
    if (walked.has(id)) continue;
    if (!to.has(start)) walked.add(id);
    const target = targetOf(reach, start, targets, on);
    if (target !== undefined) return [...wayTo(byEnd, start), target];
  }
  return undefined;
}

function targetsByClass({ classes }: Reach, to: ReadonlySet<number>): ReadonlyMap<number, readonly number[]> {
  const targets = new Map<number, number[]>();
  for (const end of to) {
    const id = classes.classOf[end] ?? 0;
    targets.set(id, [...(targets.get(id) ?? []), end]);
  }
  return targets;
}

function targetOf(
  reach: Reach,
  start: number,
  targets: ReadonlyMap<number, readonly number[]>,
  on: PassageSet,
): number | undefined {
  let found: number | undefined;
  eachBit(reach.rows[reach.classes.classOf[start] ?? -1] ?? noBits(0), (id) => {
    const target = found === undefined ? targets.get(id)?.find((end) => end !== start) : undefined;
    if (target !== undefined && isOpen(reach, start, target, on)) found = target;
  });
  return found;
}

const isOpen = (reach: Reach, from: number, to: number, on: PassageSet): boolean =>
  sameSet(on, EVERY_PASSAGE) || intersect(reach.passages(from, to), on).length > 0;
