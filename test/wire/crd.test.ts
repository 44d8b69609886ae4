import { describe, expect, test } from "vitest";
import { allCrds, crdOf } from "../../src/wire/crd.ts";
import { KINDS } from "../../src/wire/kinds.ts";
import { readDefinitions } from "../../src/wire/definitions.ts";
import { readObjects } from "../../src/wire/objects.ts";
import { EXAMPLES, mutated } from "./examples.ts";
import { REFUSALS } from "./refusals.ts";

type Node = {
  readonly description?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly additionalProperties?: Node;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly enum?: readonly string[];
  readonly "x-kubernetes-list-type"?: string;
};
type Spec = { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Node } }[] };

/** Every node below, with its path. */
function* walk(node: Node, path: string): Generator<readonly [string, Node]> {
  yield [path, node];
  for (const [name, child] of Object.entries(node.properties ?? {})) yield* walk(child, `${path}.${name}`);
  if (node.items) yield* walk(node.items, `${path}[]`);
  if (node.additionalProperties) yield* walk(node.additionalProperties, `${path}.*`);
}

const nodes = allCrds().flatMap((crd) => [
  ...walk((crd.spec as Spec).versions[0]?.schema.openAPIV3Schema ?? {}, crd.metadata.name),
]);

/** Every node but metadata, of which the API server lets a schema say nothing. */
const described = nodes.filter(([path]) => !path.endsWith(".metadata"));

describe("the CRDs", () => {
  test("there are eight, in the order in which one would write the objects", () => {
    expect(allCrds().map(({ metadata }) => metadata.name)).toEqual(KINDS.map(({ plural }) => `${plural}.signet.dev`));
    expect(KINDS.map(({ kind }) => kind)).toEqual(Object.keys(EXAMPLES));
  });

  test("every field says what it is for", () => {
    expect(
      described.filter(([, { description }]) => !description?.endsWith(".") && !description?.endsWith("…")),
    ).toEqual([]);
  });

  test("every text, list and map that people write has a limit, so that the cost of rules stays bounded", () => {
    const unlimited = described.filter(
      ([path, node]) =>
        path.includes(".spec.") &&
        ((node.type === "string" && node.enum === undefined && node.maxLength === undefined) ||
          (node.type === "array" && node.maxItems === undefined) ||
          (node.additionalProperties !== undefined && node.maxProperties === undefined)),
    );
    expect(unlimited).toEqual([]);
  });

  test("every list says how two writers' versions of it are joined", () => {
    const silent = described.filter(([, node]) => node.type === "array" && !node["x-kubernetes-list-type"]);
    expect(silent.map(([path]) => path)).toEqual([]);
  });

  test("short names are taken once", () => {
    const names = KINDS.flatMap(({ shortNames, plural, kind }) => [...shortNames, plural, kind.toLowerCase()]);
    expect(new Set(names).size).toBe(names.length);
  });

  test("a kind without rules has none in its CRD", () => {
    const guardrail = KINDS.find(({ kind }) => kind === "Guardrail");
    if (!guardrail) throw new Error("no Guardrail");
    expect(JSON.stringify(crdOf(guardrail))).not.toContain("metadata.name is stamped");
  });
});

describe("the same schemas read files", () => {
  const readerOf = (object: unknown): string => {
    const objects = readObjects([{ name: "f.json", text: JSON.stringify(object) }]);
    const read = objects.ok ? readDefinitions(objects.value.objects) : objects;
    return read.ok ? "" : read.problems.map(({ path, message, code }) => `${path}: ${message} [${code}]`).join("; ");
  };

  test.each(Object.values(EXAMPLES))("a valid $kind is read", (example) => {
    expect(readerOf(example)).toBe("");
  });

  test.each(REFUSALS)("$kind: $what is refused, in words", ({ kind, path, value, reader }) => {
    expect(readerOf(mutated(kind, path, value))).toBe(reader);
  });
});
