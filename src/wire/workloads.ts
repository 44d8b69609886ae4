import { ok, refuseAll, type Result } from "../domain/problem.ts";
import type { Owner, Workload } from "../domain/workload.ts";
import { type FieldPath, pathText } from "./documents.ts";
import { GROUP } from "./kinds/kind.ts";
import type { KubeObject } from "./objects.ts";
import { type Raw, sourceOf } from "./read-object.ts";
import { annotatedNetworks, podEscapes } from "./workloads/escapes.ts";
import { FieldReader } from "./workloads/field-reader.ts";
import { servedBy } from "./workloads/revisions.ts";
import { type Shape, shapeOf } from "./workloads/shapes.ts";
import { vmiEscapes } from "./workloads/vmi-escapes.ts";

/** What stands around an object and not in it: its namespace, and whoever creates it, where that is known. */
export type Surroundings = { readonly namespace: string; readonly creator?: string };

/**
 * Reads the workload that an object is or speaks for; undefined where it is none (a Service, a ConfigMap …). A field that
 * the verdict needs and that has the wrong type refuses the object.
 */
export function readWorkload(object: KubeObject, around: Surroundings): Result<Workload | undefined> {
  if (object.kind === "ExternalWorkload" && object.apiVersion.startsWith(`${GROUP}/`))
    return externalWorkload(object, around);
  const shape = shapeOf(object.apiVersion, object.kind);
  if (!shape) return ok(undefined);
  const reader = new FieldReader(object);
  const workload = shaped(reader, shape, object, around);
  return reader.problems.length > 0 ? refuseAll(reader.problems) : ok(workload);
}

function shaped(reader: FieldReader, shape: Shape, object: KubeObject, around: Surroundings): Workload {
  let holder = object.raw;
  const path: string[] = [];
  for (const step of shape.template) {
    holder = reader.object(holder, step, path);
    path.push(step);
  }
  const own = metadataOf(reader, object.raw, []);
  const inner = path.length === 0 ? own : metadataOf(reader, holder, path);
  const specPath = [...path, "spec"];
  const spec = reader.object(holder, "spec", path);
  const escapes = shape.spec === "pod" ? podEscapes(reader, spec, specPath) : vmiEscapes(reader, spec, specPath);
  if (shape.spec === "pod") annotatedNetworks(inner.annotations, path, escapes);
  // A template's Pods are created by its controller, whoever applied the template.
  const creator = shape.form === "template" ? shape.creator : around.creator;
  const owner = ownerOf(reader, object.raw);
  const serves = shape.serves ?? servedBy(inner.labels, owner);
  const workload: Writable<Workload> = {
    kind: shape.kind,
    form: shape.form,
    object: referenceOf(reader, object, around),
    namespace: around.namespace,
    serviceAccount: shape.spec === "pod" ? podAccount(reader, spec, specPath) : vmiAccount(reader, spec, specPath),
    labels: inner.labels,
    annotations: inner.annotations,
    ownLabels: own.labels,
    ownAnnotations: own.annotations,
    escapes,
    metadataPath: pathText([...path, "metadata"]),
    source: sourceOf(object, []),
  };
  setKnown(workload, { owner, creator, serves });
  return workload;
}

/** As it is while it is being made. */
type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Known = { readonly [K in "owner" | "creator" | "serves"]: Workload[K] };

/** What is not known is not there at all. Set afterwards, since to spread it into the rest takes long in cold caches. */
function setKnown(workload: Writable<Workload>, { owner, creator, serves }: Known): void {
  if (owner !== undefined) workload.owner = owner;
  if (creator !== undefined) workload.creator = creator;
  if (serves !== undefined) workload.serves = serves;
}

function metadataOf(reader: FieldReader, holder: Raw, path: FieldPath) {
  const metadata = reader.object(holder, "metadata", path);
  const at = [...path, "metadata"];
  return {
    labels: reader.labels(metadata, "labels", at),
    annotations: reader.labels(metadata, "annotations", at),
  };
}

function referenceOf(reader: FieldReader, object: KubeObject, around: Surroundings): Workload["object"] {
  const metadata = reader.object(object.raw, "metadata", []);
  const prefix = reader.text(metadata, "generateName", ["metadata"]);
  const uid = reader.text(metadata, "uid", ["metadata"]);
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    namespace: around.namespace,
    name: object.name === "" && prefix !== undefined ? `${prefix}*` : object.name,
    ...(uid === undefined ? {} : { uid }),
  };
}

function ownerOf(reader: FieldReader, raw: Raw): Owner | undefined {
  const metadata = reader.object(raw, "metadata", []);
  for (const { raw: owner, path } of reader.objects(metadata, "ownerReferences", ["metadata"]))
    if (reader.flag(owner, "controller", path))
      return {
        kind: reader.text(owner, "kind", path) ?? "",
        name: reader.text(owner, "name", path) ?? "",
        uid: reader.text(owner, "uid", path) ?? "",
      };
  return undefined;
}

/** The API server fills an absent account with `default`; `serviceAccount` is the field's old name. */
const podAccount = (reader: FieldReader, spec: Raw, path: FieldPath): string =>
  reader.text(spec, "serviceAccountName", path) || reader.text(spec, "serviceAccount", path) || "default";

/** KubeVirt ≥ 1.9 has a field for it; before, a volume of the account gives the launcher its identity. */
function vmiAccount(reader: FieldReader, spec: Raw, path: FieldPath): string {
  const named = reader.text(spec, "serviceAccountName", path);
  if (named) return named;
  for (const volume of reader.objects(spec, "volumes", path)) {
    const source = reader.object(volume.raw, "serviceAccount", volume.path);
    const account = reader.text(source, "serviceAccountName", [...volume.path, "serviceAccount"]);
    if (account) return account;
  }
  return "default";
}

function externalWorkload(object: KubeObject, around: Surroundings): Result<Workload | undefined> {
  const reader = new FieldReader(object);
  const spec = reader.object(object.raw, "spec", []);
  const kind = reader.text(spec, "kind", ["spec"]);
  const own = metadataOf(reader, object.raw, []);
  const workload: Workload = {
    kind: kind === "Function" ? "Function" : "Machine",
    form: "object",
    object: referenceOf(reader, object, around),
    namespace: around.namespace,
    serviceAccount: reader.text(spec, "serviceAccount", ["spec"]) ?? "default",
    labels: own.labels,
    annotations: own.annotations,
    ownLabels: own.labels,
    ownAnnotations: own.annotations,
    escapes: [],
    metadataPath: "metadata",
    source: sourceOf(object, []),
  };
  return reader.problems.length > 0 ? refuseAll(reader.problems) : ok(workload);
}
