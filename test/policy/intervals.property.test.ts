import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  holds,
  includes,
  type Intervals,
  intersect,
  pairs,
  sameSet,
  subtract,
  unite,
} from "../../src/policy/sets/intervals.ts";

const LIMIT = 12;
const numbers = Array.from({ length: LIMIT }, (_, index) => index);

/** A set of small numbers, and the same as intervals: the plainest model there is. */
const sets = fc.uniqueArray(fc.nat(LIMIT - 1)).map((list) => ({
  plain: new Set(list),
  intervals: list.reduce<Intervals<number>>((set, value) => unite(set, [value, value + 1]), []),
}));

type Operation = (a: Intervals<number>, b: Intervals<number>) => Intervals<number>;

/** An operation on intervals does to each number what the operation on sets does. */
const behaves = (operation: Operation, keep: (inA: boolean, inB: boolean) => boolean) =>
  fc.property(sets, sets, (a, b) => {
    const result = operation(a.intervals, b.intervals);
    const canonical = result.every((bound, index) => index === 0 || bound > (result[index - 1] ?? bound));
    return canonical && numbers.every((value) => holds(result, value) === keep(a.plain.has(value), b.plain.has(value)));
  });

describe("intervals are sets", () => {
  test("union, intersection and difference hold what they should", () => {
    fc.assert(behaves(unite, (a, b) => a || b));
    fc.assert(behaves(intersect, (a, b) => a && b));
    fc.assert(behaves(subtract, (a, b) => a && !b));
  });
  test("and a wrong operation is noticed", () => {
    expect(fc.check(behaves(unite, (a, b) => a && b)).failed).toBe(true);
    expect(
      fc.check(
        behaves(
          (a, b) => [...a, ...b],
          (a, b) => a || b,
        ),
      ).failed,
    ).toBe(true);
  });
  test("a set includes another exactly if it holds all of it", () => {
    fc.assert(
      fc.property(
        sets,
        sets,
        (a, b) => includes(a.intervals, b.intervals) === [...b.plain].every((value) => a.plain.has(value)),
      ),
    );
  });
  test("two sets with the same numbers are the same, however they were made", () => {
    fc.assert(
      fc.property(sets, sets, (a, b) => sameSet(unite(a.intervals, b.intervals), unite(b.intervals, a.intervals))),
    );
  });
  test("addresses of 128 bits work alike", () => {
    expect(pairs(subtract([0n, 1n << 128n], [5n, 1n << 100n]))).toEqual([
      [0n, 5n],
      [1n << 100n, 1n << 128n],
    ]);
  });
});
