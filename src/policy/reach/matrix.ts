import type { WorkloadEnd } from "../../domain/flow.ts";
import type { Instant } from "../../domain/instant.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import { foreignPassages } from "../effective/verdict.ts";
import { makeEvaluator } from "../evaluate/evaluator.ts";
import type { Intent } from "../intent/intent.ts";
import { EVERY_PASSAGE, type PassageSet } from "../intent/passages.ts";
import { openPassages, sliceIntent } from "../intent/slices.ts";
import type { Policy } from "../model/policy.ts";
import { intersect, sameSet } from "../sets/intervals.ts";
import { type Bits, eachBit, hasBit, noBits, setBit } from "./bits.ts";
import { type Classes, classesOf } from "./classes.ts";
import { ourRows } from "./our-rows.ts";

/** What reach is computed from. */
export type ReachInput = {
  readonly intent: Intent;
  /** Foreign policies of the Pod network; ours alone count where there are none. */
  readonly policies: readonly Policy[];
  readonly ends: readonly EffectiveEnd<WorkloadEnd>[];
  readonly now: Instant;
};

/** Who reaches whom under our kinds and the foreign policies together, among workloads. */
export type Reach = {
  readonly ends: readonly EffectiveEnd<WorkloadEnd>[];
  readonly classes: Classes;
  /** For each class the classes that it reaches on some passage. */
  readonly rows: readonly Bits[];
  /** The passages that are open from one end to another, by their places in `ends`. */
  readonly passages: (from: number, to: number) => PassageSet;
};

/** Computes all pairs. The work is by classes and lines, not by workloads. */
export function reachOf({ intent, policies, ends, now }: ReachInput): Reach {
  const evaluator = makeEvaluator(policies);
  const classes = classesOf(intent, policies, evaluator, ends);
  const ours = memoPairs(classes.ours, (from, to) => {
    const [source, destination] = [classes.ends[from], classes.ends[to]];
    return source && destination ? openPassages(sliceIntent(intent, source, destination, now)) : [];
  });
  const foreign = memoPairs(classes.foreign, (from, to) => {
    const [source, destination] = [classes.endpoints[from], classes.endpoints[to]];
    if (policies.length === 0 || !source || !destination) return EVERY_PASSAGE;
    return foreignPassages(evaluator, source, destination);
  });
  const rows = cutByForeign(ourRows(intent, classes.ends, now), policies.length > 0, ours, foreign);
  return {
    ends,
    classes,
    rows,
    passages: (from, to) => {
      const [left, right] = [classes.classOf[from], classes.classOf[to]];
      if (left === undefined || right === undefined || !hasBit(rows[left] ?? noBits(0), right)) return [];
      return intersect(ours(left, right), foreign(left, right));
    },
  };
}

type Passages = (from: number, to: number) => PassageSet;

/** Computes once for each pair of coarser classes; the arguments are classes. */
function memoPairs(coarse: readonly number[], make: Passages): Passages {
  const known = new Map<number, PassageSet>();
  return (from, to) => {
    const key = (coarse[from] ?? 0) * 2 ** 26 + (coarse[to] ?? 0);
    const set = known.get(key) ?? make(from, to);
    known.set(key, set);
    return set;
  };
}

/** Takes out the pairs that foreign policies close. */
function cutByForeign(rows: readonly Bits[], anyPolicy: boolean, ours: Passages, foreign: Passages): readonly Bits[] {
  if (!anyPolicy) return rows;
  return rows.map((row, from) => {
    const kept = row.slice().fill(0);
    eachBit(row, (to) => {
      const left = foreign(from, to);
      if (left.length > 0 && (sameSet(left, EVERY_PASSAGE) || intersect(ours(from, to), left).length > 0))
        setBit(kept, to);
    });
    return kept;
  });
}

/** How many other workloads each class reaches; index: class. */
export const reachedCounts = ({ classes, rows }: Reach): readonly number[] =>
  rows.map((row, id) => {
    let count = hasBit(row, id) ? -1 : 0;
    eachBit(row, (to) => (count += classes.members[to]?.length ?? 0));
    return count;
  });

/** How many pairs of different workloads are open. */
export const openPairs = (reach: Reach): number =>
  reachedCounts(reach).reduce((sum, count, id) => sum + count * (reach.classes.members[id]?.length ?? 0), 0);

/** The other workloads that one reaches, by their places. */
export function reachedBy({ classes, rows }: Reach, from: number): readonly number[] {
  const reached: number[] = [];
  const row = rows[classes.classOf[from] ?? -1];
  if (row) eachBit(row, (id) => reached.push(...(classes.members[id] ?? []).filter((to) => to !== from)));
  return reached.sort((a, b) => a - b);
}
