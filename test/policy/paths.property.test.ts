import fc from "fast-check";
import { expect, test } from "vitest";
import type { WorkloadEnd } from "../../src/domain/flow.ts";
import type { Definitions } from "../../src/domain/catalogue.ts";
import { compileIntent } from "../../src/policy/intent/intent.ts";
import { EVERY_PASSAGE, passageKey, type PassageSet } from "../../src/policy/intent/passages.ts";
import { verdictOn } from "../../src/policy/intent/verdict.ts";
import { allChanges, changesFrom, type Named } from "../../src/policy/reach/changes.ts";
import { hopsFrom, reversed, wayTo } from "../../src/policy/reach/hops.ts";
import { reachOf, type Reach } from "../../src/policy/reach/matrix.ts";
import { forbiddenWay } from "../../src/policy/reach/paths.ts";
import { intersect, subtract } from "../../src/policy/sets/intervals.ts";
import { catalogueOf, definitions, instant, workloadOf } from "./random-intent.ts";

type Case = { readonly world: Definitions; readonly ends: readonly WorkloadEnd[]; readonly now: number };

const cases: fc.Arbitrary<Case> = definitions.chain((world) =>
  fc.record({
    world: fc.constant(world),
    ends: fc.array(workloadOf(world), { minLength: 3, maxLength: 8 }),
    now: instant,
  }),
);

const reachIn = ({ world, ends, now }: Case): Reach =>
  reachOf({
    intent: compileIntent(catalogueOf(world)),
    policies: [],
    ends: ends.map((end) => ({ end, endpoint: { kind: "outside", text: "", addresses: { v4: [], v6: [] } } })),
    now,
  });

const edge = (reach: Reach, from: number, to: number, on: PassageSet = EVERY_PASSAGE): boolean =>
  from !== to && intersect(reach.passages(from, to), on).length > 0;

/** Length of the shortest way between two ends, by trying everything; the last hop on the passages given. */
function distance(reach: Reach, from: number, to: number, on: PassageSet = EVERY_PASSAGE): number {
  const size = reach.ends.length;
  let level = new Set([from]);
  const seen = new Set(level);
  for (let hops = 1; hops <= size; hops += 1) {
    if ([...level].some((via) => edge(reach, via, to, on))) return hops;
    const next = new Set<number>();
    for (const via of level)
      for (let other = 0; other < size; other += 1) if (!seen.has(other) && edge(reach, via, other)) next.add(other);
    for (const other of next) seen.add(other);
    level = next;
  }
  return Number.POSITIVE_INFINITY;
}

test("hops are shortest ways, and each way is open hop by hop", () => {
  fc.assert(
    fc.property(cases, fc.integer({ min: 1, max: 4 }), (one, most) => {
      const reach = reachIn(one);
      const hops = hopsFrom(reach, [0], most);
      const expected = one.ends
        .map((_end, to) => ({ to, hops: to === 0 ? Number.POSITIVE_INFINITY : distance(reach, 0, to) }))
        .filter((each) => each.hops <= most);
      expect(hops.map(({ end, hops: count }) => ({ to: end, hops: count })).sort((a, b) => a.to - b.to)).toEqual(
        expected,
      );
      const byEnd = new Map(hops.map((hop) => [hop.end, hop]));
      for (const hop of hops) {
        const way = wayTo(byEnd, hop.end);
        expect([way[0], way.at(-1), way.length]).toEqual([0, hop.end, hop.hops + 1]);
        expect(way.slice(1).every((to, index) => edge(reach, way[index] ?? -1, to))).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

test("a forbidden way is found if and only if there is one, and it is a shortest one", () => {
  const port: PassageSet = [passageKey({ protocol: "tcp", port: 80 }), passageKey({ protocol: "tcp", port: 80 }) + 1];
  fc.assert(
    fc.property(cases, fc.boolean(), fc.integer({ min: 1, max: 4 }), (one, narrow, most) => {
      const reach = reachIn(one);
      const on = narrow ? port : EVERY_PASSAGE;
      const half = Math.ceil(one.ends.length / 2);
      const from = one.ends.map((_end, index) => index).slice(0, half);
      const to = new Set(one.ends.map((_end, index) => index).slice(half - 1));
      const way = forbiddenWay(reach, { from, to, on, hops: most });
      const shortest = Math.min(
        ...from.flatMap((start) =>
          [...to].filter((end) => end !== start).map((end) => distance(reach, start, end, on)),
        ),
      );
      expect(way ? way.length - 1 : Number.POSITIVE_INFINITY).toBe(
        shortest <= most ? shortest : Number.POSITIVE_INFINITY,
      );
      if (way) {
        expect(way.slice(1, -1).every((end, index) => edge(reach, way[index] ?? -1, end))).toBe(true);
        expect(edge(reach, way.at(-2) ?? -1, way.at(-1) ?? -1, on)).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

test("who reaches a workload is what the others reach", () => {
  fc.assert(
    fc.property(cases, (one) => {
      const reach = reachIn(one);
      const back = reversed(reach);
      for (const [from] of one.ends.entries())
        for (const [to] of one.ends.entries()) expect(edge(back, to, from)).toBe(edge(reach, from, to));
    }),
    { numRuns: 100 },
  );
});

test("a change shows exactly the passages that single verdicts differ in", () => {
  fc.assert(
    fc.property(cases, definitions, (one, { policies, guardrails }) => {
      const other = { ...one, world: { ...one.world, policies, guardrails } };
      const names = one.ends.map((_end, index) => `w${index}`);
      const before: Named = { reach: reachIn(one), names };
      const after: Named = { reach: reachIn(other), names };
      const expected = one.ends.flatMap((_from, from) =>
        one.ends.flatMap((_to, to) => {
          if (from === to) return [];
          const [was, is] = [before.reach.passages(from, to), after.reach.passages(from, to)];
          const change = { from: `w${from}`, to: `w${to}`, gained: subtract(is, was), lost: subtract(was, is) };
          return change.gained.length + change.lost.length > 0 ? [change] : [];
        }),
      );
      expect(allChanges(before, after)).toEqual(expected);
      expect(
        names.flatMap((name) => changesFrom(before, after, name).toSorted((a, b) => (a.to < b.to ? -1 : 1))),
      ).toEqual(expected);
      const intents = [one, other].map(({ world }) => compileIntent(catalogueOf(world)));
      for (const { from, to, gained } of expected.slice(0, 3)) {
        const [first] = gained;
        if (first === undefined || first >= 3 * 65536 || first < 65536 || first >= 2 * 65536) continue;
        const ends = [one.ends[Number(from.slice(1))], one.ends[Number(to.slice(1))]];
        if (!ends[0] || !ends[1]) continue;
        const flow = { from: ends[0], to: ends[1], passage: { protocol: "tcp" as const, port: first - 65536 } };
        expect(intents.map((intent) => verdictOn(intent, flow, one.now).allowed)).toEqual([false, true]);
      }
    }),
    { numRuns: 150 },
  );
});
