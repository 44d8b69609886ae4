import { type ApprovalEntry, readEditors } from "../../domain/approvals.ts";
import type { Json } from "../../domain/json-patch.ts";
import { EDITORS_ANNOTATION } from "../../domain/reserved-keys.ts";
import type { KubeObject } from "../objects.ts";
import { isRaw, numberAt, type Raw, rawAt, textAt, textsAt } from "../read-object.ts";
import { namespaceOf, textMapAt } from "./parts.ts";

/** A condition as Kubernetes writes them. */
export type Condition = {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
};

/** `status.approved`: the generation in force, its spec whole, and who approved it when. */
export type ApprovedRecord = {
  readonly generation: number;
  readonly spec: Json;
  readonly by: readonly string[];
  readonly at: string;
  readonly namespaceUIDs?: Readonly<Record<string, string>>;
};

/** Which object something is said of; `resourceVersion` makes a write fail where the object changed meanwhile. */
export type ObjectKey = {
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty for objects of the cluster. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
};

/** What approval looks at in an object of one of Signet's kinds. */
export type Approvable = {
  readonly object: ObjectKey;
  readonly generation: number;
  readonly deleting: boolean;
  /** Who edited it since its last approved generation; empty where the annotation is missing. */
  readonly editors: readonly string[];
  readonly spec: Json;
  /** Whether the object has a status, and a list of approvals in it: an `add` below what is absent fails. */
  readonly present: { readonly status: boolean; readonly approvals: boolean };
  readonly approvals: readonly ApprovalEntry[];
  /** `status.approvals` as it stands, entry by entry, for a patch that shortens the list. */
  readonly rawApprovals: readonly Json[];
  readonly approved?: ApprovedRecord;
  readonly observedGeneration?: number;
  readonly conditions: readonly Condition[];
};

/** Reads what approval looks at. The status is Signet's own; an entry in it that has no meaning counts for nobody. */
export function readApprovable(object: KubeObject, scope: "Cluster" | "Namespaced"): Approvable {
  const metadata = rawAt(object.raw, "metadata");
  const status = rawAt(object.raw, "status");
  const approvals = Array.isArray(status["approvals"]) ? status["approvals"] : [];
  const approved = readApproved(status);
  const observed = numberAt(status, "observedGeneration");
  return {
    object: objectKey(object, scope === "Cluster" ? "" : namespaceOf(object)),
    generation: numberAt(metadata, "generation") ?? 0,
    deleting: textAt(metadata, "deletionTimestamp") !== undefined,
    editors: readEditors(textAt(rawAt(metadata, "annotations"), EDITORS_ANNOTATION) ?? ""),
    spec: jsonOf(object.raw["spec"] ?? {}),
    present: { status: isRaw(object.raw["status"]), approvals: Array.isArray(status["approvals"]) },
    approvals: readEntries(approvals),
    rawApprovals: approvals.map(jsonOf),
    ...(approved === undefined ? {} : { approved }),
    ...(observed === undefined ? {} : { observedGeneration: observed }),
    conditions: readConditions(status),
  };
}

/** The name under which a write finds the object again, and only as it was seen. */
export function objectKey(object: KubeObject, namespace: string): ObjectKey {
  const metadata = rawAt(object.raw, "metadata");
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    namespace,
    name: object.name,
    uid: textAt(metadata, "uid") ?? "",
    resourceVersion: textAt(metadata, "resourceVersion") ?? "",
  };
}

/** The entries of `status.approvals` that say who and which generation. */
export const readEntries = (approvals: readonly unknown[]): readonly ApprovalEntry[] =>
  approvals.filter(isRaw).flatMap((entry) => readEntry(entry) ?? []);

function readEntry(entry: Raw): ApprovalEntry | undefined {
  const generation = numberAt(entry, "generation");
  const by = textAt(entry, "by");
  if (generation === undefined || by === undefined) return undefined;
  const at = textAt(entry, "at");
  const reason = textAt(entry, "reason");
  const segment = textAt(entry, "segment");
  return {
    generation,
    by,
    ...(at === undefined ? {} : { at }),
    ...(reason === undefined ? {} : { reason }),
    ...(segment === undefined ? {} : { segment }),
    withdraw: entry["withdraw"] === true,
    ...(entry["deny"] === true ? { deny: true } : {}),
  };
}

function readApproved(status: Raw): ApprovedRecord | undefined {
  const approved = rawAt(status, "approved");
  const generation = numberAt(approved, "generation");
  if (generation === undefined) return undefined;
  return {
    generation,
    spec: jsonOf(approved["spec"] ?? {}),
    by: textsAt(approved, "by"),
    at: textAt(approved, "at") ?? "",
    ...(isRaw(approved["namespaceUIDs"]) ? { namespaceUIDs: textMapAt(approved, "namespaceUIDs") } : {}),
  };
}

const STATUSES = ["True", "False", "Unknown"] as const;

const readConditions = (status: Raw): readonly Condition[] =>
  (Array.isArray(status["conditions"]) ? status["conditions"] : []).filter(isRaw).map((raw) => {
    const observed = numberAt(raw, "observedGeneration");
    return {
      type: textAt(raw, "type") ?? "",
      status: STATUSES.find((each) => each === raw["status"]) ?? "Unknown",
      ...(observed === undefined ? {} : { observedGeneration: observed }),
      lastTransitionTime: textAt(raw, "lastTransitionTime") ?? "",
      reason: textAt(raw, "reason") ?? "",
      message: textAt(raw, "message") ?? "",
    };
  });

/** Objects come from JSON or from YAML read as JSON: nothing else can be in them. */
const jsonOf = (value: unknown): Json => value as Json;
