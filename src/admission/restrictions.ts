import type { Catalogue } from "../domain/catalogue.ts";
import type { Restriction, RestrictionTarget } from "../domain/definitions.ts";
import { problem, type Problem } from "../domain/problem.ts";
import { ROLE_LABEL, SEGMENT_LABEL, SPIFFE_ID_ANNOTATION } from "../domain/reserved-keys.ts";
import type { Workload } from "../domain/workload.ts";
import type { Stamp } from "../identity/stamp.ts";

/**
 * Each Restriction that keeps a machine from being started anew or moved. It counts as soon as it exists: only lifting one
 * needs approval.
 */
export const restrictionsOn = (catalogue: Catalogue, machine: Workload, stamp: Stamp): readonly Problem[] =>
  catalogue.definitions.restrictions
    .filter(({ target }) => concerns(target, machine, stamp))
    .map((restriction) => restricted(restriction));

const restricted = ({ name, effect, reason }: Restriction): Problem =>
  problem(
    "RESTRICTED",
    "",
    `Restriction ${name} (${effect}) is on this machine: ${reason.slice(0, 80)}.`,
    "Have the Restriction lifted: delete it, with the approval that this needs.",
  );

/** Serial numbers name certificates and nodes places: neither is a machine that moves. */
function concerns(target: RestrictionTarget, machine: Workload, { labels, annotations }: Stamp): boolean {
  if (target.by === "identity") return annotations[SPIFFE_ID_ANNOTATION] === target.name;
  if (target.by === "role") return labels[ROLE_LABEL] === target.name;
  if (target.by === "segment") return labels[SEGMENT_LABEL] === target.name;
  return target.by === "virtualMachine" && isMachine(target, machine);
}

/** By name; where a UID is given, that of the instance or of the VirtualMachine behind it. */
function isMachine(
  { namespace, name, uid }: Extract<RestrictionTarget, { by: "pod" | "virtualMachine" | "node" }>,
  { object, owner }: Workload,
): boolean {
  if (object.name !== name || (namespace !== undefined && namespace !== object.namespace)) return false;
  return uid === undefined || uid === object.uid || uid === owner?.uid;
}
