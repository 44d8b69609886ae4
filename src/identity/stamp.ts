import type { Catalogue } from "../domain/catalogue.ts";
import type { Definition, Role, Segment } from "../domain/definitions.ts";
import type { Labels } from "../domain/label-selector.ts";
import { remembered } from "../domain/remembered.ts";
import {
  CLASSIFICATION_LABEL,
  ENVIRONMENT_LABEL,
  isReservedAnnotation,
  isReservedLabel,
  isStampLabel,
  ROLE_LABEL,
  ROLE_LABEL_PREFIX,
  SEGMENT_LABEL,
  SPIFFE_ID_ANNOTATION,
  STAMP_ANNOTATION,
} from "../domain/reserved-keys.ts";
import type { Identity } from "./fit-role.ts";

/** The labels and annotations that follow from an identity. */
export type Stamp = { readonly labels: Labels; readonly annotations: Labels };

/** The stamp of a workload that has no role: nothing. */
export const NO_STAMP: Stamp = { labels: {}, annotations: {} };

/** The part of a stamp that all holders of a role share. */
type RoleStamp = { readonly segment: Segment; readonly labels: Labels; readonly origin: string };

/** A role's part of the stamp, made once: roles are frozen, and every review of a Pod asks for it. */
const made = new WeakMap<Role, RoleStamp>();

/** The stamp that an identity brings. Equal identities at equal generations have equal stamps, letter for letter. */
export const stampOf = remembered(({ role, segment, spiffeId }: Identity): Stamp => {
  const { labels, origin } = partOf(role, segment);
  const annotations = Object.freeze({ [SPIFFE_ID_ANNOTATION]: spiffeId, [STAMP_ANNOTATION]: origin });
  return Object.freeze({ labels, annotations });
});

function partOf(role: Role, segment: Segment): RoleStamp {
  const known = made.get(role);
  const part = known?.segment === segment ? known : roleStamp(role, segment);
  if (part !== known) made.set(role, part);
  return part;
}

/** The labels that each stamp annotation of a snapshot stands for, of those that another snapshot gives no more. */
export function supersededStamps(before: Catalogue, now: Catalogue): ReadonlyMap<string, Labels> {
  const [old, current] = [partsOf(before), new Set(partsOf(now).map(({ origin }) => origin))];
  return new Map(old.filter(({ origin }) => !current.has(origin)).map(({ origin, labels }) => [origin, labels]));
}

/** Whether a stamp annotation is the one that the role of this name gives now. */
export function isGiven({ roles, segments }: Catalogue, name: string, stamp: string): boolean {
  const role = roles.get(name);
  const segment = role && segments.get(role.segment);
  return role !== undefined && segment !== undefined && partOf(role, segment).origin === stamp;
}

const partsOf = ({ roles, segments }: Catalogue): readonly RoleStamp[] =>
  [...roles.values()].flatMap((role) => {
    const segment = segments.get(role.segment);
    return segment ? [partOf(role, segment)] : [];
  });

function roleStamp(role: Role, segment: Segment): RoleStamp {
  const labels: Record<string, string> = { [ROLE_LABEL]: role.name, [SEGMENT_LABEL]: segment.name };
  if (segment.environment !== undefined) labels[ENVIRONMENT_LABEL] = segment.environment;
  if (segment.classification !== undefined) labels[CLASSIFICATION_LABEL] = segment.classification;
  for (const [key, value] of Object.entries(role.labels)) labels[`${ROLE_LABEL_PREFIX}${key}`] = value;
  const stamp = JSON.stringify({ role: origin(role), segment: origin(segment) });
  return { segment, labels: Object.freeze(labels), origin: stamp };
}

/** Name, UID and approved generation, as far as they are known. */
function origin({ name, uid, approval }: Definition) {
  const generation = approval.state === "approved" ? approval.generation : undefined;
  return { name, uid, generation };
}

/**
 * How a stamp annotation that an object carries stands to the one that follows from its identity. older, newer: of the same
 * role and segment by name and UID, at other generations. other: of others, or unreadable.
 */
export function stampAge(carried: string, wanted: string): "same" | "older" | "newer" | "other" {
  if (carried === wanted) return "same";
  const [was, is] = [readOrigins(carried), readOrigins(wanted)];
  if (!was || !is || was.some((one, index) => one.name !== is[index]?.name || one.uid !== is[index]?.uid))
    return "other";
  const steps = was.map((one, index) => (one.generation ?? 0) - (is[index]?.generation ?? 0));
  return steps.some((step) => step > 0) ? "newer" : steps.some((step) => step < 0) ? "older" : "other";
}

type Origin = { readonly name: unknown; readonly uid: unknown; readonly generation: number | undefined };

function readOrigins(stamp: string): readonly Origin[] | undefined {
  try {
    const read: unknown = JSON.parse(stamp);
    return [originAt(read, "role"), originAt(read, "segment")];
  } catch {
    return undefined;
  }
}

const fieldAt = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? Object.entries(value).find(([name]) => name === key)?.[1] : undefined;

function originAt(stamp: unknown, key: string): Origin {
  const found = fieldAt(stamp, key);
  const generation = fieldAt(found, "generation");
  return {
    name: fieldAt(found, "name"),
    uid: fieldAt(found, "uid"),
    generation: typeof generation === "number" ? generation : undefined,
  };
}

/** A reserved key of an object whose value is not the stamp's. `present` is undefined where the object lacks the key. */
export type Deviation = {
  readonly map: "labels" | "annotations";
  readonly key: string;
  readonly present: string | undefined;
  readonly wanted: string | undefined;
};

/**
 * Every reserved key in which an object's own metadata differs from the stamp; of labels those that `isOurs` says: on a Pod
 * that runs the label of a quarantine belongs to no stamp. Frozen, and always the same, where all are missing.
 */
export function deviations(own: Stamp, stamp: Stamp, isOurs = isStampLabel): readonly Deviation[] {
  if (!hasAny(own.labels, isReservedLabel) && !hasAny(own.annotations, isReservedAnnotation)) return allMissing(stamp);
  return differing(own, stamp, isOurs);
}

const differing = (own: Stamp, stamp: Stamp, isOurs: (key: string) => boolean): readonly Deviation[] => [
  ...differences("labels", own.labels, stamp.labels, isOurs),
  ...differences("annotations", own.annotations, stamp.annotations, isReservedAnnotation),
];

const allMissing = remembered((stamp: Stamp) => Object.freeze(differing(NO_STAMP, stamp, isStampLabel)));

function hasAny(map: Labels, reserved: (key: string) => boolean): boolean {
  for (const key in map) if (reserved(key)) return true;
  return false;
}

/**
 * Whether an object's stamp is of an older generation and right in everything else: a replica that lagged gave it, and it
 * says when it was given. It stays true.
 */
export const isOnlyOlder = (found: readonly Deviation[]): boolean =>
  found.length > 0 &&
  found.every(
    ({ key, present, wanted }) =>
      key === STAMP_ANNOTATION &&
      present !== undefined &&
      wanted !== undefined &&
      stampAge(present, wanted) === "older",
  );

function differences(
  map: Deviation["map"],
  own: Labels,
  stamp: Labels,
  reserved: (key: string) => boolean,
): Deviation[] {
  const found: Deviation[] = [];
  for (const key in stamp) {
    const present = Object.hasOwn(own, key) ? own[key] : undefined;
    if (present !== stamp[key]) found.push({ map, key, present, wanted: stamp[key] });
  }
  for (const key in own)
    if (reserved(key) && !Object.hasOwn(stamp, key)) found.push({ map, key, present: own[key], wanted: undefined });
  return found;
}
