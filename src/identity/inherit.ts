import type { Catalogue } from "../domain/catalogue.ts";
import type { Labels } from "../domain/label-selector.ts";
import type { Result } from "../domain/problem.ts";
import {
  isReservedAnnotation,
  isStampLabel,
  ROLE_LABEL,
  SEGMENT_LABEL,
  SPIFFE_ID_ANNOTATION,
  STAMP_ANNOTATION,
} from "../domain/reserved-keys.ts";
import { composeSpiffeId } from "../domain/spiffe-id.ts";
import type { Workload } from "../domain/workload.ts";
import { deriveIdentity, type Identity } from "./fit-role.ts";
import { NO_STAMP, type Stamp, stampAge, stampOf } from "./stamp.ts";

/** What a launcher Pod takes from its VirtualMachineInstance. */
export type Inherited = {
  readonly stamp: Stamp;
  /** Absent where the instance's role is no longer known: its stamp counts all the same. */
  readonly identity?: Identity;
  /** What follows from the instance as the snapshot has it. */
  readonly derived: Result<Identity>;
};

/**
 * The stamp that a launcher inherits (product rules, "VMs"). An instance keeps the role that it was started with: where
 * another would fit today, or none, its own stamp is handed on as it is. Of two stamps of the same role the newer counts,
 * whether the instance, the launcher or the snapshot has it; so a replica that lags takes nothing back.
 */
export function inherit(catalogue: Catalogue, machine: Workload, launcher: Workload): Inherited {
  const derived = deriveIdentity(catalogue, machine);
  const carried = carriedStamp(machine);
  const follows = derived.ok ? stampOf(derived.value) : undefined;
  if (carried === undefined) return { stamp: follows ?? NO_STAMP, ...whole(derived), derived };
  if (follows === undefined || !sameIdentity(carried, follows))
    return { stamp: carried, ...known(catalogue, carried, machine), derived };
  const stamp = [carried, carriedStamp(launcher)].reduce<Stamp>(newer, follows);
  return { stamp, ...whole(derived), derived };
}

const whole = (derived: Result<Identity>): Pick<Inherited, "identity"> =>
  derived.ok ? { identity: derived.value } : {};

/** The identity that a stamp names, as far as the snapshot still has its role and segment. */
function known(catalogue: Catalogue, { labels, annotations }: Stamp, machine: Workload): Pick<Inherited, "identity"> {
  const role = catalogue.roles.get(labels[ROLE_LABEL] ?? "");
  const segment = catalogue.segments.get(labels[SEGMENT_LABEL] ?? "");
  const spiffeId = composeSpiffeId(catalogue.trustDomain, machine.namespace, machine.serviceAccount);
  const whole = role && segment?.name === role.segment && spiffeId.ok;
  return whole && spiffeId.value === annotations[SPIFFE_ID_ANNOTATION]
    ? { identity: { role, segment, spiffeId: spiffeId.value } }
    : {};
}

/** The stamp that an object carries; undefined where it names no role. */
export function carriedStamp({ ownLabels, ownAnnotations }: Workload): Stamp | undefined {
  const labels = only(ownLabels, isStampLabel);
  return Object.hasOwn(labels, ROLE_LABEL)
    ? { labels, annotations: only(ownAnnotations, isReservedAnnotation) }
    : undefined;
}

const only = (map: Labels, reserved: (key: string) => boolean): Labels =>
  Object.fromEntries(Object.entries(map).filter(([key]) => reserved(key)));

/** Whether two stamps say the same of who somebody is. */
export const sameIdentity = (a: Stamp, b: Stamp): boolean =>
  a.labels[ROLE_LABEL] === b.labels[ROLE_LABEL] &&
  a.labels[SEGMENT_LABEL] === b.labels[SEGMENT_LABEL] &&
  a.annotations[SPIFFE_ID_ANNOTATION] === b.annotations[SPIFFE_ID_ANNOTATION];

function newer(best: Stamp, other: Stamp | undefined): Stamp {
  if (other === undefined || !sameIdentity(other, best)) return best;
  const [is, was] = [other.annotations[STAMP_ANNOTATION], best.annotations[STAMP_ANNOTATION]];
  return is !== undefined && was !== undefined && stampAge(is, was) === "newer" ? other : best;
}
