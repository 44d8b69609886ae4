import type { Instant } from "../../domain/instant.ts";
import { formatInstant } from "../../domain/instant.ts";
import type { Json, PatchOperation } from "../../domain/json-patch.ts";
import { canonical } from "../../policy/compile/published.ts";
import { type Condition, type ObjectKey, readApprovable } from "../../wire/definitions/approvable.ts";
import type { KubeObject } from "../../wire/objects.ts";
import { rawAt, textAt } from "../../wire/read-object.ts";
import { statusPatch } from "../approvals/status-patch.ts";
import type { EventAction } from "../events.ts";
import type { PolicyStanding } from "./standing.ts";

/** What has to be written into the status of one SegmentPolicy. */
export type StandingAction = {
  readonly do: "setStanding";
  readonly object: ObjectKey;
  readonly why: string;
  /** JSON Patch of the status subresource; its first operation tests the resource version. */
  readonly patch: readonly PatchOperation[];
  /** Said beside the object where it begins or ceases to be published, or is kept back. */
  readonly event?: EventAction;
};

const TYPE = "Published";

/**
 * Says of each SegmentPolicy where it stands; nothing where its status says so already. Without standings nothing is published
 * to any more: that is said of those of which something was said before.
 */
export const decideStatuses = (
  objects: readonly KubeObject[],
  standings: ReadonlyMap<string, PolicyStanding> | undefined,
  now: Instant,
): readonly StandingAction[] =>
  objects.flatMap((object) => {
    const standing = standings ? standings.get(`${object.namespace}/${object.name}`) : withdrawn(object);
    return (standing && statusOf(object, standing, now)) ?? [];
  });

function withdrawn(object: KubeObject): Told | undefined {
  const { conditions } = readApprovable(object, "Namespaced");
  if (!conditions.some(({ type }) => type === TYPE)) return undefined;
  return {
    revision: textAt(rawAt(object.raw, "status"), "revision") ?? "",
    targets: [],
    losses: [],
    published: false,
    reason: "NoTarget",
    message: "No data plane is published to here any more; what was published is kept by nobody.",
  };
}

type Told = Omit<PolicyStanding, "policy">;

function statusOf(object: KubeObject, standing: Told, now: Instant): StandingAction | undefined {
  const approvable = readApprovable(object, "Namespaced");
  const { conditions, generation } = approvable;
  if (approvable.deleting) return undefined;
  const old = conditions.find(({ type }) => type === TYPE);
  const condition = conditionOf(standing, old, generation, now);
  const fields = { revision: standing.revision, targets: standing.targets, losses: standing.losses };
  const status = rawAt(object.raw, "status");
  const stale = Object.entries(fields).filter(([key, value]) => canonical(status[key] ?? null) !== canonical(value));
  if (stale.length === 0 && old && canonical(old) === canonical(condition)) return undefined;
  const change = { conditions: [...conditions.filter(({ type }) => type !== TYPE), condition] };
  const added = stale.map(
    ([key, value]): PatchOperation => ({ op: "add", path: `/status/${key}`, value: jsonOf(value) }),
  );
  const event = old?.reason === condition.reason ? undefined : eventOf(approvable.object, condition, old);
  return {
    do: "setStanding",
    object: approvable.object,
    why: condition.message,
    patch: [...statusPatch(approvable, change), ...added],
    ...(event ? { event } : {}),
  };
}

function conditionOf(
  { published, reason, message }: Told,
  old: Condition | undefined,
  generation: number,
  now: Instant,
): Condition {
  const status = published ? "True" : "False";
  const since = old?.status === status && old.lastTransitionTime !== "" ? old.lastTransitionTime : formatInstant(now);
  return { type: TYPE, status, observedGeneration: generation, lastTransitionTime: since, reason, message };
}

/** A first word that nothing is in force is no news. */
function eventOf(
  { apiVersion, kind, namespace, name, uid }: ObjectKey,
  { status, reason, message }: Condition,
  old: Condition | undefined,
): EventAction | undefined {
  if (!old && (reason === "NotInForce" || reason === "NoTarget")) return undefined;
  return {
    do: "emitEvent",
    regarding: { apiVersion, kind, namespace, name, uid },
    type: status === "True" || reason === "NotInForce" ? "Normal" : "Warning",
    reason: reason === "Active" ? "Published" : reason,
    action: "Reconcile",
    note: message.slice(0, 1024),
  };
}

/** Plain values, as they are written. */
const jsonOf = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;
