import { judge } from "../../../admission/judge.ts";
import type { Catalogue } from "../../../domain/catalogue.ts";
import { problemLine } from "../../../domain/problem.ts";
import type { LiveCatalogue } from "../../../kube/catalogue.ts";
import type { KubeClient } from "../../../kube/client.ts";
import type { Term } from "../../../kube/lease.ts";
import type { Log } from "../../../kube/log.ts";
import { INSTANCES, type LiveMachines } from "../../../kube/machines.ts";
import { asCreated } from "../../../reconcile/pods/created-by.ts";
import { decideMissed, type PodAction } from "../../../reconcile/pods/missed.ts";
import type { PodSeen } from "../../../reconcile/pods/seen.ts";
import type { Scan } from "../../../reconcile/scan/scan.ts";
import { scanPod } from "../../../reconcile/scan/scan-pod.ts";
import { objectKey } from "../../../wire/definitions/approvable.ts";
import type { KubeObject } from "../../../wire/objects.ts";
import { metadataPresence } from "../../../wire/presence.ts";
import { rawAt, textAt } from "../../../wire/read-object.ts";
import { readWorkload } from "../../../wire/workloads.ts";

/** What looking after instances needs. */
export type MachineRoundMeans = {
  readonly client: Pick<KubeClient, "patch">;
  readonly live: () => Pick<LiveCatalogue, "current">;
  readonly machines: Pick<LiveMachines, "objects" | "changes">;
  readonly log: Log;
  readonly now: () => number;
  readonly requireApproval: boolean;
  readonly scan: Scan;
};

/**
 * Gives what looks at every instance once after each change and renews its stamp as a Pod's is: what an approved edit
 * changed reaches machines that run, and what was born while no webhook answered is stamped. Nobody is stopped. What
 * admission would say of their next start goes into the scan.
 */
export function makeMachineRound(means: MachineRoundMeans): (term: Term) => Promise<void> {
  let looked = "";
  let known: ReadonlySet<string> = new Set();
  return async (term) => {
    const catalogue = means.live().current();
    if (!catalogue) return;
    const state = `${catalogue.revision} ${means.machines.changes()}`;
    if (state === looked) return;
    const seen = means.machines.objects().flatMap((object) => seeMachine(catalogue, object, means) ?? []);
    known = scanMachines(means.scan, seen, known);
    const done = await Promise.all(
      decideMissed(seen).map(async (action) => term.valid() && (await perform(means, action))),
    );
    if (done.every(Boolean)) looked = state;
  };
}

/** Takes those that are there into the scan, and those that were there before and are not out of it. */
function scanMachines(scan: Scan, seen: readonly PodSeen[], before: ReadonlySet<string>): ReadonlySet<string> {
  const now = new Set(seen.map(({ object }) => object.uid));
  for (const uid of before) if (!now.has(uid)) scan.forget(uid);
  for (const each of seen) scanPod(scan, each);
  return now;
}

function seeMachine(catalogue: Catalogue, object: KubeObject, means: MachineRoundMeans): PodSeen | undefined {
  const read = readWorkload(object, { namespace: object.namespace });
  if (!read.ok || !read.value) return undefined;
  const workload = asCreated(catalogue, read.value);
  return {
    object: objectKey(object, object.namespace),
    workload,
    presence: metadataPresence(object.raw),
    phase: textAt(rawAt(object.raw, "status"), "phase") ?? "",
    deleting: textAt(rawAt(object.raw, "metadata"), "deletionTimestamp") !== undefined,
    judgement: judge(catalogue, workload, { now: means.now(), requireApproval: means.requireApproval }),
  };
}

async function perform({ client, log }: MachineRoundMeans, action: PodAction): Promise<boolean> {
  const { namespace, name } = action.object;
  if (action.do !== "stampPod") return true;
  const done = await client.patch(INSTANCES, { namespace, name }, { type: "json", body: action.patch });
  const fields = { namespace, machine: name, code: action.code, why: action.why };
  if (done.ok) log.info(fields, "The stamp of a machine that runs was renewed.");
  else log.debug({ ...fields, reason: done.problems.map(problemLine) }, "A machine was not stamped.");
  return done.ok;
}
