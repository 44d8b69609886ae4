import { describe, expect, test } from "vitest";
import { problemLine } from "../../src/domain/problem.ts";
import { readDefinitions } from "../../src/wire/definitions.ts";
import { type InputFile, MAX_FILE_BYTES, readObjects } from "../../src/wire/objects.ts";
import { readWorkload } from "../../src/wire/workloads.ts";

/** What the readers say of files: `file:line:column: path: message [CODE]`, or nothing. */
function said(...files: readonly InputFile[]): readonly string[] {
  const read = readObjects(files);
  const definitions = read.ok ? readDefinitions(read.value.objects) : read;
  if (!definitions.ok) return definitions.problems.map((found) => `${problemLine(found)} [${found.code}]`);
  const workloads = read.ok ? read.value.objects.map((object) => readWorkload(object, { namespace: "n" })) : [];
  return workloads.flatMap((each) =>
    each.ok ? [] : each.problems.map((found) => `${problemLine(found)} [${found.code}]`),
  );
}

const saidOf = (text: string): readonly string[] => said({ name: "f.yaml", text });

const definition = (kind: string, rest: string): string => `apiVersion: signet.dev/v1alpha1\nkind: ${kind}\n${rest}`;
const pod = (spec: string): string => `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n${spec}`;

describe("a text that is not YAML", () => {
  test.each([
    [
      "a list that is not closed",
      "a: [1, 2\nb: 3\n",
      "f.yaml:2:1: This is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]. [YAML_SYNTAX]",
    ],
    [
      "a key that stands twice",
      "a: 1\nb: 2\na: 3\n",
      "f.yaml:3:1: This is not YAML: Map keys must be unique. [YAML_SYNTAX]",
    ],
    [
      "a tab for indentation",
      "a:\n\tb: 1\n",
      "f.yaml:2:1: This is not YAML: Tabs are not allowed as indentation. [YAML_SYNTAX]",
    ],
    ["a text that is not closed", 'a: "b\n', 'f.yaml:2:1: This is not YAML: Missing closing "quote. [YAML_SYNTAX]'],
    [
      "a key without its colon",
      "a: 1\nb\nc: 2\n",
      "f.yaml:2:1: This is not YAML: Implicit map keys need to be followed by map values. [YAML_SYNTAX]",
    ],
    [
      "an alias of nothing",
      "a: *b\n",
      "f.yaml:1:1: This is not YAML: Unresolved alias (the anchor must be set before the alias): b. [YAML_SYNTAX]",
    ],
    [
      "the second document",
      "a: 1\n---\na: [\n",
      "f.yaml:4:1: This is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]. [YAML_SYNTAX]",
    ],
    ["JSON that ends early", '{"a": 1', "f.yaml:1:8: This is not YAML: Flow map must end with a }. [YAML_SYNTAX]"],
  ])("%s is refused at its line and column", (_, text, problem) => {
    expect(saidOf(text)).toEqual([problem]);
  });

  test("more aliases than a manifest has are refused", () => {
    const lines = ["a: &a [x, x, x, x, x, x, x, x, x]"];
    for (let depth = 0; depth < 9; depth++) {
      const [own, other] = ["abcdefghij"[depth + 1], "abcdefghij"[depth]];
      lines.push(`${own}: &${own} [${Array(9).fill(`*${other}`).join(", ")}]`);
    }
    expect(saidOf(lines.join("\n"))).toEqual([
      "f.yaml:1:1: This is not YAML: Excessive alias count indicates a resource exhaustion attack. [YAML_SYNTAX]",
    ]);
  });

  test("every broken file is named, not only the first", () => {
    const found = said(
      { name: "a.yaml", text: "a: [" },
      { name: "b.yaml", text: "ok: 1" },
      { name: "c.yaml", text: '"' },
    );
    expect(found.map((line) => line.split(":")[0])).toEqual(["a.yaml", "c.yaml"]);
  });

  test("a file beyond the limit is refused unread", () => {
    expect(said({ name: "big.yaml", text: "#".repeat(MAX_FILE_BYTES + 1) })).toEqual([
      "big.yaml:1:1: The file has more than 32 MiB. [INPUT_TOO_LARGE]",
    ]);
  });
});

describe("an object that is none", () => {
  test.each([
    [
      "a name that is a number",
      "apiVersion: v1\nkind: Pod\nmetadata: {name: 7}\n",
      "f.yaml:3:12: metadata.name: The value must be a text. [FIELD_INVALID]",
    ],
    [
      "a namespace that is true",
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: yes}\n",
      "f.yaml:3:21: metadata.namespace: The value must be a text. [FIELD_INVALID]",
    ],
    [
      "metadata that is a text",
      "apiVersion: v1\nkind: Pod\nmetadata: a\n",
      "f.yaml:3:1: metadata: The value must be an object. [FIELD_INVALID]",
    ],
    [
      "an item of a List",
      "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: 7}\n",
      "f.yaml:6:14: metadata.name: The value must be a text. [FIELD_INVALID]",
    ],
  ])("%s is refused", (_, text, problem) => {
    expect(saidOf(text)).toEqual([problem]);
  });
});

describe("a definition that is none", () => {
  test.each([
    [
      "a kind misspelt",
      definition("Segmnt", "metadata: {name: a}\n"),
      "f.yaml:2:1: kind: signet.dev/v1alpha1 Segmnt is not a kind that Signet knows. [KIND_UNKNOWN]",
    ],
    [
      "a version of tomorrow",
      "apiVersion: signet.dev/v2\nkind: Segment\nmetadata: {name: a}\n",
      "f.yaml:1:1: apiVersion: signet.dev/v2 Segment is not a kind that Signet knows. [KIND_UNKNOWN]",
    ],
    [
      "no name",
      definition("Segment", "spec: {}\n"),
      "f.yaml:1:1: metadata.name: The Segment has no name. [FIELD_MISSING]",
    ],
    [
      "a name that is no label",
      definition("Segment", `metadata: {name: ${"a".repeat(64)}}\nspec: {}\n`),
      "f.yaml:3:12: metadata.name: The name is stamped as a label's value and has more than 63 characters. [FIELD_INVALID]",
    ],
    [
      "a namespace where there is none",
      definition("Segment", "metadata: {name: a, namespace: b}\nspec: {}\n"),
      "f.yaml:3:21: metadata.namespace: A Segment belongs to the cluster and has no namespace. [FIELD_INVALID]",
    ],
    [
      "a field beside spec",
      definition("Segment", "metadata: {name: a}\nspec: {}\nmode: enforce\n"),
      'f.yaml:5:1: mode: A Segment has no field "mode" beside spec. [FIELD_UNKNOWN]',
    ],
    [
      "a spec that is a list",
      definition("Segment", "metadata: {name: a}\nspec: []\n"),
      "f.yaml:4:1: spec: The value must be an object, and is a list. [FIELD_INVALID]",
    ],
    [
      "an unknown field deep inside",
      definition(
        "WorkloadRole",
        "metadata: {name: a}\nspec:\n  segment: s\n  match:\n    kinds:\n    - Pod\n    serviceaccounts: [b]\n",
      ),
      'f.yaml:9:5: spec.match.serviceaccounts: There is no field "serviceaccounts" here. [FIELD_UNKNOWN]',
    ],
    [
      "an item of a list",
      definition(
        "WorkloadRole",
        "metadata: {name: a}\nspec:\n  segment: s\n  match:\n    kinds:\n    - Pod\n    - Pods\n",
      ),
      'f.yaml:9:7: spec.match.kinds[1]: "Pods" is none of Pod, VirtualMachine, Machine, Function. [FIELD_INVALID]',
    ],
    [
      "a port under a key that YAML takes for true",
      definition(
        "SegmentPolicy",
        "metadata: {name: a}\nspec:\n  segment: s\n  allow:\n  - from: {role: a}\n    to: {role: b}\n    on: [tcp/5432, tcp/0]\n",
      ),
      'f.yaml:9:20: spec.allow[0].on[1]: "tcp/0" names no port. [FIELD_INVALID]',
    ],
    [
      "ports named twice, with quotes and without",
      definition(
        "SegmentPolicy",
        'metadata: {name: a}\nspec:\n  segment: s\n  allow:\n  - from: {role: a}\n    to: {role: b}\n    on: [tcp/1]\n    "on": [tcp/2]\n',
      ),
      'f.yaml:9:5: spec.allow[0].true: There is no field "true" here. [FIELD_UNKNOWN]',
    ],
    [
      "a word that YAML takes for true",
      definition(
        "SegmentException",
        "metadata: {name: a}\nspec:\n  permit: {check: hostPID}\n  workloads: {role: y}\n  reason: b\n  expires: 2027-01-01T00:00:00Z\n",
      ),
      "f.yaml:6:15: spec.workloads.role: The value must be a text, and is true. [FIELD_INVALID]",
    ],
    [
      "an approved spec that can't be read",
      definition(
        "Segment",
        "metadata: {name: a}\nspec: {}\nstatus:\n  approved:\n    generation: 1\n    spec: {mode: on}\n",
      ),
      "f.yaml:8:12: status.approved.spec.mode: true is none of observe, simulate, canary, enforce. [FIELD_INVALID]",
    ],
    [
      "a namespace's word that is no text",
      "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  labels:\n    signet.dev/enrol: true\n",
      "f.yaml:6:5: metadata.labels.signet.dev/enrol: The value of the label signet.dev/enrol is no text. [FIELD_INVALID]",
    ],
    [
      "a namespace that is perhaps enrolled",
      "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  labels:\n    signet.dev/enrol: maybe\n",
      'f.yaml:6:5: metadata.labels.signet.dev/enrol: The label signet.dev/enrol is "maybe". [FIELD_INVALID]',
    ],
  ])("%s is refused where it stands", (_, text, problem) => {
    expect(saidOf(text)).toEqual([problem]);
  });

  test("two of one name are refused, and the second says where the first stands", () => {
    const segment = definition("Segment", "metadata: {name: a}\nspec: {}\n");
    expect(said({ name: "a.yaml", text: segment }, { name: "b.yaml", text: `# again\n${segment}` })).toEqual([
      'b.yaml:4:12: metadata.name: Segment "a" stands also at a.yaml:1. [OBJECT_DUPLICATE]',
    ]);
  });

  test("the same name in two namespaces, or of two kinds, is two objects", () => {
    const policy = (namespace: string) =>
      definition("SegmentPolicy", `metadata: {name: a, namespace: ${namespace}}\nspec: {segment: s, allow: []}\n`);
    const segment = definition("Segment", "metadata: {name: a}\nspec: {}\n");
    expect(saidOf([policy("one"), policy("two"), segment].join("---\n"))).toEqual([]);
  });

  test("every mistake of every object is named, in order", () => {
    const text = [
      definition("Segment", "metadata: {name: a}\nspec: {mode: of, owner: 1}\n"),
      definition("Segment", "metadata: {name: b}\nspec: {intra: no}\n"),
    ].join("---\n");
    expect(saidOf(text)).toEqual([
      'f.yaml:4:8: spec.mode: "of" is none of observe, simulate, canary, enforce. [FIELD_INVALID]',
      "f.yaml:4:18: spec.owner: The value must be a text, and is a number. [FIELD_INVALID]",
      "f.yaml:9:8: spec.intra: false is none of deny, allow. [FIELD_INVALID]",
    ]);
  });
});

describe("a workload that can't be judged", () => {
  test.each([
    [
      "a flag that is a text",
      pod('  hostNetwork: "true"\n'),
      "f.yaml:5:3: spec.hostNetwork: The value of spec.hostNetwork must be true or false. [FIELD_INVALID]",
    ],
    [
      "containers that are no list",
      pod("  containers: {}\n"),
      "f.yaml:5:3: spec.containers: The value of spec.containers must be a list. [FIELD_INVALID]",
    ],
    [
      "a container that is a text",
      pod("  containers:\n  - name: a\n  - b\n"),
      "f.yaml:7:5: spec.containers[1]: The value of spec.containers[1] must be an object. [FIELD_INVALID]",
    ],
    [
      "an account that is a number",
      pod("  serviceAccountName: 7\n"),
      "f.yaml:5:3: spec.serviceAccountName: The value of spec.serviceAccountName must be a text. [FIELD_INVALID]",
    ],
    [
      "a label that is no text",
      "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  labels:\n    app: 7\n",
      "f.yaml:6:5: metadata.labels.app: The value of metadata.labels.app must be a text. [FIELD_INVALID]",
    ],
    [
      "a template that is a list",
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  template: []\n",
      "f.yaml:5:3: spec.template: The value of spec.template must be an object. [FIELD_INVALID]",
    ],
  ])("%s is refused, never taken for a default", (_, text, problem) => {
    expect(saidOf(text)).toEqual([problem]);
  });

  test("null counts as absent, as the API server has it", () => {
    expect(saidOf(pod("  hostNetwork: null\n  containers:\n"))).toEqual([]);
  });

  test("fields that nobody asks for may be anything", () => {
    expect(saidOf(pod("  newInTomorrowsKubernetes: [1, {a: b}]\n"))).toEqual([]);
  });
});
