import fc from "fast-check";
import { expect, test } from "vitest";
import type { Pace } from "../../src/reconcile/authority/pace.ts";
import { type Event, HOUR, MINUTE, RotationModel } from "./rotation-model.ts";

const by = fc.constantFrom(0 as const, 1 as const);
const events: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant("pass" as const),
      ms: fc.constantFrom(MINUTE, 5 * MINUTE, HOUR, 30 * HOUR),
    }),
  },
  { weight: 6, arbitrary: fc.record({ what: fc.constantFrom("read" as const, "work" as const, "sign" as const), by }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("kill" as const), by }) },
  { weight: 3, arbitrary: fc.constant({ what: "publish" as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant("ask" as const),
      step: fc.constantFrom(
        "request" as const,
        "pause" as const,
        "resume" as const,
        "withdraw" as const,
        "rollback" as const,
      ),
    }),
  },
);

/** After each event both replicas, if alive, read, work, publish and sign, as real ones do many times an hour. */
const busy = (event: Event): readonly Event[] => [
  event,
  ...([0, 1] as const).flatMap((each): Event[] => [
    { what: "read", by: each },
    { what: "work", by: each },
    { what: "publish" },
    { what: "sign", by: each },
  ]),
];

function run(history: readonly Event[], pace: Partial<Pace> = {}): RotationModel {
  const model = new RotationModel(pace);
  const start: Event[] = Array.from({ length: 8 }, (): Event => ({ what: "pass", ms: MINUTE }));
  for (const event of [...start, { what: "pass", ms: 2 * HOUR } as const].flatMap(busy)) model.happen(event);
  for (const [index, event] of history.entries())
    for (const each of index % 3 === 0 ? busy(event) : [event]) model.happen(each);
  return model;
}

const histories = fc.array(events, { minLength: 20, maxLength: 120 });

test("whatever happens in whatever order, every certificate is accepted by every reader, and one authority at most signs", () => {
  fc.assert(
    fc.property(histories, (history) => {
      expect(run(history).failed).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test("readers' time begins when publication is known, however long ago it was decided on", () => {
  const model = run([]);
  const history: readonly Event[] = [
    { what: "ask", step: "request" },
    { what: "read", by: 0 },
    { what: "work", by: 0 },
    { what: "work", by: 0 },
    { what: "pass", ms: 30 * HOUR },
    { what: "publish" },
    { what: "work", by: 0 },
    { what: "work", by: 0 },
  ];
  for (const event of history) model.happen(event);
  const stands = model.stored.set.authorities.map(({ state, publishedAt }) => [state, publishedAt !== undefined]);
  expect(stands).toEqual([
    ["active", true],
    ["published", true],
  ]);
});

test.each<[string, Partial<Pace>]>([
  ["an authority signed as soon as it is published", { settleMs: 0 }],
  ["a root left the bundle before what it signed had ended", { longestLeafMs: HOUR, marginMs: 0 }],
])("the property bites: it fails where %s", (_, pace) => {
  const found = fc.check(
    fc.property(histories, (history) => run(history, pace).failed.length === 0),
    { numRuns: 1000, endOnFailure: true },
  );
  expect(found.failed).toBe(true);
});

test("the histories reach every state of an authority", () => {
  const states = new Set(fc.sample(histories, 60).flatMap((history) => [...run(history).states]));
  expect([...states].sort()).toEqual(["active", "prepared", "published", "revoked", "tainted"]);
});
