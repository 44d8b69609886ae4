import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { issue } from "../../src/ca/issue.ts";
import { makeClusterClock } from "../../src/kube/cluster-clock.ts";
import { csrOf, leafKey, podRequest, testAuthority, walkParts } from "../fakes/ca.ts";
import { must, NOON } from "../fakes/judging.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A machine whose wall clock is off by so much, and an API server whose is right. */
function machine(offMs: number) {
  const hands = { wall: NOON + offMs, monotonic: 7_000 };
  const clock = makeClusterClock({ wall: () => hands.wall, monotonic: () => hands.monotonic });
  const pass = (ms: number) => {
    hands.wall += ms;
    hands.monotonic += ms;
  };
  return { hands, clock, pass };
}

test("before the API server has answered, the machine's clock counts", () => {
  const { clock, pass } = machine(0);
  clock.heard(undefined);
  clock.heard("yesterday");
  pass(1_500);
  expect(clock.now()).toBe(NOON + 1_500);
});

test("after it, only the API server's does, carried on without a jump; whole seconds in its answers move nothing", () => {
  const { hands, clock, pass } = machine(-4 * MINUTE);
  clock.heard(new Date(NOON).toUTCString());
  expect(clock.now()).toBe(NOON);
  hands.wall += DAY;
  pass(1_900);
  clock.heard(new Date(NOON + 1_000).toUTCString());
  expect(clock.now()).toBe(NOON + 1_900);
  pass(MINUTE);
  clock.heard(new Date(NOON + 10 * MINUTE).toUTCString());
  expect(clock.now()).toBe(NOON + 10 * MINUTE);
});

test.each([
  ["more than three minutes behind", -200_000],
  ["five minutes behind", -5 * MINUTE],
  ["five minutes ahead", 5 * MINUTE],
  ["a day behind", -DAY],
  ["a day ahead", DAY],
])("a machine %s issues certificates that the API server takes and that hold at once", async (_, off) => {
  const { issuer } = await testAuthority();
  const { clock } = machine(off);
  clock.heard(new Date(NOON).toUTCString());
  const { parts } = walkParts(issuer, { now: clock.now, random: randomBytes });
  const { contents } = must(await issue(podRequest(csrOf(leafKey())), parts));
  const { notBefore, notAfter } = contents.window;
  expect([Math.abs(notBefore - NOON) < 5 * MINUTE, notBefore <= NOON, notAfter - NOON > 60 * MINUTE]).toEqual([
    true,
    true,
    true,
  ]);
});
