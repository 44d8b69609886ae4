import fc from "fast-check";
import { expect, test } from "vitest";
import type { Definitions } from "../../src/domain/catalogue.ts";
import type { WorkloadEnd } from "../../src/domain/flow.ts";
import { scenesOf } from "../../src/policy/analysis/scene.ts";
import type { EffectiveEnd } from "../../src/policy/effective/end.ts";
import { effectiveVerdict } from "../../src/policy/effective/verdict.ts";
import { makeEvaluator } from "../../src/policy/evaluate/evaluator.ts";
import { readWorld } from "../../src/policy/foreign/world.ts";
import { compileIntent } from "../../src/policy/intent/intent.ts";
import { passageAt, passageKey } from "../../src/policy/intent/passages.ts";
import { openPairs, type Reach, reachedBy, reachOf } from "../../src/policy/reach/matrix.ts";
import { hasBit } from "../../src/policy/reach/bits.ts";
import { holds } from "../../src/policy/sets/intervals.ts";
import type { Endpoint } from "../../src/policy/model/endpoint.ts";
import type { Policy } from "../../src/policy/model/policy.ts";
import { must } from "../fakes/judging.ts";
import { catalogueOf, definitions, instant, workloadOf } from "./random-intent.ts";
import { objectsOf, worlds } from "./worlds.ts";

/** One passage out of each stretch that rules of the tests tell apart. */
const PASSAGES = [
  ...(["tcp", "udp"] as const).flatMap((protocol) =>
    [1, 2, 79, 80, 81, 82, 90, 100, 65535].map((port) => ({ protocol, port })),
  ),
  { protocol: "sctp" as const, port: 7 },
  ...(["icmp", "icmpv6"] as const).flatMap((protocol) => [0, 8].map((type) => ({ protocol, type }))),
].map((passage) => passageAt(passageKey(passage)));

type Case = {
  readonly world: Definitions;
  readonly ends: readonly EffectiveEnd<WorkloadEnd>[];
  readonly policies: readonly Policy[];
  readonly now: number;
};

const NOWHERE: Endpoint = { kind: "outside", text: "", addresses: { v4: [], v6: [] } };

/** Workloads under our kinds alone. */
const ownCases: fc.Arbitrary<Case> = definitions.chain((world) =>
  fc.record({
    world: fc.constant(world),
    ends: fc
      .array(workloadOf(world), { minLength: 2, maxLength: 9 })
      .map((ends) => ends.map((end) => ({ end, endpoint: NOWHERE }))),
    policies: fc.constant([]),
    now: instant,
  }),
);

/** Workloads under our kinds and foreign policies. */
const bothCases: fc.Arbitrary<Case> = fc.tuple(definitions, worlds).chain(([world, foreign]) => {
  const read = must(readWorld(objectsOf(foreign), { multipleNetworks: false, parseYaml: () => undefined }));
  const members = scenesOf(read)[0]?.members ?? [];
  return fc.record({
    world: fc.constant(world),
    ends: fc
      .tuple(...members.map(() => workloadOf(world)))
      .map((ends) => ends.map((end, index) => ({ end, endpoint: members[index]?.endpoint ?? NOWHERE }))),
    policies: fc.constant(read.policies),
    now: instant,
  });
});

/** The pairs that single verdicts open on some passage, and on which ones. */
function pairwise({ world, ends, policies, now }: Case): readonly (readonly boolean[])[][] {
  const intent = compileIntent(catalogueOf(world));
  const evaluator = makeEvaluator(policies);
  return ends.map((from) =>
    ends.map((to) =>
      PASSAGES.map((passage) => effectiveVerdict(intent, evaluator, { from, to, passage }, now).allowed),
    ),
  );
}

const reachIn = ({ world, ends, policies, now }: Case): Reach =>
  reachOf({ intent: compileIntent(catalogueOf(world)), policies, ends, now });

function agree(one: Case): void {
  const reach = reachIn(one);
  const expected = pairwise(one);
  const bits = one.ends.map((_from, from) =>
    one.ends.map((_to, to) =>
      hasBit(reach.rows[reach.classes.classOf[from] ?? 0] ?? new Uint32Array(), reach.classes.classOf[to] ?? 0),
    ),
  );
  expect(bits).toEqual(expected.map((row) => row.map((passages) => passages.includes(true))));
  const single = one.ends.map((_from, from) =>
    one.ends.map((_to, to) => PASSAGES.map((passage) => holds(reach.passages(from, to), passageKey(passage)))),
  );
  expect(single).toEqual(expected);
}

test("reach by bits says of every pair what single verdicts say", () => {
  fc.assert(fc.property(ownCases, agree), { numRuns: 250 });
});

test("reach by bits says so under foreign policies too", () => {
  fc.assert(fc.property(bothCases, agree), { numRuns: 250 });
});

test("counts are counts of other workloads", () => {
  fc.assert(
    fc.property(ownCases, (one) => {
      const reach = reachIn(one);
      const lists = one.ends.map((_end, from) => reachedBy(reach, from));
      const expected = pairwise(one).map((row, from) =>
        row.flatMap((passages, to) => (to !== from && passages.includes(true) ? [to] : [])),
      );
      expect(lists).toEqual(expected);
      expect(openPairs(reach)).toBe(expected.flat().length);
    }),
    { numRuns: 100 },
  );
});

test("the comparison bites: reach at another instant, or without fences, is found out", () => {
  const found = (change: (one: Case) => Case): boolean =>
    fc.check(
      fc.property(ownCases, (one) => {
        const wrong = reachIn(change(one));
        const right = reachIn(one);
        expect(openPairs(wrong)).toBe(openPairs(right));
      }),
      { numRuns: 500, seed: 3, endOnFailure: true },
    ).failed;
  expect([
    found((one) => ({ ...one, now: one.now + 3 })),
    found((one) => ({
      ...one,
      world: { ...one.world, guardrails: one.world.guardrails.map((each) => ({ ...each, fences: [] })) },
    })),
  ]).toEqual([true, true]);
});
