import { expect, test } from "vitest";
import { Fights } from "../../src/bin/cluster/publishing/fights.ts";
import type { Rendered } from "../../src/policy/compile/rendered.ts";
import { objectKey, orderWrites, type Write } from "../../src/reconcile/policies/order.ts";

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

test("two mends come at once, and each after that within two seconds, however long it goes on", () => {
  const mends = foughtFor(new Fights(() => 1), 3600);
  const waits = mends.slice(1).map((at, index) => at - (mends[index] ?? 0));
  expect([waits.length, waits[0], new Set(waits.slice(1))]).toEqual([1800, 0.25, new Set([2])]);
});

test("waits are drawn, so that two who fight do not meet again", () => {
  const draws = [0.1, 0.9, 0.4, 0.7, 0.2, 0.6];
  const mends = foughtFor(new Fights(() => draws.shift() ?? 0.5), 10);
  expect(mends).toEqual([0, 0.25, 1.5, 3.5, 5, 6.75, 8, 9.75]);
});

test.each([10, 60, 300])(
  "a quarantine that somebody opens every %i s for six hours is closed at the next look",
  (every) => {
    const [look, hours] = [250, 6 * 3_600_000];
    const closed: Rendered = {
      ...DB.object,
      metadata: { name: "signet-quarantine", namespace: "pay", labels: {} },
      spec: { podSelector: { matchLabels: { "signet.dev/quarantine": "true" } }, policyTypes: ["Ingress", "Egress"] },
    };
    const opened: Rendered = { ...closed, spec: { podSelector: {}, ingress: [{}], egress: [{}] } };
    const fights = new Fights(Math.random);
    let [standing, open] = [closed, 0];
    for (let now = 0; now < hours; now += look) {
      if (standing === opened) {
        const planned = orderWrites([standing], [closed], new Set([objectKey(closed)]));
        fights.keep(planned);
        const made = fights.without(planned, now);
        fights.note(made, now);
        open += look;
        if (made.length > 0) standing = closed;
      }
      if (now % (every * 1000) === 0) standing = opened;
    }
    expect(open / hours).toBeLessThan(0.05);
    expect(open).toBe((look * hours) / (every * 1000));
  },
);

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

test("a mend that was put off is not due any more once somebody else put the object right", () => {
  const fights = new Fights(() => 1);
  for (const at of [0, 1, 2]) fights.note([DB], at);
  expect(fights.without([DB], 3)).toEqual([]);
  fights.keep([write("cache", 5432), write("db", 5433, "narrow")]);
  expect([fights.isDue(60_000), fights.count(60_000)]).toEqual([false, 1]);
});
