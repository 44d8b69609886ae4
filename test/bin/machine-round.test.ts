import { expect, test } from "vitest";
import { makeMachineRound } from "../../src/bin/cluster/pods/machine-round.ts";
import { seePod } from "../../src/bin/cluster/pods/see-pod.ts";
import { must } from "../fakes/judging.ts";
import type { Catalogue } from "../../src/domain/catalogue.ts";
import { ok } from "../../src/domain/problem.ts";
import { liveObject } from "../../src/kube/live-object.ts";
import { Scan } from "../../src/reconcile/scan/scan.ts";
import { scanPod } from "../../src/reconcile/scan/scan-pod.ts";
import { decideMissed } from "../../src/reconcile/pods/missed.ts";
import type { Raw } from "../../src/wire/read-object.ts";
import { readWorkload } from "../../src/wire/workloads.ts";
import { applyPatch } from "../fakes/json-patch.ts";
import { catalogueOf, NOON } from "../fakes/judging.ts";
import { quietLog } from "../fakes/quiet-log.ts";

const catalogue = (generation: number, tier: string): Catalogue => {
  const spec = {
    segment: "payments",
    match: { serviceAccounts: ["orders-db"], kinds: ["VirtualMachine"] },
    labels: { tier },
  };
  const role = {
    apiVersion: "signet.dev/v1alpha1",
    kind: "WorkloadRole",
    metadata: { name: "orders-db", uid: "r1", generation },
    spec,
    status: { approved: { generation, spec, by: ["ann"], at: "2026-11-23T11:00:00Z" } },
  };
  return {
    ...catalogueOf(`
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: payments, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: payments}, spec: {namespaces: [payments], mode: enforce}}
---
${JSON.stringify(role)}
`),
    revision: String(generation),
  };
};

const instance = (labels: Raw = {}): Raw => ({
  apiVersion: "kubevirt.io/v1",
  kind: "VirtualMachineInstance",
  metadata: { name: "orders", namespace: "payments", uid: "vmi-1", resourceVersion: "7", labels },
  spec: { serviceAccountName: "orders-db" },
  status: { phase: "Running", activePods: { "pod-1": "n1" } },
});

type Named = { readonly metadata: { readonly labels?: Raw } };
const labelsOf = (object: Raw) => (object as unknown as Named).metadata.labels;

/** One instance, and rounds over it. */
function world(given: Raw) {
  const state = { catalogue: catalogue(1, "data"), object: given, changes: 1, patches: 0, gone: false };
  const scan = new Scan();
  const round = makeMachineRound({
    client: {
      patch: async (_resource, _name, { body }) => {
        state.patches += 1;
        state.object = applyPatch(state.object, body as never);
        return ok(state.object);
      },
    },
    live: () => ({ current: () => state.catalogue }),
    machines: { objects: () => (state.gone ? [] : [liveObject(state.object)]), changes: () => state.changes },
    log: quietLog,
    now: () => NOON,
    requireApproval: false,
    scan,
  });
  const signal = new AbortController().signal;
  return { state, scan, round: () => round({ valid: () => true, signal } as never) };
}

test("an instance that was born while no webhook answered is stamped, and an edit of its role reaches it", async () => {
  const { state, round } = world(instance());
  await round();
  expect(labelsOf(state.object)).toEqual({
    "signet.dev/role": "orders-db",
    "signet.dev/segment": "payments",
    "role.signet.dev/tier": "data",
  });
  state.catalogue = catalogue(2, "gold");
  await round();
  expect(labelsOf(state.object)).toMatchObject({ "signet.dev/role": "orders-db", "role.signet.dev/tier": "gold" });
  await round();
  expect(state.patches).toBe(2);
});

test("what would be refused of a machine that runs is in the scan, until it is mended or gone", async () => {
  const { state, scan, round } = world({ ...instance(), spec: { serviceAccountName: "stranger" } });
  const found = () =>
    scan.of("payments")?.groups.map(({ outcome, code, examples: [one] }) => [outcome, code, one?.kind]);
  await round();
  expect(found()).toEqual([["fail", "ROLE_NONE", "VirtualMachineInstance"]]);
  state.object = instance();
  for (let count = 0; count < 2; count++) {
    state.changes += 1;
    await round();
  }
  expect([scan.counts().fail, scan.bySegment().get("payments")]).toEqual([0, { pass: 1, warn: 0, fail: 0 }]);
  state.gone = true;
  state.changes += 1;
  await round();
  expect(scan.of("payments")).toBeUndefined();
});

const pod = (metadata: Raw): Raw => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "virt-launcher-orders-abcde",
    namespace: "payments",
    uid: "pod-1",
    resourceVersion: "9",
    ownerReferences: [{ kind: "VirtualMachineInstance", name: "orders", uid: "vmi-1", controller: true }],
    ...metadata,
  },
  spec: { serviceAccountName: "orders-db" },
  status: { phase: "Running" },
});

/** What is done about a launcher that runs; `active` says whether its instance knows it. */
const doneAbout = (raw: Raw, active: boolean, known = true) => {
  const machine = must(readWorkload(liveObject(instance()), { namespace: "payments" }));
  const machines = { find: () => (known ? machine : undefined), launches: () => active };
  const seen = must(seePod(catalogue(1, "data"), raw, { now: NOON }, machines));
  return seen && decideMissed([seen.pod]).map((action) => `${action.do} ${action.code}`);
};

test("a launcher that admission missed is stamped where its instance says that it is one", () => {
  expect(doneAbout(pod({}), true)).toEqual(["stampPod STAMP_MISSING"]);
});

test("a Pod that only has such an owner is reported, and gets no stamp", () => {
  expect(doneAbout(pod({}), false)).toEqual(["reportPod LAUNCHER_FORGED"]);
});

test("a launcher whose instance is not known yet is left for the next look", () => {
  expect(doneAbout(pod({}), true, false)).toBeUndefined();
});

/** What the scan says of a launcher that its instance knows. */
function scannedOf(raw: Raw) {
  const machine = must(readWorkload(liveObject(instance()), { namespace: "payments" }));
  const seen = must(seePod(catalogue(1, "data"), raw, { now: NOON }, { find: () => machine, launches: () => true }));
  const scan = new Scan();
  if (seen) scanPod(scan, seen.pod);
  return scan.workloads("payments").map(({ object, found }) => [object.kind, ...found.map(({ code }) => code)]);
}

test("a launcher is no workload besides its machine, unless something is to be said of it", () => {
  const labels = { "signet.dev/role": "orders-db", "signet.dev/segment": "payments", "role.signet.dev/tier": "data" };
  const annotations = {
    "signet.dev/spiffe-id": "spiffe://example.org/ns/payments/sa/orders-db",
    "signet.dev/stamp": '{"role":{"name":"orders-db","uid":"r1","generation":1},"segment":{"name":"payments"}}',
  };
  expect([scannedOf(pod({ labels, annotations })), scannedOf(pod({}))]).toEqual([[], [["Pod", "STAMP_MISSING"]]]);
});
