import { expect, test } from "vitest";
import type { KubeAccess } from "../../src/cli/kube-access.ts";
import { readRunning } from "../../src/cli/running.ts";
import { reportOf } from "../../src/cli/report-model.ts";
import { ok, refuse } from "../../src/domain/problem.ts";
import { NOON, objectsOf } from "../fakes/judging.ts";

const DEFINITIONS = `
{apiVersion: v1, kind: Namespace, metadata: {name: vms, uid: n, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: vms, generation: 1}, spec: {namespaces: [vms], mode: enforce}, status: {approved: {generation: 1, spec: {namespaces: [vms], mode: enforce}, by: [b]}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: db, generation: 1}, spec: {segment: vms, match: {serviceAccounts: [db], kinds: [VirtualMachine]}}, status: {approved: {generation: 1, spec: {segment: vms, match: {serviceAccounts: [db], kinds: [VirtualMachine]}}, by: [b]}}}
`;
const MACHINE = (name: string, account: string, more = "") => `---
{apiVersion: kubevirt.io/v1, kind: VirtualMachineInstance, metadata: {name: ${name}, namespace: vms, uid: ${name}-uid}, spec: {serviceAccountName: ${account}}, status: {phase: Running, activePods: {${name}-pod: n1}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: virt-launcher-${name}, namespace: vms, uid: ${more}${name}-pod, ownerReferences: [{apiVersion: kubevirt.io/v1, kind: VirtualMachineInstance, name: ${name}, uid: ${name}-uid, controller: true}]}, spec: {serviceAccountName: ${account}, containers: [{name: compute, image: x, securityContext: {privileged: true}}]}, status: {phase: Running}}
`;

/** What a report says of a cluster with these objects; `refusing` is the answer to who asks for machines. */
async function said(yaml: string, refusing?: "NOT_FOUND" | "API_FORBIDDEN") {
  const objects = objectsOf(`${DEFINITIONS}${yaml}`);
  const kube = {
    list: ({ kind }: { readonly kind: string }) =>
      Promise.resolve(
        refusing && kind === "VirtualMachineInstance"
          ? refuse(refusing, "", "no")
          : ok({ items: objects.filter((each) => each.kind === kind).map(({ raw }) => raw) }),
      ),
  } as unknown as KubeAccess;
  const running = await readRunning(kube);
  if (!running.ok) return running.problems.map(({ code }) => code);
  const { namespaces } = reportOf(running.value.catalogue, running.value.workloads, { now: NOON });
  return namespaces.flatMap(({ workloads }) => workloads.map(({ kind, name, result }) => `${kind}/${name} ${result}`));
}

test("a machine that runs is judged by its instance, and its launcher is no workload besides", async () => {
  expect(await said(`${MACHINE("good", "db")}${MACHINE("stray", "stranger")}`)).toEqual([
    "VirtualMachineInstance/good pass",
    "VirtualMachineInstance/stray fail",
  ]);
});

test("a Pod of which no instance says that it launches it is judged as any Pod", async () => {
  expect(await said(MACHINE("good", "db", "other-"))).toEqual([
    "VirtualMachineInstance/good pass",
    "Pod/virt-launcher-good fail",
  ]);
});

test("without KubeVirt there are no machines; where something launches one, whoever reports has to see it", async () => {
  const plain = `---
{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: vms, uid: p}, spec: {serviceAccountName: db}, status: {phase: Running}}
`;
  expect([
    await said(plain, "NOT_FOUND"),
    await said(plain, "API_FORBIDDEN"),
    await said(MACHINE("good", "db"), "API_FORBIDDEN"),
  ]).toEqual([["Pod/p fail"], ["Pod/p fail"], ["API_FORBIDDEN"]]);
});
