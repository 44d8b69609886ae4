import fc from "fast-check";
import { expect, test } from "vitest";
import { compare, type Comparison, differencesIn } from "../../../src/policy/compile/compare.ts";
import { doorsOf, type Site } from "../../../src/policy/compile/doors.ts";
import type { Field } from "../../../src/policy/compile/end-class.ts";
import { fieldOf } from "../../../src/policy/compile/field.ts";
import { partsOf } from "../../../src/policy/compile/parts.ts";
import { admittedBy, type Plane } from "../../../src/policy/compile/plane.ts";
import { load, TARGETS, type TargetName } from "../../../src/policy/compile/targets.ts";
import { makeEvaluator } from "../../../src/policy/evaluate/evaluator.ts";
import { passing } from "../../../src/policy/evaluate/passing.ts";
import type { EffectiveEnd } from "../../../src/policy/effective/end.ts";
import { foreignPassages } from "../../../src/policy/effective/verdict.ts";
import { readWorld } from "../../../src/policy/foreign/world.ts";
import { compileIntent, type Intent } from "../../../src/policy/intent/intent.ts";
import { type PassageSet, passagesText } from "../../../src/policy/intent/passages.ts";
import { openPassages, sliceIntent } from "../../../src/policy/intent/slices.ts";
import { scenesOf } from "../../../src/policy/analysis/scene.ts";
import { hasBit } from "../../../src/policy/reach/bits.ts";
import { sameSet, subtract } from "../../../src/policy/sets/intervals.ts";
import { must } from "../../fakes/judging.ts";
import { objectsOf, worlds } from "../worlds.ts";
import { pairsOf } from "./compared.ts";
import { POD_NETWORK, siteCases } from "./random-site.ts";

const SITE: Site = { canaries: [], machines: [], pods: [], networks: [], podNetworks: POD_NETWORK };

const SETS: readonly (readonly TargetName[])[] = [
  ["networkpolicy"],
  ["networkpolicy", "clusternetworkpolicy"],
  ["clusternetworkpolicy"],
  ["ciliumnetworkpolicy"],
  ["istio-ztunnel"],
  ["networkpolicy", "istio-ztunnel"],
];

/** What differs between any two ends, as texts: each pair looked at by itself, whatever may be known of it beforehand. */
function naive(intent: Intent, planes: readonly Plane[], field: Field, now: number): readonly string[] {
  const { workloads, sources, destinations } = field;
  const pairs = [
    ...workloads.flatMap((from) => [...workloads, ...destinations].map((to) => [from, to] as const)),
    ...sources.flatMap((from) => workloads.map((to) => [from, to] as const)),
  ];
  return pairs
    .flatMap(([from, to]) => {
      const want = openPassages(sliceIntent(intent, from.end, to.end, now));
      const have = admittedBy(planes, from, to);
      return sameSet(want, have) ? [] : [pairText(from, to, subtract(have, want), subtract(want, have))];
    })
    .sort();
}

const pairText = (from: EffectiveEnd, to: EffectiveEnd, wider: PassageSet, narrower: PassageSet): string =>
  `${from.endpoint.text} ${to.endpoint.text} gains ${passagesText(wider)}, loses ${passagesText(narrower)}`;

/** The same of a comparison: of each member of each class. */
const textsOf = (comparison: Comparison): readonly string[] =>
  pairsOf(comparison)
    .flatMap(({ from, to, wider, narrower }) =>
      from.members.flatMap((source) => to.members.map((destination) => pairText(source, destination, wider, narrower))),
    )
    .sort();

const judgedCases = fc.record({ site: siteCases, world: worlds, targets: fc.constantFrom(...SETS) });

function judgedOf({ site: { catalogue, members, now }, world, targets }: Judged) {
  const { policies } = must(readWorld(objectsOf(world), { multipleNetworks: false, parseYaml: () => undefined }));
  const intent = compileIntent(catalogue);
  const doors = doorsOf(intent, SITE, now);
  const compiled = new Map(targets.map((name) => [name, TARGETS[name].compile(doors)] as const));
  const loaded = must(load(compiled, policies));
  const [planes, own] = [loaded.planes.map(({ plane }) => plane), loaded.planes.map((one) => one.own)];
  const field = fieldOf(doors, SITE, members, loaded.policies);
  return { judged: { intent, now, target: "test", planes, own }, field };
}

type Judged = typeof judgedCases extends fc.Arbitrary<infer T> ? T : never;

test("a comparison finds exactly what differs, whatever is compiled and whatever others have", () => {
  fc.assert(
    fc.property(judgedCases, (one) => {
      const { judged, field } = judgedOf(one);
      const { intent, planes, now } = judged;
      expect(textsOf(compare(judged, field))).toEqual(naive(intent, planes, field, now));
    }),
    { numRuns: 200 },
  );
});

test("what stands together is said of each pair of it as of that pair alone", () => {
  fc.assert(
    fc.property(judgedCases, (one) => {
      const { judged, field } = judgedOf(one);
      const said = differencesIn(compare(judged, field)).flatMap(({ from, to, part }) =>
        from.members.flatMap((a) => to.members.map((b) => `${a.endpoint.text} ${b.endpoint.text} ${part.key}`)),
      );
      const { sources, destinations, workloads } = field;
      const alone = [
        ...workloads.flatMap((from) => [...workloads, ...destinations].map((to) => [from, to] as const)),
        ...sources.flatMap((from) => workloads.map((to) => [from, to] as const)),
      ].flatMap(([from, to]) => {
        const want = openPassages(sliceIntent(judged.intent, from.end, to.end, judged.now));
        const have = admittedBy(judged.planes, from, to);
        const parts = partsOf(judged, from, to, { wider: subtract(have, want), narrower: subtract(want, have) });
        return parts.map(({ key }) => `${from.endpoint.text} ${to.endpoint.text} ${key}`);
      });
      expect(said.sort()).toEqual(alone.sort());
    }),
    { numRuns: 200 },
  );
});

test("whoever policies let through is among those whom they may let through", () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const read = must(readWorld(objectsOf(world), { multipleNetworks: false, parseYaml: () => undefined }));
      const evaluator = makeEvaluator(read.policies);
      const ends = scenesOf(read).flatMap((scene) => scene.members.map(({ endpoint }) => endpoint));
      const { rows } = passing(evaluator, ends);
      const missed = ends.flatMap((from, left) =>
        ends.filter(
          (to, right) =>
            foreignPassages(evaluator, from, to).length > 0 && !hasBit(rows[left] ?? new Uint32Array(), right),
        ),
      );
      expect(missed).toEqual([]);
    }),
    { numRuns: 400 },
  );
});

/** Among so few endpoints hardly a rule is wide; with `few` at 0 each is that means anybody. */
test.each([0, 2])("what passes is the same for all pairs of two sorts that are not touched: few = %d", (few) => {
  fc.assert(
    fc.property(worlds, (world) => {
      const read = must(readWorld(objectsOf(world), { multipleNetworks: false, parseYaml: () => undefined }));
      const evaluator = makeEvaluator(read.policies);
      const ends = scenesOf(read).flatMap((scene) => scene.members.map(({ endpoint }) => endpoint));
      const { sorts, touched } = passing(evaluator, ends, few);
      const known = new Map<string, string>();
      const others = ends.flatMap((from, left) =>
        ends.filter((to, right) => {
          if (hasBit(touched[left] ?? new Uint32Array(), right)) return false;
          const passes = passagesText(foreignPassages(evaluator, from, to));
          const sort = `${sorts[left]} to ${sorts[right]}`;
          if (!known.has(sort)) known.set(sort, passes);
          return known.get(sort) !== passes;
        }),
      );
      expect(others).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});
