import type { ApprovalEntry } from "../../domain/approvals.ts";
import type { Json, PatchOperation } from "../../domain/json-patch.ts";
import type { Approvable, ApprovedRecord, Condition } from "../../wire/definitions/approvable.ts";
import { isRaw, numberAt } from "../../wire/read-object.ts";

/** What changes in the status of one object. `approved` is null where it is taken away. */
export type StatusChange = {
  readonly entries?: readonly ApprovalEntry[];
  /** Entries before this generation are dropped where the list grows long. */
  readonly forget?: number;
  readonly approved?: ApprovedRecord | null;
  readonly conditions?: readonly Condition[];
  readonly observedGeneration?: number;
};

/** How long the list of approvals may grow before old entries leave it; the schema ends at 64. */
const ROOMY = 32;

/**
 * The JSON Patch of the status subresource that makes the change, and nothing where the object is no longer as it was seen:
 * its first operation tests the resource version.
 */
export function statusPatch(approvable: Approvable, change: StatusChange): readonly PatchOperation[] {
  const { present, object } = approvable;
  const operations: PatchOperation[] = [
    { op: "test", path: "/metadata/resourceVersion", value: object.resourceVersion },
  ];
  if (!present.status) operations.push({ op: "add", path: "/status", value: { approvals: [] } });
  operations.push(...entriesPatch(approvable, change));
  if (change.approved) operations.push({ op: "add", path: "/status/approved", value: recordJson(change.approved) });
  if (change.approved === null) operations.push({ op: "remove", path: "/status/approved" });
  if (change.conditions)
    operations.push({ op: "add", path: "/status/conditions", value: change.conditions.map((one) => ({ ...one })) });
  if (change.observedGeneration !== undefined)
    operations.push({ op: "add", path: "/status/observedGeneration", value: change.observedGeneration });
  return operations;
}

/** Entries are added one by one, so that nothing else in the list changes; where it grew long it is written anew, shorter. */
function entriesPatch({ present, approvals, rawApprovals }: Approvable, change: StatusChange): PatchOperation[] {
  const added = (change.entries ?? []).map(entryJson);
  const { forget } = change;
  if (forget !== undefined && approvals.length + added.length > ROOMY) {
    const kept = rawApprovals.filter((raw) => isRaw(raw) && (numberAt(raw, "generation") ?? 0) >= forget);
    return [{ op: "add", path: "/status/approvals", value: [...kept, ...added] }];
  }
  if (added.length === 0) return [];
  const missing = present.status && !present.approvals;
  const list: PatchOperation[] = missing ? [{ op: "add", path: "/status/approvals", value: [] }] : [];
  return [...list, ...added.map((value): PatchOperation => ({ op: "add", path: "/status/approvals/-", value }))];
}

/** An entry as it stands in `status.approvals`. */
export const entryJson = ({ generation, by, at, reason, segment, withdraw, deny }: ApprovalEntry): Json => ({
  generation,
  by,
  ...(at === undefined ? {} : { at }),
  ...(reason === undefined ? {} : { reason }),
  ...(segment === undefined ? {} : { segment }),
  ...(withdraw ? { withdraw } : {}),
  ...(deny ? { deny } : {}),
});

const recordJson = ({ generation, spec, by, at, namespaceUIDs }: ApprovedRecord): Json => ({
  generation,
  spec,
  by,
  at,
  ...(namespaceUIDs === undefined ? {} : { namespaceUIDs }),
});
