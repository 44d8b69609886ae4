import fc from "fast-check";
import { expect, test } from "vitest";
import type { Definitions } from "../../../src/domain/catalogue.ts";
import { compare, type Comparison, differencesIn } from "../../../src/policy/compile/compare.ts";
import { type Doors, doorsOf, type Site } from "../../../src/policy/compile/doors.ts";
import { fieldOf } from "../../../src/policy/compile/field.ts";
import { changedSince, isSameGround } from "../../../src/policy/compile/since.ts";
import { load, TARGETS, type TargetName } from "../../../src/policy/compile/targets.ts";
import { readWorld } from "../../../src/policy/foreign/world.ts";
import { compileIntent } from "../../../src/policy/intent/intent.ts";
import { type Bits, hasBit } from "../../../src/policy/reach/bits.ts";
import { must, NOON } from "../../fakes/judging.ts";
import { catalogueOf, definitions, instant } from "../random-intent.ts";
import { objectsOf, worlds } from "../worlds.ts";
import { estate, estateMembers } from "./estate.ts";
import { POD_NETWORK, type SiteCase, siteCases } from "./random-site.ts";

const SITE: Site = { canaries: [], machines: [], pods: [], networks: [], podNetworks: POD_NETWORK };

const SETS: readonly (readonly TargetName[])[] = [
  ["networkpolicy"],
  ["networkpolicy", "clusternetworkpolicy"],
  ["ciliumnetworkpolicy"],
  ["istio-ztunnel"],
  ["networkpolicy", "istio-ztunnel"],
];

/** What one step changes: some sentences, who is there, the policies of others, the time. */
const step = fc.record({
  policies: fc.option(definitions.map(({ policies }) => policies)),
  kept: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  leaves: fc.option(fc.nat(7)),
  foreign: fc.option(worlds, { freq: 3 }),
  now: fc.option(instant, { freq: 3 }),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const walk = fc.record({
  site: siteCases,
  foreign: worlds,
  targets: fc.constantFrom(...SETS),
  steps: fc.array(step, { minLength: 1, maxLength: 4 }),
});

type Walk = typeof walk extends fc.Arbitrary<infer T> ? T : never;
type State = Pick<SiteCase, "world" | "members" | "now"> & { readonly foreign: Walk["foreign"] };

function after(state: State, { policies, kept, leaves, foreign, now }: Step): State {
  const some = state.world.policies.filter((_one, index) => kept[index % kept.length]);
  const world: Definitions = policies ? { ...state.world, policies: [...some, ...policies.slice(0, 1)] } : state.world;
  return {
    world,
    members: state.members.filter((_one, index) => index !== leaves),
    foreign: foreign ?? state.foreign,
    now: now ?? state.now,
  };
}

function judgedOf({ world, members, foreign, now }: State, targets: Walk["targets"], before?: Doors) {
  const { policies } = must(readWorld(objectsOf(foreign), { multipleNetworks: false, parseYaml: () => undefined }));
  const intent = compileIntent(catalogueOf(world), before?.intent);
  const doors = doorsOf(intent, SITE, now, before);
  const loaded = must(load(new Map(targets.map((name) => [name, TARGETS[name].compile(doors)])), policies));
  const [planes, own] = [loaded.planes.map(({ plane }) => plane), loaded.planes.map((one) => one.own)];
  const field = fieldOf(doors, SITE, members, loaded.policies);
  return { doors, judged: { intent, now, target: "test", planes, own, ground: doors.ground }, field };
}

type Forget = (before: Comparison, now: Comparison) => Comparison;

/** At each step what is found beside the comparison of before is what is found without. */
const isAsWithout = (forget: Forget = (before) => before, seen: (isKept: boolean) => void = () => undefined) =>
  fc.property(walk, ({ site, foreign, targets, steps }) => {
    let state: State = { ...site, foreign };
    let known = judgedOf(state, targets);
    let before = compare(known.judged, known.field);
    for (const one of steps) {
      state = after(state, one);
      known = judgedOf(state, targets, known.doors);
      const whole = compare(known.judged, known.field);
      const beside = compare(known.judged, known.field, forget(before, whole));
      seen(isSameGround(before, whole) && changedSince(before, whole) !== undefined);
      expect(differencesIn(beside)).toEqual(differencesIn(whole));
      before = beside;
    }
  });

test("a comparison beside the one of before finds what one without finds, whatever has changed", {
  timeout: 60_000,
}, () => {
  let kept = 0;
  let all = 0;
  const seen = (isKept: boolean): void => {
    all += 1;
    kept += isKept ? 1 : 0;
  };
  fc.assert(isAsWithout(undefined, seen), { numRuns: 50 });
  expect(kept / all).toBeGreaterThan(0.3);
});

test.each<[string, Forget]>([
  ["that a line came or went", (before, { kinship: { own } }) => ({ ...before, kinship: { ...before.kinship, own } })],
  [
    "that a rule came or went",
    (before, { judged: { planes, own } }) => ({ ...before, judged: { ...before.judged, planes, own } }),
  ],
  ["who was there", (before, { classes }) => ({ ...before, classes: classes.slice(0, before.classes.length) })],
])("the property bites: forgetting %s is found", (_what, forget) => {
  expect(fc.check(isAsWithout(forget), { numRuns: 400, seed: 5, endOnFailure: true }).failed).toBe(true);
});

test("after one changed sentence only pairs with its ends are judged again", () => {
  const catalogue = estate();
  const [payments, ...others] = catalogue.definitions.policies;
  if (!payments) throw new Error("no policy");
  const moved = { protocol: "tcp", first: 6543, last: 6543 } as const;
  const allow = payments.allow.map((line, index) => (index === 0 ? { ...line, on: [moved] } : line));
  const policies = [{ ...payments, allow }, ...others];
  const state = {
    members: estateMembers(catalogue),
    foreign: { namespaces: {}, pods: [], network: [], tiered: [] },
    now: NOON,
  };
  const known = judgedOf({ ...state, world: catalogue.definitions }, ["networkpolicy"]);
  const before = compare(known.judged, known.field);
  const next = judgedOf({ ...state, world: { ...catalogue.definitions, policies } }, ["networkpolicy"], known.doors);
  const now = compare(next.judged, next.field, before);
  const since = changedSince(before, now);
  const rolesIn = (bits: Bits): readonly (string | undefined)[] =>
    now.classes
      .filter(({ place }) => hasBit(bits, place))
      .map(({ first: { end } }) => (end.kind === "workload" ? end.role : undefined));
  expect(since && [rolesIn(since.sources), rolesIn(since.destinations)]).toEqual([
    ["db", "web"],
    ["db", "web"],
  ]);
  expect(now.classes.length).toBeGreaterThan(10);
});
