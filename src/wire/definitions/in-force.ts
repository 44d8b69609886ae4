import type { Static, TSchema } from "typebox";
import { isWithdrawn } from "../../domain/approvals.ts";
import type { Approval, Definition } from "../../domain/definitions.ts";
import { ok, refuseAll, type Result } from "../../domain/problem.ts";
import type { FieldPath } from "../documents.ts";
import type { Kind } from "../kinds/kind.ts";
import type { KubeObject } from "../objects.ts";
import { readBySchema } from "../read-by-schema.ts";
import { numberAt, type Raw, rawAt, refuseAt, sourceOf, textAt, textsAt } from "../read-object.ts";
import { byFirstNames } from "../yaml-words.ts";
import { readEntries } from "./approvable.ts";

/** The spec of an object that is in force, and where it stands. */
export type InForce<S extends TSchema> = {
  readonly definition: Definition;
  readonly spec: Static<S>;
  /** Path of that spec in the object: `spec`, or `status.approved.spec`. */
  readonly specPath: FieldPath;
  readonly approved: Raw;
};

/**
 * Reads an object of one of Signet's kinds, and which generation of it is in force (product rules, "Approval"): the last
 * approved one where a server recorded it; the spec as it stands where no server has seen the object.
 */
export function readInForce<S extends TSchema>(kind: Kind<S>, object: KubeObject): Result<InForce<S>> {
  const approval = approvalOf(object);
  const inForce = approval.state === "approved" ? rawAt(rawAt(object.raw, "status"), "approved") : undefined;
  const specPath = inForce ? ["status", "approved", "spec"] : ["spec"];
  // Only what is in force has to be readable: an edit, however wrong, is never an outage.
  const spec = readSpec(kind, (inForce ?? object.raw)["spec"] ?? {}, object, specPath);
  const scope = checkMetadata(kind, object);
  const problems = [...(spec.ok ? [] : spec.problems), ...(scope.ok ? [] : scope.problems)];
  if (!spec.ok || problems.length > 0) return refuseAll(problems);
  return ok({ definition: definitionOf(object, approval), spec: spec.value, specPath, approved: inForce ?? {} });
}

const readSpec = <S extends TSchema>(kind: Kind<S>, spec: unknown, object: KubeObject, path: FieldPath) =>
  readBySchema(kind.spec, byFirstNames(kind.spec, spec), object, path);

function checkMetadata(kind: Kind, object: KubeObject): Result<undefined> {
  if (object.name === "")
    return refuseAt(object, ["metadata", "name"], {
      code: "FIELD_MISSING",
      message: `The ${kind.kind} has no name.`,
      mend: "Write metadata.name.",
    });
  if (kind.rules.length > 0 && object.name.length > 63)
    return refuseAt(object, ["metadata", "name"], {
      code: "FIELD_INVALID",
      message: "The name is stamped as a label's value and has more than 63 characters.",
      mend: "Choose a shorter name.",
    });
  if (kind.scope === "Cluster" && object.namespace !== "")
    return refuseAt(object, ["metadata", "namespace"], {
      code: "FIELD_INVALID",
      message: `A ${kind.kind} belongs to the cluster and has no namespace.`,
      mend: "Take metadata.namespace away.",
    });
  return checkTopLevel(kind, object);
}

const TOP_LEVEL: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata", "spec", "status"]);

function checkTopLevel(kind: Kind, object: KubeObject): Result<undefined> {
  const stray = Object.keys(object.raw).find((key) => !TOP_LEVEL.has(key));
  if (stray === undefined) return ok(undefined);
  return refuseAt(object, [stray], {
    code: "FIELD_UNKNOWN",
    message: `A ${kind.kind} has no field "${stray}" beside spec.`,
    mend: "Fields of a definition stand under spec.",
  });
}

function definitionOf(object: KubeObject, approval: Approval): Definition {
  const uid = textAt(rawAt(object.raw, "metadata"), "uid");
  const definition = { name: object.name, approval, source: sourceOf(object, []) };
  return uid === undefined ? definition : { ...definition, uid };
}

/** An object with a UID, or with recorded approvals, has been on a server; there only an approved generation counts. */
function approvalOf(object: KubeObject): Approval {
  const metadata = rawAt(object.raw, "metadata");
  const status = rawAt(object.raw, "status");
  const approved = rawAt(status, "approved");
  const generation = numberAt(approved, "generation");
  const entries = Array.isArray(status["approvals"]) ? readEntries(status["approvals"]) : [];
  const by = textsAt(approved, "by");
  if (generation !== undefined && !isWithdrawn({ generation, by }, entries))
    return { state: "approved", generation, by };
  const fromServer = metadata["uid"] !== undefined || status["approvals"] !== undefined || generation !== undefined;
  return fromServer ? { state: "missing", generation: numberAt(metadata, "generation") ?? 0 } : { state: "unchecked" };
}
