import * as fc from "fast-check";
import { expect, test } from "vitest";
import { printable, specDiff } from "../../src/cli/spec-diff.ts";
import type { Json } from "../../src/domain/json-patch.ts";

const ROWS: readonly { name: string; before: Json | undefined; after: Json; said: readonly string[] }[] = [
  { name: "nothing where nothing changed", before: { a: [1, { b: 2 }] }, after: { a: [1, { b: 2 }] }, said: [] },
  {
    name: "a value that became another",
    before: { mode: "observe" },
    after: { mode: "enforce" },
    said: ["mode: observe → enforce"],
  },
  {
    name: "a field within a field",
    before: { leaf: { maxTTL: "4h" } },
    after: { leaf: { maxTTL: "1h" } },
    said: ["leaf.maxTTL: 4h → 1h"],
  },
  { name: "a field that came, and one that went", before: { a: 1 }, after: { b: true }, said: ["a: - 1", "b: + true"] },
  { name: "items that came and went", before: { n: ["a", "b"] }, after: { n: ["b", "c"] }, said: ["n: + c, - a"] },
  { name: "an order that changed", before: { n: ["a", "b"] }, after: { n: ["b", "a"] }, said: ["n: now [b, a]"] },
  { name: "an item twice", before: { n: ["a"] }, after: { n: ["a", "a"] }, said: ["n: now [a, a]"] },
  {
    name: "a sentence as JSON",
    before: { allow: [] },
    after: { allow: [{ from: { role: "a" } }] },
    said: ['allow: + {"from":{"role":"a"}}'],
  },
  { name: "everything where nothing was approved", before: undefined, after: { a: { b: "c" } }, said: ["a.b: + c"] },
  { name: "an empty field that came", before: {}, after: { a: {} }, said: ["a: + {}"] },
  { name: "a kind of value that changed", before: { a: ["b"] }, after: { a: "b" }, said: ["a: [b] → b"] },
];

for (const { name, before, after, said } of ROWS) test(name, () => expect(specDiff(before, after)).toEqual(said));

const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>;
const fields = fc.dictionary(fc.constantFrom("a", "b", "c"), json) as fc.Arbitrary<{ readonly [key: string]: Json }>;

test("nothing that changed stays unsaid, and no line holds a character that a terminal obeys", () => {
  fc.assert(
    fc.property(fields, fields, (before, after) => {
      const said = specDiff(before, after);
      const unchanged = JSON.stringify(sorted(before)) === JSON.stringify(sorted(after));
      expect(said.length === 0).toBe(unchanged);
      for (const line of said) expect(line).toBe(printable(line));
    }),
    { numRuns: 300 },
  );
});

/** Fields that stand in another order say nothing to anybody. */
const sorted = (value: Json): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, child]) => [key, sorted(child)]),
      )
    : value;
