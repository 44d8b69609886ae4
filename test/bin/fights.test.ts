import { expect, test } from "vitest";
import { Fights } from "../../src/bin/cluster/publishing/fights.ts";
import type { Write } from "../../src/reconcile/policies/order.ts";

const write = (name: string, port: number, why: Write["why"] = "mend"): Write => ({
  verb: "apply",
  why,
  object: {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: "pay", labels: {} },
    spec: { ingress: [{ ports: [{ port }] }] },
  },
});

const DB = write("db", 5432);

/** Mends as often as it is due within a time, somebody undoing each mend at once; gives the seconds at which it was. */
function foughtFor(fights: Fights, seconds: number, random = fights): readonly number[] {
  const mends: number[] = [];
  for (let now = 0; now < seconds * 1000; now += 250)
    if (random.without([DB], now).length > 0) {
      fights.note([DB], now);
      mends.push(now / 1000);
    }
  return mends;
}

test("two mends come at once, and each after that later, up to five minutes", () => {
  const mends = foughtFor(new Fights(() => 1), 3600);
  const waits = mends.slice(1).map((at, index) => at - (mends[index] ?? 0));
  expect(waits.slice(0, 8)).toEqual([0.25, 3, 9, 27, 81, 243, 300, 300]);
});

test("waits are drawn, so that two who fight do not meet again", () => {
  const draws = [0.1, 0.9, 0.4, 0.7, 0.2, 0.6];
  const mends = foughtFor(new Fights(() => draws.shift() ?? 0.5), 60);
  expect(mends).toEqual([0, 0.25, 1.5, 5, 9.75, 19.75, 26.75, 39.5, 59]);
});

test("who leaves an object alone for ten minutes fights no more", () => {
  const fights = new Fights(() => 1);
  for (const at of [0, 1_000, 10_000, 60_000]) fights.note([DB], at);
  expect([fights.of("NetworkPolicy pay/db", 60_000)?.times, fights.count(60_000)]).toEqual([4, 1]);
  expect([fights.of("NetworkPolicy pay/db", 660_000), fights.count(660_000)]).toEqual([undefined, 0]);
  expect(fights.without([DB], 660_000)).toEqual([DB]);
  fights.note([DB], 660_000);
  expect(fights.without([DB], 660_250)).toEqual([DB]);
});

test("neither other objects wait, nor what an object says newly, nor what is no mend", () => {
  const fights = new Fights(() => 1);
  for (const at of [0, 1, 2]) fights.note([DB], at);
  const others = [write("cache", 5432), write("db", 5433), write("db", 5432, "narrow")];
  expect(fights.without([DB, ...others], 3)).toEqual(others);
});

test("a mend that was put off is due when its time has come, and only where it was put off", () => {
  const fights = new Fights(() => 1);
  for (const at of [0, 1, 2]) fights.note([DB], at);
  expect(fights.isDue(60_000)).toBe(false);
  expect(fights.without([DB], 3)).toEqual([]);
  expect([fights.isDue(4), fights.isDue(60_000)]).toEqual([false, true]);
});
