import { describe, expect, test } from "vitest";
import { pathText } from "../../src/wire/documents.ts";
import { readObjects } from "../../src/wire/objects.ts";
import { pathSteps, placeOfPath } from "../../src/wire/path-steps.ts";
import { byFirstNames } from "../../src/wire/yaml-words.ts";

const VALUE = {
  metadata: { labels: { "signet.dev/role": "a", "a.b": "c", a: { b: "d" } } },
  spec: { allow: [{ on: ["tcp/1"] }, { on: [] }] },
};

describe("a path as people write it is found again", () => {
  test.each<readonly [string, readonly (string | number)[]]>([
    ["", []],
    ["spec.allow[1].on", ["spec", "allow", 1, "on"]],
    ["spec.allow[0].on[0]", ["spec", "allow", 0, "on", 0]],
    ["metadata.labels.signet.dev/role", ["metadata", "labels", "signet.dev/role"]],
    ["metadata.labels.a.b", ["metadata", "labels", "a.b"]],
    ["spec.allow[0].from.role", ["spec", "allow", 0]],
    ["nowhere.at.all", []],
    ["spec.allow.on", ["spec", "allow"]],
  ])("%s", (text, steps) => {
    expect(pathSteps(VALUE, text)).toEqual(steps);
  });

  test("and is written the same way", () => {
    const steps = ["spec", "allow", 0, "on", 0];
    expect(pathText(steps)).toBe("spec.allow[0].on[0]");
    expect(pathSteps(VALUE, pathText(steps))).toEqual(steps);
  });

  test("where it ends early, the nearest field around it is its place, in a List too", () => {
    const text = `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata:
    name: p
    labels:
      on: "1"
`;
    const read = readObjects([{ name: "f.yaml", text }]);
    const object = read.ok ? read.value.objects[0] : undefined;
    if (!object) throw new Error("no object");
    const at = (path: string) => {
      const { line, column } = placeOfPath(object, path);
      return `${line}:${column}`;
    };
    expect([
      at(""),
      at("metadata.name"),
      at("metadata.labels.true"),
      at("metadata.labels.nothing"),
      at("spec.containers"),
    ]).toEqual(["4:3", "7:5", "9:7", "8:5", "4:3"]);
  });
});

describe("a field that YAML 1.1 renames", () => {
  const schema = {
    properties: { on: {}, from: { properties: { on: {} } }, all: { items: { properties: { on: {} } } } },
  };

  test.each<readonly [string, unknown, unknown]>([
    ["gets its name back", { true: [1] }, { on: [1] }],
    ["at every depth", { from: { true: 1 }, all: [{ true: 2 }] }, { from: { on: 1 }, all: [{ on: 2 }] }],
    ["keeps its place", { a: 1, true: 2, z: 3 }, { a: 1, on: 2, z: 3 }],
    ["is left alone where both stand", { on: 1, true: 2 }, { on: 1, true: 2 }],
    ["is left alone where the schema has no such field", { labels: { true: 1 } }, { labels: { true: 1 } }],
    ["is left alone in what is no object", "true", "true"],
    ["is left alone in null", null, null],
  ])("%s", (_, value, expected) => {
    const read = byFirstNames(schema, value);
    expect(read).toEqual(expected);
    expect(JSON.stringify(read)).toBe(JSON.stringify(expected));
  });
});
