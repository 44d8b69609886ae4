import { expect, test } from "vitest";
import { NETWORK_ANNOTATIONS } from "../../../src/wire/workloads/escapes.ts";
import { readApiObject } from "../../../src/wire/objects.ts";
import { readWorkload } from "../../../src/wire/workloads.ts";
import { must, objectsOf } from "../../fakes/judging.ts";

const BLANKS = " ".repeat(1024 * 1024);
const [NETWORKS] = NETWORK_ANNOTATIONS;

/** Where a Pod with this annotation leaves its network. */
const ways = (networks: string): readonly string[] => {
  const raw = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", annotations: { [NETWORKS]: networks } },
    spec: { containers: [] },
  };
  const workload = must(readWorkload(must(readApiObject(raw, "test")), { namespace: "shop" }));
  return workload?.escapes.map(({ check, path }) => `${check} ${path}`) ?? [];
};

const FOUND = [`uncoveredInterfaces metadata.annotations.${NETWORKS}`];

test.each(["", " \n", "[]", " [ \t] ", "[]\u00a0"])("%j names no network", (networks) => {
  expect(ways(networks)).toEqual([]);
});

test.each(["lan", "[", "]", "[] x", "x []", "[[]]", '[{"name":"lan"}]', "]["])("%j names one", (networks) => {
  expect(ways(networks)).toEqual(FOUND);
});

test("however many blanks stand in it, an answer comes at once", () => {
  for (const networks of [`${BLANKS}x`, `x${BLANKS}`, `${BLANKS}[${BLANKS}x`, `[${BLANKS}]${BLANKS}x`])
    expect(ways(networks)).toEqual(FOUND);
  expect(ways(`${BLANKS}[${BLANKS}]${BLANKS}`)).toEqual([]);
});

test("in a template it is found at its place", () => {
  const annotations = `{${NETWORKS}: lan}`;
  const [job] = objectsOf(
    `{apiVersion: batch/v1, kind: Job, metadata: {name: j}, spec: {template: {metadata: {annotations: ${annotations}}, spec: {}}}}`,
  );
  if (!job) throw new Error("no object");
  const workload = must(readWorkload(job, { namespace: "shop" }));
  expect(workload?.escapes.map(({ path }) => path)).toEqual([`spec.template.metadata.annotations.${NETWORKS}`]);
});

test.each([[1], [null], [["lan"]], [{}]])("%j is no text, and refuses the Pod", (networks) => {
  const raw = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", annotations: { [NETWORKS]: networks } } };
  expect(readWorkload(must(readApiObject(raw, "test")), { namespace: "shop" })).toMatchObject({
    ok: false,
    problems: [{ code: "FIELD_INVALID", path: `metadata.annotations.${NETWORKS}` }],
  });
});
