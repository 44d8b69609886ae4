import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Entry } from "../../src/store/chain.ts";
import { PackedEntries, unpack } from "../../src/store/packed-entries.ts";

const text = fc.oneof(fc.string({ unit: "grapheme", maxLength: 20 }), fc.constant("x".repeat(40_000)));
const entry: fc.Arbitrary<Entry> = fc.record({
  kind: fc.constantFrom("verdict", "issuance"),
  subject: text,
  at: fc.nat({ max: 4e12 }),
  body: text,
});

test("what is packed is unpacked as it was, in order", () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 12 }), (entries) => {
      const packed = new PackedEntries();
      for (const each of entries) packed.add(each);
      expect(packed.count).toBe(entries.length);
      expect([...unpack(packed.lend())]).toEqual(entries);
    }),
  );
});

test("entries can be taken out and others put behind, and places tell where each lies", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(entry, fc.boolean()), { maxLength: 8 }),
      fc.array(entry, { maxLength: 3 }),
      (some, more) => {
        const packed = new PackedEntries();
        const places = some.map(([each]) => packed.add(each));
        const rest = packed.without(places.filter((_, index) => some[index]?.[1]));
        const others = new PackedEntries();
        for (const each of more) others.add(each);
        const moved = rest.addAll(others);
        const kept = [...some.filter(([, out]) => !out).map(([each]) => each), ...more];
        expect([rest.count, [...unpack(rest.lend())]]).toEqual([kept.length, kept]);
        expect(moved.entries).toBe(kept.length - more.length);
      },
    ),
  );
});
