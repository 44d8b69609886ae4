import type { Catalogue } from "../domain/catalogue.ts";
import { makeCatalogue } from "../domain/catalogue.ts";
import { ok, refuseAll, type Result } from "../domain/problem.ts";
import type { Workload } from "../domain/workload.ts";
import { readApiObject } from "../wire/objects.ts";
import { type Raw, rawAt, textAt } from "../wire/read-object.ts";
import { readWorkload } from "../wire/workloads.ts";
import { readSnapshot } from "./approvals.ts";
import type { KubeAccess, KubeResource } from "./kube-access.ts";

const PODS: KubeResource = { group: "", version: "v1", plural: "pods", kind: "Pod", namespaced: true };

/** The Pods that run, and the definitions in force. */
export type Running = { readonly catalogue: Catalogue; readonly workloads: readonly Workload[] };

/** Reads what runs in a cluster; a Pod that has ended or is going is left out. */
export async function readRunning(kube: KubeAccess): Promise<Result<Running>> {
  const [snapshot, pods] = await Promise.all([readSnapshot(kube), kube.list(PODS)]);
  if (!snapshot.ok) return snapshot;
  if (!pods.ok) return pods;
  const read = pods.value.items.filter(isLive).map(workloadOf);
  const problems = read.flatMap((each) => (each.ok ? [] : each.problems));
  if (problems.length > 0) return refuseAll(problems);
  const workloads = read.flatMap((each) => (each.ok && each.value ? [each.value] : []));
  return ok({ catalogue: makeCatalogue(snapshot.value.definitions, ""), workloads });
}

const ENDED: ReadonlySet<string | undefined> = new Set(["Succeeded", "Failed"]);

const isLive = (pod: Raw): boolean =>
  !ENDED.has(textAt(rawAt(pod, "status"), "phase")) &&
  textAt(rawAt(pod, "metadata"), "deletionTimestamp") === undefined;

function workloadOf(raw: Raw): Result<Workload | undefined> {
  const object = readApiObject(raw, "pods");
  return object.ok ? readWorkload(object.value, { namespace: object.value.namespace }) : object;
}
