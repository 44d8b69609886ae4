import type { Owner } from "../../domain/workload.ts";
import type { Judged } from "../../http/services.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { EventRecorder } from "../../kube/events.ts";
import { type Log, reasonOf } from "../../kube/log.ts";
import type { Resource } from "../../kube/resources.ts";
import { type EventAction, EventBudget, refusalEvent } from "../../reconcile/events.ts";
import { isRaw, type Raw, rawAt, textAt } from "../../wire/read-object.ts";

type Means = {
  readonly client: Pick<KubeClient, "get">;
  readonly log: Log;
  readonly events: Pick<EventRecorder, "emit">;
};

/** Owners of Pods that have an owner of their own, whom people look at. */
const BETWEEN: Readonly<Record<string, Resource>> = {
  ReplicaSet: { group: "apps", version: "v1", plural: "replicasets", kind: "ReplicaSet", namespaced: true },
  Job: { group: "batch", version: "v1", plural: "jobs", kind: "Job", namespaced: true },
};

/**
 * Tells the owner of a Pod that validation refused, and the Deployment or CronJob behind it: whoever applied that never
 * sees the refusal. Whichever replica judged tells; nobody waits for it.
 */
export function makeRefusals({ client, log, events }: Means): (judged: Judged) => void {
  const budget = new EventBudget();
  return ({ webhook, at, request: { workload }, answer: { allowed, verdict } }) => {
    if (allowed || webhook !== "validate" || !workload || !verdict) return;
    const problems = verdict.findings.filter(({ refuses }) => refuses).map(({ problem }) => problem);
    const event = refusalEvent(budget, workload, problems, at);
    if (!event) return;
    events.emit(event);
    void behind(client, event).then(
      (owner) => owner && events.emit({ ...event, regarding: { namespace: workload.namespace, ...owner } }),
      (fault: unknown) => log.debug({ reason: reasonOf(fault) }, "The owner of a controller is not known."),
    );
  };
}

/** Who controls the controller, where that is somebody else. */
async function behind(client: Means["client"], { regarding }: EventAction): Promise<Owner | undefined> {
  const resource = BETWEEN[regarding.kind];
  const found = resource && (await client.get(resource, regarding));
  if (!found?.ok) return undefined;
  const metadata = rawAt(found.value, "metadata");
  const owners: readonly unknown[] = Array.isArray(metadata["ownerReferences"]) ? metadata["ownerReferences"] : [];
  const owner = owners.filter(isRaw).find(({ controller }) => controller === true);
  return owner && textAt(metadata, "uid") === regarding.uid ? ownerOf(owner) : undefined;
}

const ownerOf = (owner: Raw): Owner => ({
  kind: textAt(owner, "kind") ?? "",
  name: textAt(owner, "name") ?? "",
  uid: textAt(owner, "uid") ?? "",
});
