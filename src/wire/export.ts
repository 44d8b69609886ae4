import { ok, type Problem, refuseAll, type Result } from "../domain/problem.ts";
import { isDefinition } from "./definitions.ts";
import { KINDS } from "./kinds.ts";
import type { Kind } from "./kinds/kind.ts";
import type { KubeObject } from "./objects.ts";
import { readBySchema } from "./read-by-schema.ts";
import { isRaw, type Raw, rawAt } from "./read-object.ts";
import { byFirstNames } from "./yaml-words.ts";

/** What of metadata makes a difference to a verdict, or to whoever reads the export. */
const KEPT_METADATA = [
  "name",
  "namespace",
  "uid",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "labels",
  "annotations",
] as const;

/** kubectl's memory of what was applied; it would be a second, older copy of the object. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * Definitions as plain objects that stand for themselves: defaults filled in, sorted by kind and name, with the status that
 * says what is approved. Exporting an export gives the same, and verdicts by it are the same.
 */
export function exportDefinitions(objects: readonly KubeObject[]): Result<readonly object[]> {
  const exported = objects.filter(isDefinition).map((object) => ({ key: sortKey(object), read: exportOne(object) }));
  const problems: readonly Problem[] = exported.flatMap(({ read }) => (read.ok ? [] : read.problems));
  if (problems.length > 0) return refuseAll(problems);
  const sorted = exported.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return ok(sorted.flatMap(({ read }) => (read.ok ? [read.value] : [])));
}

const kindOf = ({ apiVersion, kind }: KubeObject): Kind | undefined =>
  apiVersion === "v1" ? undefined : KINDS.find((each) => each.kind === kind);

/** Namespaces first, then the kinds in the order in which one would write them. */
function sortKey(object: KubeObject): string {
  const kind = kindOf(object);
  const rank = kind === undefined ? 0 : KINDS.indexOf(kind) + 1;
  return `${rank}/${namespaceOf(object, kind)}/${object.name}`;
}

const namespaceOf = (object: KubeObject, kind: Kind | undefined): string =>
  kind?.scope === "Namespaced" && object.namespace === "" ? "default" : object.namespace;

function exportOne(object: KubeObject): Result<object> {
  const kind = kindOf(object);
  const { apiVersion } = object;
  const metadata = metadataOf(object, kind);
  if (!kind) return ok({ apiVersion, kind: object.kind, metadata });
  const spec = specOf(kind, object, object.raw["spec"] ?? {}, ["spec"]);
  const status = statusOf(kind, object);
  if (!spec.ok || !status.ok) return refuseAll([spec, status].flatMap((part) => (part.ok ? [] : part.problems)));
  return ok({
    apiVersion,
    kind: object.kind,
    metadata,
    spec: spec.value,
    ...(status.value === undefined ? {} : { status: status.value }),
  });
}

const specOf = (kind: Kind, object: KubeObject, spec: unknown, path: readonly string[]): Result<unknown> =>
  readBySchema(kind.spec, byFirstNames(kind.spec, spec), object, path);

/** Status as it stands, with the approved spec as whole as the other. */
function statusOf(kind: Kind, object: KubeObject): Result<Raw | undefined> {
  const status = object.raw["status"];
  if (!isRaw(status)) return ok(undefined);
  const approved = status["approved"];
  if (!isRaw(approved) || approved["spec"] === undefined) return ok(status);
  const spec = specOf(kind, object, approved["spec"], ["status", "approved", "spec"]);
  return spec.ok ? ok({ ...status, approved: { ...approved, spec: spec.value } }) : spec;
}

function metadataOf(object: KubeObject, kind: Kind | undefined): Raw {
  const metadata = rawAt(object.raw, "metadata");
  const kept: Record<string, unknown> = {};
  for (const key of KEPT_METADATA) if (metadata[key] !== undefined) kept[key] = metadata[key];
  const namespace = namespaceOf(object, kind);
  if (namespace !== "") kept["namespace"] = namespace;
  if (isRaw(kept["annotations"])) {
    const { [LAST_APPLIED]: _, ...annotations } = kept["annotations"];
    kept["annotations"] = annotations;
  }
  return kept;
}
