import { expect, test } from "vitest";
import { waited } from "../../../src/reconcile/certificates/age.ts";
import { NOON } from "../../fakes/judging.ts";

test.each([
  ["seen within its second", NOON, NOON + 700, NOON + 760, 60],
  ["seen when a replica started, long after", NOON, NOON + 90_000, NOON + 90_050, 90_050],
  ["seen by a slow clock", NOON, NOON - 30_000, NOON - 29_900, 100],
  ["of which the server does not say when", undefined, NOON, NOON + 20, 20],
  ["before a clock was set back", NOON, NOON + 500, NOON - 60_000, 0],
])("a request %s has waited as long as it has", (_case, made, seen, now, ms) => {
  expect(waited(made, seen, now)).toBe(ms);
});
