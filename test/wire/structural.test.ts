import { Type } from "typebox";
import { expect, test } from "vitest";
import { structural } from "../../src/wire/structural.ts";

const described = { description: "It." };

test("an object keeps its fields, and loses what the API server does by itself", () => {
  const schema = Type.Object(
    {
      name: Type.String({ ...described, minLength: 1, pattern: "^a", form: "a name" }),
      kind: Type.Optional(Type.Enum(["A", "B"], { ...described, default: "A" })),
      tags: Type.Array(Type.String(described), { ...described, uniqueItems: true, "x-kubernetes-list-type": "set" }),
      labels: Type.Record(Type.String(), Type.String(described), { ...described, maxProperties: 3 }),
    },
    { ...described, additionalProperties: false },
  );
  expect(structural(schema, "X")).toEqual({
    type: "object",
    description: "It.",
    required: ["name", "tags", "labels"],
    properties: {
      name: { type: "string", description: "It.", minLength: 1, pattern: "^a" },
      kind: { type: "string", description: "It.", enum: ["A", "B"], default: "A" },
      tags: {
        type: "array",
        description: "It.",
        items: { type: "string", description: "It." },
        "x-kubernetes-list-type": "set",
      },
      labels: {
        type: "object",
        description: "It.",
        maxProperties: 3,
        additionalProperties: { type: "string", description: "It." },
      },
    },
  });
});

test.each([
  ["a constant", Type.Literal("a"), 'X.a: "const" has no structural form'],
  [
    "one of several types",
    Type.Union([Type.String(), Type.Integer()]),
    "X.a: a structural schema needs one type, and words where it lists values",
  ],
  ["null", Type.Null(), "X.a: a structural schema needs one type, and words where it lists values"],
  ["an enum of numbers", Type.Enum([1, 2]), "X.a: a structural schema needs one type, and words where it lists values"],
  ["anything", Type.Unknown(), "X.a: a structural schema needs one type, and words where it lists values"],
  [
    "keys with a pattern",
    Type.Record(Type.String({ pattern: "^a" }), Type.String()),
    "X.a: keys with a pattern have no structural form",
  ],
  [
    "a list that is a set without saying so",
    Type.Array(Type.String(), { uniqueItems: true }),
    'X.a: "uniqueItems" has no structural form',
  ],
  ["a tuple", Type.Tuple([Type.String()]), 'X.a: "additionalItems" has no structural form'],
  [
    "further fields with a schema",
    Type.Object({}, { additionalProperties: Type.String() }),
    'X.a: "additionalProperties" has no structural form',
  ],
] as const)("%s has no structural form, and is a fault of ours", (_, schema, message) => {
  expect(() => structural(Type.Object({ a: schema }), "X")).toThrow(message);
});

test("a field that YAML 1.1 would read as a boolean may stand under that name too, once", () => {
  const required = structural(Type.Object({ on: Type.String(described) }, described), "X");
  const twin = "The same as `on`, which YAML 1.1 reads as the word true where it stands unquoted.";
  expect(required).toEqual({
    type: "object",
    description: "It.",
    properties: { on: { type: "string", description: "It." }, true: { type: "string", description: twin } },
    "x-kubernetes-validations": [
      { rule: "has(self.on) != has(self.__true__)", message: "the field on is missing, or stands here twice" },
    ],
  });
  const optional = structural(Type.Object({ on: Type.Optional(Type.String(described)) }, described), "X");
  expect(optional["x-kubernetes-validations"]).toEqual([
    { rule: "!has(self.on) || !has(self.__true__)", message: "the field on stands here twice" },
  ]);
});
