import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Entry } from "../../src/store/chain.ts";
import { entriesOf } from "../../src/store/groups.ts";
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

const told = entry.map((each) => ({ ...each, body: JSON.stringify(each.body) }));

test("entries that are grouped come out one by one as they went in, in order, whatever stands between them", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(told, fc.boolean()), { maxLength: 12 }), (some) => {
      const packed = new PackedEntries();
      for (const [each, grouped] of some)
        if (grouped) packed.group(each);
        else packed.add(each);
      const records = [...unpack(packed.lend())];
      expect([packed.count, records.flatMap(entriesOf)]).toEqual([some.length, some.map(([each]) => each)]);
    }),
  );
});

test("a text that looks like the rest of a line stays a text", () => {
  const subject = 'a","body":"b\n"},';
  const packed = new PackedEntries();
  for (const at of [1, 2]) packed.group({ kind: "verdict", subject, at, body: '{"body":"\\n"}' });
  const [record, ...more] = [...unpack(packed.lend())];
  expect([record?.kind, record?.at, more]).toEqual(["verdicts", 2, []]);
  expect(record && entriesOf(record).map((each) => [each.subject, each.at, each.body])).toEqual([
    [subject, 1, '{"body":"\\n"}'],
    [subject, 2, '{"body":"\\n"}'],
  ]);
});

test("a group is as old as its newest entry, also where the clock went back", () => {
  const packed = new PackedEntries();
  for (const at of [2, 3, 1]) packed.group({ kind: "verdict", subject: "a", at, body: "{}" });
  expect([...unpack(packed.lend())].map(({ at }) => at)).toEqual([3]);
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
