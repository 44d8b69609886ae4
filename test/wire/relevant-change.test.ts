import { expect, test } from "vitest";
import { relevantChange } from "../../src/wire/relevant-change.ts";
import { objectsOf } from "../fakes/judging.ts";

const one = (yaml: string) => {
  const [object] = objectsOf(yaml);
  if (!object) throw new Error("no object");
  return object;
};
const podOf = (metadata: string, spec = "serviceAccountName: a", rest = "") =>
  one(`{apiVersion: v1, kind: Pod, metadata: {name: p, ${metadata}}, spec: {${spec}}${rest}}`);
const deployment = (spec: string, metadata = "") =>
  one(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, ${metadata}}, spec: {${spec}}}`);
const vm = (spec: string) =>
  one(`{apiVersion: kubevirt.io/v1, kind: VirtualMachine, metadata: {name: v}, spec: {${spec}}}`);

const BASE = podOf("labels: {app: a}, annotations: {other: x}");

test.each([
  ["a label", podOf("labels: {app: b}, annotations: {other: x}"), true],
  ["labels taken away", podOf("annotations: {other: x}"), true],
  ["the service account", podOf("labels: {app: a}, annotations: {other: x}", "serviceAccountName: b"), true],
  [
    "a container",
    podOf("labels: {app: a}, annotations: {other: x}", "serviceAccountName: a, ephemeralContainers: [{name: d}]"),
    true,
  ],
  ["a reserved annotation", podOf("labels: {app: a}, annotations: {other: x, signet.dev/stamp: s}"), true],
  [
    "the exception that it points to",
    podOf("labels: {app: a}, annotations: {other: x, signet.dev/exception: e}"),
    true,
  ],
  ["the role that it picks", podOf("labels: {app: a}, annotations: {other: x, signet.dev/use-role: r}"), true],
  ["a foreign annotation", podOf("labels: {app: a}, annotations: {other: y}"), false],
  ["finalizers", podOf("labels: {app: a}, annotations: {other: x}, finalizers: [f]"), false],
  [
    "owner references",
    podOf("labels: {app: a}, annotations: {other: x}, ownerReferences: [{kind: ReplicaSet, name: r, uid: u}]"),
    false,
  ],
  [
    "status",
    podOf("labels: {app: a}, annotations: {other: x}", "serviceAccountName: a", ", status: {phase: Running}"),
    false,
  ],
  ["nothing", BASE, false],
])("a change of a Pod in %s counts as told", (_what, now, relevant) => {
  expect(relevantChange(BASE, now)).toBe(relevant);
});

test("of a Deployment the template counts; replicas, strategy and its own labels do not", () => {
  const before = deployment("replicas: 1, template: {spec: {serviceAccountName: a}}");
  expect([
    relevantChange(
      before,
      deployment("replicas: 9, strategy: {type: Recreate}, template: {spec: {serviceAccountName: a}}"),
    ),
    relevantChange(before, deployment("replicas: 1, template: {spec: {serviceAccountName: b}}")),
    relevantChange(
      before,
      deployment("replicas: 1, template: {metadata: {labels: {x: y}}, spec: {serviceAccountName: a}}"),
    ),
    relevantChange(before, deployment("replicas: 1, template: {spec: {serviceAccountName: a}}", "labels: {x: y}")),
  ]).toEqual([false, true, true, false]);
});

test("of a VirtualMachine the template counts; starting and stopping it does not", () => {
  const before = vm("runStrategy: Always, template: {spec: {networks: [{name: n, pod: {}}]}}");
  expect([
    relevantChange(before, vm("runStrategy: Halted, template: {spec: {networks: [{name: n, pod: {}}]}}")),
    relevantChange(
      before,
      vm("runStrategy: Always, template: {spec: {networks: [{name: n, multus: {networkName: x}}]}}"),
    ),
  ]).toEqual([false, true]);
});

test("absent, null and empty labels are the same; the order of keys does not count", () => {
  expect([
    relevantChange(podOf(""), podOf("labels: null")),
    relevantChange(podOf("labels: {}"), podOf("")),
    relevantChange(podOf("labels: {a: '1', b: '2'}"), podOf("labels: {b: '2', a: '1'}")),
  ]).toEqual([false, false, false]);
});
