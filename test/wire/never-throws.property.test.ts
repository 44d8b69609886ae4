import * as fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { review } from "../../src/admission/review.ts";
import { makeCatalogue } from "../../src/domain/catalogue.ts";
import type { Problem, Result } from "../../src/domain/problem.ts";
import { lintDefinitions } from "../../src/identity/lint-definitions.ts";
import { readDefinitions } from "../../src/wire/definitions.ts";
import { exportDefinitions } from "../../src/wire/export.ts";
import { readObjects } from "../../src/wire/objects.ts";
import { metadataPresence } from "../../src/wire/presence.ts";
import { readWorkload } from "../../src/wire/workloads.ts";
import { EXAMPLES } from "./examples.ts";

const POD = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "p",
    namespace: "payments",
    labels: { app: "orders", tier: "data" },
    annotations: { "signet.dev/use-role": "orders-db" },
  },
  spec: {
    serviceAccountName: "orders-db",
    hostNetwork: true,
    containers: [{ name: "a", securityContext: { privileged: true, capabilities: { add: ["NET_ADMIN"] } } }],
    volumes: [
      { name: "v", hostPath: { path: "/srv" } },
      { name: "c", projected: { sources: [{ podCertificate: { signerName: "signet.dev/svid" } }] } },
    ],
  },
};
const NAMESPACE = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: "payments", labels: { "signet.dev/enrol": "true" } },
};

/** Everything that a file goes through; gives all problems that were found. */
function everything(text: string): readonly Problem[] {
  const problems = <T>(result: Result<T>): readonly Problem[] => (result.ok ? [] : result.problems);
  const read = readObjects([{ name: "f", text }]);
  if (!read.ok) return read.problems;
  const { objects } = read.value;
  const definitions = readDefinitions(objects);
  const found = [...problems(definitions), ...problems(exportDefinitions(objects))];
  const catalogue = definitions.ok ? makeCatalogue(definitions.value, "") : undefined;
  if (catalogue) lintDefinitions(catalogue, 0);
  for (const object of objects) {
    const workload = readWorkload(object, { namespace: object.namespace || "default" });
    found.push(...problems(workload));
    if (workload.ok && workload.value && catalogue)
      review(catalogue, workload.value, metadataPresence(object.raw), { now: 0 });
  }
  return found;
}

/** Values that a hand, a template or an attacker may leave in a manifest. */
const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    null,
    true,
    0,
    -1,
    1e308,
    "",
    " ",
    "default",
    "*",
    "..",
    "a/b",
    "2026-01-01T00:00:00Z",
    "spiffe://",
    "__proto__",
    "constructor",
  ),
  fc.constantFrom([], [null], [[]], {}, { toString: null }, { "": "" }, { constructor: {}, hasOwnProperty: 1 }),
  fc.string(),
);

type Step = { readonly pick: number; readonly stop: boolean };
const steps = fc.array(fc.record({ pick: fc.nat(50), stop: fc.boolean() }), { minLength: 1, maxLength: 8 });

/** The object with what stands somewhere in it replaced, renamed or taken away. */
function damaged(value: unknown, [step, ...rest]: readonly Step[], put: unknown): unknown {
  if (step === undefined || typeof value !== "object" || value === null) return put;
  const keys = Object.keys(value);
  const key = keys[step.pick % Math.max(1, keys.length)];
  if (key === undefined || (step.stop && rest.length === 0)) return put;
  const child = damaged((value as Record<string, unknown>)[key], rest, put);
  if (Array.isArray(value)) return value.map((item: unknown, index) => (String(index) === key ? child : item));
  return Object.fromEntries(Object.entries(value).map(([name, old]) => [name, name === key ? child : old]));
}

const object = fc
  .tuple(fc.constantFrom<object>(...Object.values(EXAMPLES), POD, NAMESPACE), steps, odd)
  .map(([example, path, put]) => damaged(example, path, put));

const places = (problems: readonly Problem[]) =>
  problems.filter(({ source }) => source?.file !== "f" || !(source.line >= 1 && source.column >= 1));

test("no manifest makes a reader throw, and every problem has its place", () => {
  fc.assert(
    fc.property(fc.array(object, { minLength: 1, maxLength: 4 }), fc.boolean(), (objects, json) => {
      const text = json ? JSON.stringify(objects[0]) : objects.map((each) => stringify(each)).join("---\n");
      expect(places(everything(text))).toEqual([]);
    }),
    { numRuns: 800 },
  );
});

test("no text makes a reader throw", () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "apiVersion: signet.dev/v1alpha1",
      "kind: Segment",
      "kind: SegmentList",
      "items:",
      "- ",
      "metadata: {name: a}",
      "spec:",
      "  - a",
      "---",
      "...",
      "? a",
      ": b",
      "<<: *a",
      "&a",
      "!!binary x",
      "!!js/function x",
      "%YAML 1.1",
      "|",
      ">",
      "{",
      "[",
      "'",
      '"',
      "\t",
    ),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
      expect(places(everything(lines.join("\n")))).toEqual([]);
    }),
    { numRuns: 800 },
  );
});

test("the damage bites: most damaged manifests are refused", () => {
  const samples = fc.sample(object, 500).map((each) => everything(JSON.stringify(each) ?? "").length > 0);
  expect(samples.filter(Boolean).length).toBeGreaterThan(150);
});
