import type { Namespace } from "../../domain/definitions.ts";
import type { Json } from "../../domain/json-patch.ts";
import type { Approvable, ApprovedRecord } from "../../wire/definitions/approvable.ts";
import { isRaw, textsAt } from "../../wire/read-object.ts";
import type { Tally } from "./tally.ts";

type Uids = Readonly<Record<string, string>>;

/** UIDs of the live namespaces that a segment's spec names. */
export function grantedNamespaces(spec: Json, live: readonly Namespace[]): Uids {
  const named = new Set(isRaw(spec) ? textsAt(spec, "namespaces") : []);
  const found = live.filter(({ name }) => named.has(name));
  return Object.fromEntries(found.flatMap(({ name, uid }) => (uid === undefined ? [] : [[name, uid]])));
}

/** Names under which another namespace lives now than at approval. */
export function namespacesAnew(
  { spec, namespaceUIDs = {} }: ApprovedRecord,
  live: readonly Namespace[],
): readonly string[] {
  return Object.entries(grantedNamespaces(spec, live))
    .filter(([name, uid]) => Object.hasOwn(namespaceUIDs, name) && namespaceUIDs[name] !== uid)
    .map(([name]) => name)
    .sort();
}

/**
 * The UIDs to record for the approved generation where they are no longer those on record: a namespace that came into being
 * after the approval is taken as it is, so that the next one under its name waits; one made anew is taken when enough people
 * have approved the generation once more since.
 */
export function renewal(
  { approvals, generation }: Approvable,
  record: ApprovedRecord,
  { counted, needs, satisfied }: Tally,
  live: readonly Namespace[],
): Uids | undefined {
  const now = grantedNamespaces(record.spec, live);
  const { namespaceUIDs: recorded = {} } = record;
  const since = approvals.filter(
    (entry) => entry.generation === generation && !entry.withdraw && isAfter(entry.at, record.at),
  );
  const again = counted.filter((name) => since.some(({ by }) => by === name)).length;
  const renewed = needs.by === "people" && again >= Math.max(1, needs.people);
  const next = renewed ? { ...recorded, ...now } : { ...now, ...recorded };
  const changed = Object.entries(next).some(([name, uid]) => recorded[name] !== uid);
  return satisfied && changed ? next : undefined;
}

const isAfter = (at: string | undefined, moment: string): boolean => Date.parse(at ?? "") > Date.parse(moment);
