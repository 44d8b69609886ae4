import { type Catalogue, type NamespaceView, rolesOfIdentity } from "../domain/catalogue.ts";
import type { Role } from "../domain/definitions.ts";

/** A place where definitions contradict each other, in which a role or a segment takes part. */
export type Conflict = {
  readonly code: "IDENTITY_SPANS_SEGMENTS" | "SEGMENT_STRICT";
  readonly namespace: string;
  /** The same contradiction has the same key in every catalogue. */
  readonly key: string;
  readonly message: string;
};

/** Whose conflicts are asked for. */
export type Party = { readonly kind: "role" | "segment"; readonly name: string };

/**
 * The conflicts that a role or a segment takes part in (product rules, "Segment is a function of identity" and "The
 * namespace is the unit of trust"). Decided on definitions, whatever happens to run.
 */
export function conflictsOf(catalogue: Catalogue, party: Party): readonly Conflict[] {
  const found: Conflict[] = [];
  for (const view of catalogue.namespaces.values()) {
    if (!concerns(view, party)) continue;
    found.push(...spanning(view, party), ...strict(view, party));
  }
  return found;
}

const isParty = (role: Role, party: Party): boolean =>
  party.kind === "role" ? role.name === party.name : role.segment === party.name;

const concerns = (view: NamespaceView, party: Party): boolean =>
  view.roles.some((role) => isParty(role, party)) ||
  (party.kind === "segment" && view.segments.some((segment) => segment.name === party.name));

/** An account that no role names stands for all of these: only roles for every account cover it. */
const ANY_ACCOUNT = "*";

function spanning(view: NamespaceView, party: Party): readonly Conflict[] {
  return [...view.rolesByAccount.keys(), ANY_ACCOUNT].flatMap((account) => {
    const roles = rolesOfIdentity(view, account);
    const mine = roles.find((role) => isParty(role, party));
    const other = roles.find((role) => mine && role.segment !== mine.segment);
    if (!mine || !other) return [];
    const who = account === ANY_ACCOUNT ? "Every account" : `Account ${view.name}/${account}`;
    return [
      {
        code: "IDENTITY_SPANS_SEGMENTS" as const,
        namespace: view.name,
        key: ["spans", view.name, account, mine.segment, other.segment].join("/"),
        message: `${who} of namespace ${view.name} would belong to two segments: ${told(mine)} and ${told(other)}.`,
      },
    ];
  });
}

const told = (role: Role): string => `role ${role.name} of ${role.segment}`;

function strict(view: NamespaceView, party: Party): readonly Conflict[] {
  const owners = view.segments.filter((segment) => segment.isolation === "strict");
  return owners.flatMap((owner) => {
    const guests = view.roles.filter((role) => role.segment !== owner.name);
    const guest = guests.find((role) => isParty(role, party)) ?? guests[0];
    if (!guest || !(isParty(guest, party) || belongs(view, party, owner.name))) return [];
    return [
      {
        code: "SEGMENT_STRICT" as const,
        namespace: view.name,
        key: ["strict", view.name, owner.name, guest.segment].join("/"),
        message: `Strict segment ${owner.name} would share namespace ${view.name} with ${told(guest)}.`,
      },
    ];
  });
}

/** Whether the party is the strict segment, or a role of it that is held in this namespace. */
const belongs = (view: NamespaceView, party: Party, segment: string): boolean =>
  party.kind === "segment"
    ? party.name === segment
    : view.roles.some((role) => role.segment === segment && role.name === party.name);
