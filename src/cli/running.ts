import type { Catalogue } from "../domain/catalogue.ts";
import { makeCatalogue } from "../domain/catalogue.ts";
import { ok, refuseAll, type Result } from "../domain/problem.ts";
import type { Workload } from "../domain/workload.ts";
import { readApiObject } from "../wire/objects.ts";
import { isRaw, type Raw, rawAt, textAt } from "../wire/read-object.ts";
import { readWorkload } from "../wire/workloads.ts";
import { readSnapshot } from "./approvals.ts";
import type { KubeAccess, KubeResource } from "./kube-access.ts";

const PODS: KubeResource = { group: "", version: "v1", plural: "pods", kind: "Pod", namespaced: true };

const INSTANCES: KubeResource = {
  group: "kubevirt.io",
  version: "v1",
  plural: "virtualmachineinstances",
  kind: "VirtualMachineInstance",
  namespaced: true,
};

/** The Pods and machines that run, and the definitions in force. */
export type Running = { readonly catalogue: Catalogue; readonly workloads: readonly Workload[] };

/**
 * Reads what runs in a cluster; what has ended or is going is left out. A Pod that launches a machine is that machine, which
 * its instance's status says.
 */
export async function readRunning(kube: KubeAccess): Promise<Result<Running>> {
  const [snapshot, pods, listed] = await Promise.all([readSnapshot(kube), kube.list(PODS), kube.list(INSTANCES)]);
  if (!snapshot.ok) return snapshot;
  if (!pods.ok) return pods;
  const machines = machinesOf(listed, pods.value.items);
  if (!machines.ok) return machines;
  const launchers = new Set(machines.value.flatMap((each) => Object.keys(rawAt(rawAt(each, "status"), "activePods"))));
  const own = pods.value.items.filter((pod) => !launchers.has(textAt(rawAt(pod, "metadata"), "uid") ?? ""));
  const read = [...own, ...machines.value].filter(isLive).map(workloadOf);
  const problems = read.flatMap((each) => (each.ok ? [] : each.problems));
  if (problems.length > 0) return refuseAll(problems);
  const workloads = read.flatMap((each) => (each.ok && each.value ? [each.value] : []));
  return ok({ catalogue: makeCatalogue(snapshot.value.definitions, ""), workloads });
}

/** A cluster without KubeVirt has none, and whoever may not see them needs no right to where nothing launches any. */
function machinesOf(listed: Awaited<ReturnType<KubeAccess["list"]>>, pods: readonly Raw[]): Result<readonly Raw[]> {
  if (listed.ok) return ok(listed.value.items);
  return listed.problems[0]?.code !== "NOT_FOUND" && pods.some(launches) ? listed : ok([]);
}

function launches(pod: Raw): boolean {
  const owners = rawAt(pod, "metadata")["ownerReferences"];
  return Array.isArray(owners) && owners.some((each) => isRaw(each) && each["kind"] === INSTANCES.kind);
}

const ENDED: ReadonlySet<string | undefined> = new Set(["Succeeded", "Failed"]);

const isLive = (object: Raw): boolean =>
  !ENDED.has(textAt(rawAt(object, "status"), "phase")) &&
  textAt(rawAt(object, "metadata"), "deletionTimestamp") === undefined;

function workloadOf(raw: Raw): Result<Workload | undefined> {
  const object = readApiObject(raw, "cluster");
  return object.ok ? readWorkload(object.value, { namespace: object.value.namespace }) : object;
}
