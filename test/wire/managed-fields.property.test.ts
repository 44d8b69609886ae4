import fc from "fast-check";
import { expect, test } from "vitest";
import { withoutManagedFields } from "../../src/wire/managed-fields.ts";

/** Keys and texts that are like what is looked for, or that could be taken for its end. */
const text = fc.oneof(
  fc.constantFrom(
    "managedFields",
    'x"managedFields',
    "Fields",
    'Fields":[',
    '"managedFields":[',
    "]",
    "[",
    '"',
    "\\",
    '\\"',
    "\\\\",
    '],"a":[',
  ),
  fc.string({ unit: fc.constantFrom('"', "\\", "[", "]", "{", ":", ",", "k", "é") }),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    text,
    fc.constantFrom(null, true, 7, -0.5),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(text, tie("value"), { maxKeys: 4 }),
    fc.record({ managedFields: fc.array(tie("value"), { maxLength: 4 }), z: tie("value") }),
  ),
}));

/** The same value as JSON, with every list of a key `managedFields` emptied. */
const emptied = (given: unknown): unknown =>
  JSON.parse(JSON.stringify(given), (key, inner: unknown) =>
    key === "managedFields" && Array.isArray(inner) ? [] : inner,
  );

test("lists of managedFields are emptied, and nothing else is changed", () => {
  fc.assert(
    fc.property(value, (given) => {
      expect(JSON.parse(withoutManagedFields(JSON.stringify(given)))).toEqual(emptied(given));
    }),
    { numRuns: 2000 },
  );
});

test("the objects of an update lose them both", () => {
  const metadata =
    '"name":"a","managedFields":[{"manager":"x]","fieldsV1":{"k:{\\"n\\":\\"]\\\\\\\\\\"}":{}}}],"labels":{}';
  const review = `{"object":{"metadata":{${metadata}}},"oldObject":{"metadata":{${metadata}}}}`;
  const left = '{"metadata":{"name":"a","managedFields":[],"labels":{}}}';
  expect(withoutManagedFields(review)).toBe(`{"object":${left},"oldObject":${left}}`);
});

test.each([
  ["written with spaces", '{"managedFields": [1]}'],
  ["no list", '{"managedFields":{"a":[1]}}'],
  ["a list that does not end", '{"managedFields":[[1]'],
  ["a text in it that does not end", '{"managedFields":["a]'],
  ["nothing of the kind", '{"a":[1]}'],
])("left as it came: %s", (_, given) => {
  expect(withoutManagedFields(given)).toBe(given);
});
