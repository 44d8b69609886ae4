import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  afterLook,
  isStale,
  livingRoots,
  type Look,
  nextLookMs,
  type Standing,
} from "../../../src/reconcile/federation/standing.ts";
import { NOON } from "../../fakes/judging.ts";

const NONE: Standing = { failures: 0 };
const root = (fingerprint: string, notAfter = NOON + 1) => ({ pem: fingerprint, fingerprint, notAfter });
const bundle = (more: object = {}): Look => ({ got: "bundle", roots: [root("a")], ...more });
const FAILURE = { reason: "Unavailable", message: "partner.example.org gave no bundle: it answered 503." } as const;
const NOTHING: Look = { got: "nothing", failure: FAILURE };
const after = (looks: readonly Look[], generation = 1): Standing =>
  looks.reduce((standing, look) => afterLook(standing, look, generation, NOON), NONE);

test("a bundle is held with its number, how often it is wanted, and by which generation it came", () => {
  expect(after([bundle({ sequence: 3, refreshHint: 60 })])).toEqual({
    held: { roots: [root("a")], sequence: 3, refreshSeconds: 60, generation: 1, fetchedAt: NOON },
    failures: 0,
  });
});

test("a failure leaves the last good bundle where it is, and ends with the next", () => {
  const held = after([bundle()]);
  expect(after([bundle(), NOTHING, NOTHING])).toEqual({ ...held, failure: FAILURE, failures: 2 });
  expect(after([bundle(), NOTHING, bundle()])).toEqual(held);
});

test("a sequence number does not go back; one that stays, or is left out, is taken", () => {
  const back = after([bundle({ sequence: 3 }), bundle({ sequence: 2, roots: [root("b")] })]);
  expect([back.held?.roots[0]?.fingerprint, back.failure]).toEqual([
    "a",
    {
      reason: "Older",
      message: "The endpoint gave sequence number 2 after 3: an older bundle, or one of another server.",
    },
  ]);
  for (const sequence of [3, 4, undefined])
    expect(after([bundle({ sequence: 3 }), bundle({ sequence, roots: [root("b")] })]).held?.roots).toEqual([root("b")]);
});

test("whoever approves another generation begins the numbers anew", () => {
  const before = after([bundle({ sequence: 3 })], 1);
  expect(afterLook(before, bundle({ sequence: 1 }), 2, NOON).held).toMatchObject({ sequence: 1, generation: 2 });
});

test.each([
  [undefined, 300],
  [0, 10],
  [9, 10],
  [300, 300],
  [2_419_200, 3600],
])("a refresh hint of %s makes a look every %s seconds", (refreshHint, seconds) => {
  const standing = after([bundle(refreshHint === undefined ? {} : { refreshHint })]);
  expect([nextLookMs(standing, 0), nextLookMs(standing, 1)]).toEqual([seconds * 800, seconds * 1000]);
});

test("after failures the distance doubles until it is the usual one", () => {
  const waits = [1, 2, 3, 4, 5, 6, 99].map((failures) => nextLookMs({ failures }, 1) / 1000);
  expect(waits).toEqual([10, 20, 40, 80, 160, 300, 300]);
});

test("F6: no hint and no number of failures makes a hot retry, or a wait beyond an hour", () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.nat(2 ** 31),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (failures, refreshHint, random) => {
        const wait = nextLookMs({ ...after([bundle({ refreshHint })]), failures }, random);
        return wait >= 8_000 && wait <= 3_600_000;
      },
    ),
  );
});

test("whatever endpoints say, what is held is the newest good bundle of its generation", () => {
  const look = fc.oneof(
    fc.constant(NOTHING),
    fc.record({ sequence: fc.nat(5) }).map((more) => bundle(more)),
  );
  fc.assert(
    fc.property(fc.array(look), (looks) => {
      const numbers = looks.flatMap((each) => (each.got === "bundle" ? [each.sequence ?? 0] : []));
      return after(looks).held?.sequence === (numbers.length === 0 ? undefined : Math.max(...numbers));
    }),
  );
});

test("an authority is published until it ends, and a bundle is stale after three times its hint", () => {
  const { held } = after([bundle({ roots: [root("a", NOON), root("b", NOON + 5)], refreshHint: 60 })]);
  expect(livingRoots(held, NOON + 1).map(({ fingerprint }) => fingerprint)).toEqual(["b"]);
  expect(livingRoots(undefined, NOON)).toEqual([]);
  expect([180_000, 180_001].map((ms) => held && isStale(held, NOON + ms))).toEqual([false, true]);
});
