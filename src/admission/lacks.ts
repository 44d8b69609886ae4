import type { Catalogue } from "../domain/catalogue.ts";
import type { Definition } from "../domain/definitions.ts";
import { EXEMPT_NAMESPACES } from "../domain/exempt-namespaces.ts";
import { ROLE_LABEL, STAMP_ANNOTATION } from "../domain/reserved-keys.ts";
import type { Workload } from "../domain/workload.ts";
import { isGiven } from "../identity/stamp.ts";

/** An object that a snapshot must have for a verdict, and has not, or not as new as the stamp says. */
export type Lack = { readonly kind: "Namespace" | "WorkloadRole" | "Segment"; readonly name: string };

const KNOWN = new WeakMap<Catalogue, ReadonlySet<string>>();

/** Names of the live namespaces; remembered with the snapshot, so that no verdict scans. */
function namespacesOf(catalogue: Catalogue): ReadonlySet<string> {
  const known = KNOWN.get(catalogue) ?? new Set(catalogue.definitions.namespaces.map(({ name }) => name));
  KNOWN.set(catalogue, known);
  return known;
}

/**
 * What a snapshot of a cluster lacks for this workload: its namespace, and at validation whatever its stamp names that is
 * unknown, another object, or of a later generation (product rules, "Validation's fairness").
 */
export function lacksOf(catalogue: Catalogue, workload: Workload, webhook: "mutate" | "validate"): readonly Lack[] {
  const { namespace } = workload;
  if (EXEMPT_NAMESPACES.has(namespace)) return [];
  const lacks: Lack[] = namespacesOf(catalogue).has(namespace) ? [] : [{ kind: "Namespace", name: namespace }];
  const stamp = webhook === "validate" ? workload.ownAnnotations[STAMP_ANNOTATION] : undefined;
  // What the snapshot gives itself is never newer than the snapshot.
  if (stamp === undefined || isGiven(catalogue, workload.ownLabels[ROLE_LABEL] ?? "", stamp)) return lacks;
  return [...lacks, ...newerThan(catalogue, stamp)];
}

function newerThan(catalogue: Catalogue, stamp: string): readonly Lack[] {
  const { role, segment } = readStamp(stamp);
  return [
    ...(role && isNewer(role, catalogue.roles.get(role.name))
      ? [{ kind: "WorkloadRole" as const, name: role.name }]
      : []),
    ...(segment && isNewer(segment, catalogue.segments.get(segment.name))
      ? [{ kind: "Segment" as const, name: segment.name }]
      : []),
  ];
}

type Origin = { readonly name: string; readonly uid: string; readonly generation: number };

/** An older generation of the same object is no reason to look: the snapshot knows better. */
function isNewer({ uid, generation }: Origin, known: Definition | undefined): boolean {
  if (!known || known.uid !== uid) return true;
  return known.approval.state !== "approved" || known.approval.generation < generation;
}

const OBJECT_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** Whoever wrote the annotation: what is not a stamp of a cluster's objects names nothing. */
function readStamp(text: string): { readonly role?: Origin; readonly segment?: Origin } {
  try {
    const { role, segment } = JSON.parse(text) as { readonly role?: unknown; readonly segment?: unknown };
    return { ...(isOrigin(role) ? { role } : {}), ...(isOrigin(segment) ? { segment } : {}) };
  } catch {
    return {};
  }
}

function isOrigin(value: unknown): value is Origin {
  if (typeof value !== "object" || value === null) return false;
  const { name, uid, generation } = value as Readonly<Record<string, unknown>>;
  return (
    typeof name === "string" && OBJECT_NAME.test(name) && typeof uid === "string" && typeof generation === "number"
  );
}
