import { expect, test } from "vitest";
import { EVERY_PASSAGE } from "../../src/policy/intent/passages.ts";
import { noBits, setBit } from "../../src/policy/reach/bits.ts";
import type { Reach } from "../../src/policy/reach/matrix.ts";
import { forbiddenWay } from "../../src/policy/reach/paths.ts";

/** Workloads that reach each other along these edges, each a class of its own. */
function reachAlong(size: number, edges: readonly (readonly [number, number])[]): Reach {
  const places = Array.from({ length: size }, (_, place) => place);
  const rows = places.map((from) => {
    const bits = noBits(size);
    for (const [source, to] of edges) if (source === from) setBit(bits, to);
    return bits;
  });
  return {
    ends: [],
    classes: { classOf: places, members: places.map((place) => [place]) },
    rows,
    passages: () => EVERY_PASSAGE,
  } as unknown as Reach;
}

const ask = (reach: Reach, from: readonly number[], to: readonly number[]) =>
  forbiddenWay(reach, { from, to: new Set(to), on: EVERY_PASSAGE });

test("a way back to where it began is no forbidden way", () => {
  const round = [
    [0, 1],
    [1, 0],
  ] as const;
  expect(ask(reachAlong(2, round), [0], [0])).toBeUndefined();
});

test("and hides none that is as long, or longer", () => {
  // 0 and 3 both reach 1, and 1 reaches 0: 0-1-0 goes round, 3-1-0 does not.
  expect(
    ask(
      reachAlong(4, [
        [0, 1],
        [1, 0],
        [3, 1],
      ]),
      [0, 3],
      [0],
    ),
  ).toEqual([3, 1, 0]);
  expect(
    ask(
      reachAlong(5, [
        [0, 1],
        [1, 0],
        [0, 2],
        [2, 3],
        [3, 4],
      ]),
      [0],
      [0, 4],
    ),
  ).toEqual([0, 2, 3, 4]);
});
