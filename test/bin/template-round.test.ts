import { expect, test } from "vitest";
import { makeTemplateRound } from "../../src/bin/cluster/pods/template-round.ts";
import { Scan } from "../../src/reconcile/scan/scan.ts";
import { templateEssence } from "../../src/wire/workloads/template-essence.ts";
import type { Raw } from "../../src/wire/read-object.ts";
import { catalogueOf, NOON } from "../fakes/judging.ts";

const CATALOGUE = catalogueOf(`
{apiVersion: v1, kind: Namespace, metadata: {name: pay, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: pay}, spec: {namespaces: [pay], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: db}, spec: {segment: pay, match: {serviceAccounts: [db], kinds: [Pod, VirtualMachine]}}}
---
{apiVersion: signet.dev/v1alpha1, kind: SegmentException, metadata: {name: look, namespace: pay}, spec: {permit: {check: hostPID}, workloads: {role: db}, reason: r, expires: "2026-11-23T12:00:20Z"}}
`);

const deployment = (name: string, spec: Raw, more: Raw = {}): Raw => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace: "pay", uid: name, ...more },
  spec: { replicas: 0, template: { metadata: { annotations: { "signet.dev/exception": "look" } }, spec } },
});
const machine = (name: string, spec: Raw): Raw => ({
  apiVersion: "kubevirt.io/v1",
  kind: "VirtualMachine",
  metadata: { name, namespace: "pay", uid: name, labels: { "signet.dev/role": "older", "role.signet.dev/tier": "x" } },
  spec: { template: { spec } },
});

/** Templates as a watch keeps them, and rounds over them. */
function world(...given: readonly Raw[]) {
  const key = (object: Raw) => (object["metadata"] as { readonly uid: string }).uid;
  const state = {
    now: NOON,
    objects: new Map(given.map((one) => [key(one), templateEssence(one)])),
    changed: new Set<string>(),
  };
  const scan = new Scan();
  const round = makeTemplateRound({
    live: () => ({ current: () => CATALOGUE }),
    templates: {
      uids: () => [...state.objects.keys()],
      find: (uid) => state.objects.get(uid),
      takeChanged: () => {
        const taken = new Set(state.changed);
        state.changed.clear();
        return taken;
      },
    },
    scan,
    now: () => state.now,
    requireApproval: false,
  });
  const put = (object: Raw): void => {
    state.objects.set(key(object), templateEssence(object));
    state.changed.add(key(object));
  };
  const found = () =>
    scan
      .workloads("pay")
      .map(({ object, outcome, found: all }) => [
        `${object.kind}/${object.name}`,
        outcome,
        ...all.map(({ code }) => code),
      ]);
  return { state, scan, round, put, found };
}

test("templates and machines that would be refused are found, without anything of them running", async () => {
  const { round, found, scan } = world(
    deployment("fits", { serviceAccountName: "db", hostPID: true }),
    deployment("nobody", { serviceAccountName: "other" }),
    machine("plain", {}),
    machine("fine", { serviceAccountName: "db" }),
    machine("bridged", { serviceAccountName: "db", networks: [{ name: "lan", multus: { networkName: "lan" } }] }),
  );
  await round();
  expect(found()).toEqual([
    ["VirtualMachine/bridged", "fail", "UNCOVERED_INTERFACE"],
    ["VirtualMachine/fine", "pass"],
    ["Deployment/fits", "pass"],
    ["Deployment/nobody", "fail", "ROLE_NONE"],
    ["VirtualMachine/plain", "fail", "ROLE_NONE"],
  ]);
  expect(scan.of("pay")?.counts).toEqual({ pass: 2, warn: 0, fail: 3 });
  expect([scan.counts(), [...scan.bySegment()]]).toEqual([{ pass: 0, warn: 0, fail: 0 }, []]);
});

test("what changed is looked at, what went is forgotten, and an exception's end is found within half a minute", async () => {
  const { state, round, put, found } = world(deployment("fits", { serviceAccountName: "db", hostPID: true }));
  await round();
  put(deployment("more", { serviceAccountName: "db" }));
  await round();
  expect(found()).toEqual([
    ["Deployment/fits", "pass"],
    ["Deployment/more", "pass"],
  ]);
  state.objects.delete("more");
  state.changed.add("more");
  state.now += 30_000;
  await round();
  expect(found()).toEqual([["Deployment/fits", "fail", "HOST_PID", "EXCEPTION_EXPIRED"]]);
});

test("what a controller made is judged in the object that it made it of, and what is going is left alone", async () => {
  const owner = [
    { apiVersion: "pool.kubevirt.io/v1beta1", kind: "VirtualMachinePool", name: "p", uid: "p", controller: true },
  ];
  const { round, found } = world(
    deployment("owned", { serviceAccountName: "other" }, { ownerReferences: owner }),
    deployment("going", { serviceAccountName: "other" }, { deletionTimestamp: "2026-11-23T11:00:00Z" }),
  );
  await round();
  expect(found()).toEqual([]);
});
