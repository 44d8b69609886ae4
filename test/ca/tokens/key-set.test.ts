import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  advanceTokenKeys,
  condemnTokenKeys,
  MOST_TOKEN_KEYS,
  readTokenKeys,
  renderTokenKeys,
  signingKeyAt,
  tokenKeySequence,
  type TokenKeySet,
} from "../../../src/ca/tokens/key-set.ts";
import { must } from "../../fakes/judging.ts";
import { NOW } from "./make.ts";

const HOUR = 3_600_000;
const active = (keys: TokenKeySet, now: number) => keys.findIndex(({ kid }) => kid === signingKeyAt(keys, now)?.kid);

test("a key is published an hour before it signs, and kept until its last token has ended", async () => {
  const first = await advanceTokenKeys([], NOW);
  expect([first.length, active(first, NOW)]).toEqual([1, 0]);
  expect(await advanceTokenKeys(first, NOW + 166 * HOUR)).toBe(first);
  const second = await advanceTokenKeys(first, NOW + 167 * HOUR);
  expect([second.length, active(second, NOW + 167 * HOUR), active(second, NOW + 168 * HOUR)]).toEqual([2, 0, 1]);
  expect(await advanceTokenKeys(second, NOW + 169 * HOUR)).toBe(second);
  expect(await advanceTokenKeys(second, NOW + 169 * HOUR + 300_000)).toEqual([second[1]]);
});

test("whatever the clock does, one key signs and there are at most three", async () => {
  const jumps = fc.array(fc.integer({ min: -48 * HOUR, max: 400 * HOUR }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(jumps, async (steps) => {
      let [keys, now]: [TokenKeySet, number] = [[], NOW];
      for (const step of steps) {
        now += step;
        keys = await advanceTokenKeys(keys, now);
        expect(keys.length).toBeLessThanOrEqual(MOST_TOKEN_KEYS);
        expect(active(keys, now)).toBeGreaterThanOrEqual(0);
      }
    }),
    { numRuns: 60 },
  );
});

test("a day's jump ahead signs on with the key that verifiers know", async () => {
  const keys = await advanceTokenKeys([], NOW);
  const jumped = await advanceTokenKeys(keys, NOW + 170 * HOUR);
  expect(active(jumped, NOW + 170 * HOUR)).toBe(0);
});

test("of stolen keys none is left: one new key signs at once", async () => {
  const keys = await advanceTokenKeys(await advanceTokenKeys([], NOW), NOW + 167 * HOUR);
  const next = await condemnTokenKeys(keys, NOW + 167 * HOUR);
  expect([next.length, active(next, NOW + 167 * HOUR)]).toEqual([1, 0]);
  expect(keys.map(({ kid }) => kid)).not.toContain(next[0]?.kid);
});

test("a kept set is read as it was written, and a broken one is refused whole", async () => {
  const keys = await advanceTokenKeys(await advanceTokenKeys([], NOW), NOW + 167 * HOUR);
  const text = renderTokenKeys(keys);
  expect(must(readTokenKeys(text))).toEqual(keys);
  for (const broken of [
    "",
    "{}",
    "[]",
    text.replace('"version":1', '"version":2'),
    text.replace("BEGIN", "BEGUN"),
    text.replace('"activeFrom"', '"from"'),
    text.replace("{", '{"version":1,'),
  ])
    expect(readTokenKeys(broken).ok).toBe(false);
});

test("the set's number grows with every change, whatever the clock does", async () => {
  const jumps = fc.array(fc.integer({ min: -48 * HOUR, max: 400 * HOUR }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(jumps, async (steps) => {
      let [now, keys] = [NOW, await advanceTokenKeys([], NOW)];
      for (const step of steps) {
        now += step;
        const next = step % 3 === 0 ? await condemnTokenKeys(keys, now) : await advanceTokenKeys(keys, now);
        if (next === keys) continue;
        expect(tokenKeySequence(next)).toBeGreaterThan(tokenKeySequence(keys));
        keys = next;
      }
    }),
    { numRuns: 30 },
  );
}, 60_000);
