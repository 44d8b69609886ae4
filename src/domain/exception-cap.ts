import type { Catalogue } from "./catalogue.ts";
import type { Exception, Segment } from "./definitions.ts";
import type { Instant } from "./instant.ts";
import type { Peer } from "./sentences.ts";

const DAY_SECONDS = 86_400;

/** Longest exception of a segment that says nothing of it, in seconds; less where it has a classification. */
export const EXCEPTION_SECONDS = { plain: 90 * DAY_SECONDS, classified: 31 * DAY_SECONDS } as const;

type Rooms = Pick<Catalogue, "segments" | "roles" | "namespaces">;

/**
 * How long an exception may last, in seconds: the least that any segment it concerns allows, that of its role and, for a
 * connection, those of both ends (product, "mandatory, capped per class").
 */
export function exceptionCapSeconds({ role, permit }: Pick<Exception, "role" | "permit">, rooms: Rooms): number {
  const ends: readonly Peer[] = "sentence" in permit ? [permit.sentence.from, permit.sentence.to] : [];
  const concerned = [...roomsOf({ by: "role", name: role }, rooms), ...ends.flatMap((end) => roomsOf(end, rooms))];
  return concerned.length === 0 ? EXCEPTION_SECONDS.plain : Math.min(...concerned.map(capOf));
}

const capOf = ({ exceptionMaxSeconds, classification }: Segment): number =>
  exceptionMaxSeconds ?? EXCEPTION_SECONDS[classification === undefined ? "plain" : "classified"];

/** The segments that some of the peer may be in; addresses, names and foreign identities are in none. */
const roomsOf = (peer: Peer, rooms: Rooms): readonly Segment[] =>
  ROOMS[peer.by](rooms, "name" in peer ? peer.name : "");

type RoomsOf = (rooms: Rooms, name: string) => readonly Segment[];

const nowhere: RoomsOf = () => [];
const among =
  (belongs: (segment: Segment, name: string) => boolean): RoomsOf =>
  ({ segments }, name) =>
    [...segments.values()].filter((segment) => belongs(segment, name));

const ROOMS: Readonly<Record<Peer["by"], RoomsOf>> = {
  role: ({ roles, segments }, name) => known(segments.get(roles.get(name)?.segment ?? "")),
  segment: ({ segments }, name) => known(segments.get(name)),
  namespace: ({ namespaces }, name) => namespaces.get(name)?.segments ?? [],
  environment: among(({ environment }, name) => environment === name),
  classification: among(({ classification }, name) => classification === name),
  entity: among((_segment, name) => name === "any"),
  cidr: nowhere,
  fqdn: nowhere,
  externalIdentity: nowhere,
};

const known = (segment: Segment | undefined): readonly Segment[] => (segment ? [segment] : []);

/**
 * From when on an exception counts whose length nobody asked for: as long before its end as its class allows, so that a
 * grant written for years is one for days. Undefined where a server approved it; its length was asked then.
 */
export function capBegins(exception: Exception, rooms: Rooms): Instant | undefined {
  if (exception.approval.state !== "unchecked" && !exception.grant) return undefined;
  return exception.expires - exceptionCapSeconds(exception, rooms) * 1000;
}
