import { type Problem, problem, ok, refuse, refuseAll, type Result } from "../domain/problem.ts";
import type { Labels } from "../domain/label-selector.ts";
import type { Launching, Workload } from "../domain/workload.ts";
import type { Document } from "./documents.ts";
import { withoutManagedFields } from "./managed-fields.ts";
import { kubeObject, type KubeObject } from "./objects.ts";
import { metadataPresence } from "./presence.ts";
import { isRaw, type Raw, rawAt } from "./read-object.ts";
import { relevantChange } from "./relevant-change.ts";
import { readWorkload } from "./workloads.ts";
import { FieldReader } from "./workloads/field-reader.ts";
import { type PodShape, readPodShape } from "./workloads/pod-shape.ts";
import { shapeOf } from "./workloads/shapes.ts";

const OPERATIONS = ["CREATE", "UPDATE", "DELETE", "CONNECT"] as const;

/** The effective operation: a PATCH or an apply arrives as CREATE or UPDATE. */
export type Operation = (typeof OPERATIONS)[number];

/** What a review asks about, in the words that the gate judges. */
export type ReviewRequest = {
  readonly uid: string;
  readonly operation: Operation;
  readonly subResource: string;
  readonly dryRun: boolean;
  readonly user: { readonly username: string; readonly groups: readonly string[] };
  readonly workload?: Workload;
  readonly oldWorkload?: Workload;
  /** Reads the containers and volumes of a Pod. */
  readonly readPod?: () => Result<PodShape>;
  readonly presence: ReturnType<typeof metadataPresence>;
  readonly deleting: boolean;
  readonly relevantChange: boolean;
  /** What is known of the instance that a Pod claims to launch; the reader knows nothing of it. */
  readonly launching?: Launching;
  /** The labels that its stamp annotation stood for until a little while ago; the reader knows nothing of it. */
  readonly superseded?: Labels;
};

/**
 * One AdmissionReview whose envelope could be read. `request` refuses where the object in it could not: the answer is then a
 * denial with the review's `uid`.
 */
export type Review = {
  readonly uid: string;
  /** Namespace of the request; empty for objects of the cluster. */
  readonly namespace: string;
  /** `CREATE Pod shop/cart-1` and the kind as it was requested, for the log. */
  readonly subject: string;
  readonly request: Result<ReviewRequest>;
};

type Envelope = {
  readonly raw: Raw;
  readonly uid: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly subResource: string;
  readonly dryRun: boolean;
  readonly user: ReviewRequest["user"];
};

/** `JSON.parse`, or one that does the same. */
export type Parse = (text: string) => unknown;

/**
 * Reads the body of a webhook call, admission.k8s.io/v1 as JSON. Refuses with REVIEW_INVALID what is no AdmissionReview;
 * fields that a newer Kubernetes adds are left aside. Decides on `kind`: `requestKind` differs where the API server converted.
 */
export function readReview(body: string, parse: Parse = JSON.parse): Result<Review> {
  const envelope = readEnvelope(parseJson(body, parse));
  if (!envelope.ok) return envelope;
  const { uid, namespace, operation, kind, name, raw } = envelope.value;
  const asked = rawAt(raw, "requestKind")["kind"];
  const converted = typeof asked === "string" && asked !== kind ? ` (requested as ${asked})` : "";
  const subject = `${operation} ${kind} ${namespace === "" ? "" : `${namespace}/`}${name}${converted}`;
  return ok({ uid, namespace, subject, request: readRequest(envelope.value) });
}

function readEnvelope(parsed: unknown): Result<Envelope> {
  if (!isRaw(parsed)) return invalid("", "The body is not a JSON object.");
  if (parsed["apiVersion"] !== "admission.k8s.io/v1" || parsed["kind"] !== "AdmissionReview")
    return invalid("apiVersion", "The body is not an admission.k8s.io/v1 AdmissionReview.");
  const raw = parsed["request"];
  if (!isRaw(raw)) return invalid("request", "The AdmissionReview has no request.");
  return readFields(raw);
}

function readFields(raw: Raw): Result<Envelope> {
  const reader = new FieldReader(placeOf(raw));
  const text = (from: Raw, key: string, path: readonly string[]): string => reader.text(from, key, path) ?? "";
  const kind = reader.object(raw, "kind", []);
  const [group, version] = [text(kind, "group", ["kind"]), text(kind, "version", ["kind"])];
  const userInfo = reader.object(raw, "userInfo", []);
  const envelope = {
    raw,
    uid: text(raw, "uid", []),
    operation: OPERATIONS.find((each) => each === raw["operation"]),
    apiVersion: group === "" ? version : `${group}/${version}`,
    kind: text(kind, "kind", ["kind"]),
    namespace: text(raw, "namespace", []),
    name: text(raw, "name", []),
    subResource: text(raw, "subResource", []),
    dryRun: reader.flag(raw, "dryRun", []),
    user: {
      username: text(userInfo, "username", ["userInfo"]),
      groups: textsOf(reader.list(userInfo, "groups", ["userInfo"])),
    },
  };
  const wrong = reader.problems[0];
  if (wrong) return invalid(`request.${wrong.path}`, `request.${wrong.path} has the wrong type.`);
  if (version === "") return invalid("request.kind", "The request names no kind.");
  return complete(envelope);
}

/** An envelope has what an answer and a verdict cannot do without. */
function complete(
  envelope: Omit<Envelope, "operation"> & { readonly operation: Operation | undefined },
): Result<Envelope> {
  const { operation, uid, kind } = envelope;
  if (uid === "" || uid.length > 256) return invalid("request.uid", "The request has no uid, or one that is too long.");
  if (kind === "") return invalid("request.kind", "The request names no kind.");
  if (!operation) return invalid("request.operation", "The operation is not CREATE, UPDATE, DELETE or CONNECT.");
  return ok({ ...envelope, operation });
}

const textsOf = (list: readonly unknown[]): readonly string[] => list.filter((each) => typeof each === "string");

const invalid = (path: string, message: string): Result<never> =>
  refuse("REVIEW_INVALID", path, message, "Check which webhook configuration sends it.");

function parseJson(body: string, parse: Parse): unknown {
  try {
    return parse(withoutManagedFields(body));
  } catch {
    return undefined;
  }
}

const EVERYWHERE = { file: "AdmissionReview", line: 1, column: 1 };

const placeOf = (value: unknown): { document: Document; base: [] } => ({
  document: { value, file: EVERYWHERE.file, locate: () => EVERYWHERE },
  base: [],
});

const NO_PRESENCE = { metadata: false, labels: false, annotations: false };

function readRequest(envelope: Envelope): Result<ReviewRequest> {
  const { uid, operation, subResource, dryRun, user } = envelope;
  const bare = {
    uid,
    operation,
    subResource,
    dryRun,
    user,
    presence: NO_PRESENCE,
    deleting: false,
    relevantChange: false,
  };
  const judged = operation === "CREATE" || operation === "UPDATE";
  const known = shapeOf(envelope.apiVersion, envelope.kind) ?? isExternal(envelope);
  if (!judged || !known) return ok(bare);
  return operation === "CREATE" ? readCreate(envelope, bare) : readUpdate(envelope, bare);
}

const isExternal = ({ apiVersion, kind }: Envelope): boolean =>
  kind === "ExternalWorkload" && apiVersion.startsWith("signet.dev/");

function readCreate(envelope: Envelope, bare: ReviewRequest): Result<ReviewRequest> {
  const object = objectAt(envelope, "object");
  if (!object.ok) return object;
  const workload = workloadOf(envelope, object.value);
  if (!workload.ok) return workload;
  // Whoever creates may write a deletion's mark; the API server takes it away, but after mutation.
  return ok({ ...withWorkload(bare, object.value, workload.value, true), deleting: false });
}

/** Objects are read as workloads only where something relevant changed: what is not judged cannot be unreadable. */
function readUpdate(envelope: Envelope, bare: ReviewRequest): Result<ReviewRequest> {
  const [now, before] = [objectAt(envelope, "object"), objectAt(envelope, "oldObject")];
  if (!now.ok || !before.ok) return refuseAll(problemsOf(now, before));
  const relevant = relevantChange(before.value, now.value);
  if (!relevant || isDeleting(now.value)) return ok(withWorkload(bare, now.value, undefined, relevant));
  const [workload, oldWorkload] = [workloadOf(envelope, now.value), workloadOf(envelope, before.value)];
  if (!workload.ok || !oldWorkload.ok) return refuseAll(problemsOf(workload, oldWorkload));
  const request = withWorkload(bare, now.value, workload.value, true);
  return ok(oldWorkload.value === undefined ? request : { ...request, oldWorkload: oldWorkload.value });
}

const problemsOf = (...results: readonly Result<unknown>[]): readonly Problem[] =>
  results.flatMap((each) => (each.ok ? [] : each.problems));

const withWorkload = (
  bare: ReviewRequest,
  object: KubeObject,
  workload: Workload | undefined,
  relevant: boolean,
): ReviewRequest => ({
  ...bare,
  presence: metadataPresence(object.raw),
  deleting: isDeleting(object),
  relevantChange: relevant,
  ...(workload === undefined ? {} : { workload }),
  ...(workload?.kind === "Pod" && workload.form === "pod" ? { readPod: () => readPodShape(object) } : {}),
});

const isDeleting = ({ raw }: KubeObject): boolean => {
  const at = rawAt(raw, "metadata")["deletionTimestamp"];
  return at !== undefined && at !== null;
};

/** The object as the kind that the request names; a kind of its own that says otherwise is a contradiction. */
function objectAt({ raw, apiVersion, kind, operation }: Envelope, key: "object" | "oldObject"): Result<KubeObject> {
  const value = raw[key];
  if (!isRaw(value))
    return refuse("FIELD_MISSING", key, `The review of this ${operation} has no ${key}.`, "Check who sends it.");
  const read = kubeObject(placeOf(value), value);
  if (!read.ok) return read;
  const says = (value["kind"] ?? kind) === kind && (value["apiVersion"] ?? apiVersion) === apiVersion;
  if (says) return ok({ ...read.value, apiVersion, kind });
  return refuseAll([problem("FIELD_CONFLICT", `${key}.kind`, `The ${key} is not the ${kind} that the review names.`)]);
}

/**
 * The namespace is the request's: the object of a controller may name none. The caller of a CREATE is the creator, but of a
 * template the controller will be.
 */
function workloadOf(envelope: Envelope, object: KubeObject): Result<Workload | undefined> {
  const { namespace, operation, user } = envelope;
  if (namespace === "")
    return refuse("FIELD_MISSING", "namespace", `The review of this ${object.kind} names no namespace.`);
  const shape = shapeOf(object.apiVersion, object.kind);
  const created = operation === "CREATE" && shape?.form !== "template" && user.username !== "";
  return readWorkload(object, created ? { namespace, creator: user.username } : { namespace });
}
