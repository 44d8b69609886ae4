import fc from "fast-check";
import { expect, test } from "vitest";
import type { Definitions } from "../../../src/domain/catalogue.ts";
import { type Doors, doorsOf, type Site } from "../../../src/policy/compile/doors.ts";
import { TARGET_NAMES, TARGETS } from "../../../src/policy/compile/targets.ts";
import { compileIntent } from "../../../src/policy/intent/intent.ts";
import { catalogueOf, definitions, instant } from "../random-intent.ts";
import { POD_NETWORK } from "./random-site.ts";

const SITE: Site = { canaries: [], machines: [], pods: [], networks: [], podNetworks: POD_NETWORK };
const SITES: readonly Site[] = [
  SITE,
  {
    ...SITE,
    networks: [{ namespace: "n1", name: "blue" }],
    machines: [
      { namespace: "n1", name: "m", kind: "Machine", role: "r1", addresses: { v4: [0x0b000000, 0x0b000001], v6: [] } },
    ],
    canaries: [{ namespace: "n1", role: "r1", labels: { app: "a" } }],
    quarantined: [{ namespace: "n1", role: "r1", rulings: [{ object: "Restriction q", path: "" }] }],
  },
];

/** Everything that comes of doors. */
const compiledOf = (doors: Doors) => TARGET_NAMES.map((name) => [name, TARGETS[name].compile(doors)]);

/** One change of definitions, from what another world has: mostly of some policies, now and then of something else. */
const change: fc.Arbitrary<(before: Definitions) => Definitions> = definitions.chain((other) =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }), fc.boolean())
        .map(([kept, first]) => (before: Definitions): Definitions => {
          const some = before.policies.filter((_, index) => kept[index % kept.length]);
          return { ...before, policies: first ? [...other.policies, ...some] : [...some, ...other.policies] };
        }),
    },
    {
      weight: 4,
      arbitrary: fc.constantFrom("segments", "roles", "namespaces", "guardrails", "exceptions", "restrictions").map(
        (kind) =>
          (before: Definitions): Definitions => ({ ...before, [kind]: other[kind] }),
      ),
    },
  ),
);

const step = fc.record({ change, now: instant, moves: fc.boolean(), site: fc.constantFrom(0, 0, 0, 1) });

test("doors that are worked out beside those of before come to the same objects, whatever has changed", () => {
  fc.assert(
    fc.property(definitions, instant, fc.array(step, { minLength: 1, maxLength: 5 }), (first, start, steps) => {
      let world = first;
      let now = start;
      let doors = doorsOf(compileIntent(catalogueOf(world)), SITE, now);
      compiledOf(doors);
      for (const { change: changed, now: next, moves, site } of steps) {
        world = changed(world);
        now = moves ? next : now;
        const place = SITES[site] ?? SITE;
        const intent = compileIntent(catalogueOf(world), doors.intent);
        doors = doorsOf(intent, place, now, doors);
        const fresh = compileIntent(catalogueOf(world));
        expect(intent.lines).toEqual(fresh.lines);
        expect(compiledOf(doors)).toEqual(compiledOf(doorsOf(fresh, place, now)));
      }
    }),
    { numRuns: 120 },
  );
});

test("what no changed sentence opens is not worked out again, and its objects are the same ones", () => {
  fc.assert(
    fc.property(definitions, instant, (world, now) => {
      const before = doorsOf(compileIntent(catalogueOf(world)), SITE, now);
      const policies = [...world.policies];
      const again = doorsOf(compileIntent(catalogueOf({ ...world, policies }), before.intent), SITE, now, before);
      expect(again.ground).toBe(before.ground);
      again.subjects.forEach((subject, index) => expect(subject).toBe(before.subjects[index]));
      const [cilium, known] = [TARGETS.ciliumnetworkpolicy.compile(again), TARGETS.ciliumnetworkpolicy.compile(before)];
      cilium.forEach((object, index) => expect(object).toBe(known[index]));
    }),
    { numRuns: 30 },
  );
});
