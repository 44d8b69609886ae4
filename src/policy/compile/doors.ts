import type { Segment } from "../../domain/definitions.ts";
import type { Instant } from "../../domain/instant.ts";
import type { LabelSelector } from "../../domain/label-selector.ts";
import { remembered } from "../../domain/remembered.ts";
import { isActive } from "../../domain/sentences.ts";
import { differInPolicies, type Intent } from "../intent/intent.ts";
import type { Line, Quarantine } from "../intent/line.ts";
import { enclosureOf } from "../intent/pair.ts";
import { DIRECTIONS, type Direction } from "../model/policy.ts";
import { addAll, type Bits, both, eachBit, hasBit, isEmpty, noBits, setBit } from "../reach/bits.ts";
import { type Area, areasOf } from "../reach/rectangles.ts";
import { type AddressSet, ALL_ADDRESSES, noAddresses, subtractAddresses, uniteAddresses } from "../sets/address-set.ts";
import { type Blocked, blockedIn } from "./blocked.ts";
import { type CanaryWorkload, type Cell, cellsOf, namespacePeers } from "./cells.ts";
import { FAR, NEAR, type Opening } from "./opening.ts";
import { outsideOpenings } from "./outside-openings.ts";
import { type Machine, type Party, type Selecting, selectingOver } from "./parties.ts";

/** A cell whose doors are closed but for these openings. */
export type Subject = { readonly cell: Cell; readonly place: number } & Readonly<Record<Direction, readonly Opening[]>>;

/** What an intent means at an instant for every workload that it encloses: denials are already taken out. */
export type Doors = {
  readonly intent: Intent;
  readonly now: Instant;
  readonly cells: readonly Cell[];
  readonly selecting: Selecting;
  readonly subjects: readonly Subject[];
  /** Addresses that are no outside. */
  readonly inside: AddressSet;
  /** Cells under quarantine. */
  readonly cut: Bits;
  readonly site: Site;
  /** The same object as long as nothing but sentences has changed; with it a subject of the same openings is the same. */
  readonly ground: Ground;
};

/** What of a cluster no definition tells: its Pod networks, its machines, and the workloads that a canary names. */
export type Site = {
  readonly canaries: readonly CanaryWorkload[];
  readonly machines: readonly Machine[];
  /** Roles in namespaces of which single Pods are under quarantine; their Pods carry QUARANTINE_LABEL. */
  readonly quarantined?: readonly QuarantinedPods[];
  /** Pods whose addresses are known now, for targets that know nothing else. */
  readonly pods: readonly Machine[];
  /** Secondary networks, for targets that act on those. */
  readonly networks: readonly { readonly namespace: string; readonly name: string }[];
  /** Addresses that Pods have. What is in them is never outside. */
  readonly podNetworks: AddressSet;
  /** Labels of the workloads' own that stand for a role in its namespace, for policies that work without stamps. */
  readonly plain?: (cell: Cell) => LabelSelector | undefined;
};

/** Pods of one namespace and role, or without a role, some of which are under quarantine; and by which Restrictions. */
export type QuarantinedPods = {
  readonly namespace: string;
  readonly role?: string;
  readonly rulings: readonly Pick<Quarantine, "object" | "path">[];
};

/** Addresses that are no outside: those of Pods and of machines. */
export const insideOf = ({ machines, podNetworks }: Site): AddressSet =>
  machines.reduce((all, { addresses }) => uniteAddresses(all, addresses), podNetworks);

/**
 * Works out the doors of all cells. Workloads under quarantine have doors that nothing opens. Beside the doors of the same
 * definitions but for some sentences (`before`, of an intent that this one was compiled beside) only those are worked out anew
 * that the sentences open; the result is the same as without.
 */
export function doorsOf(intent: Intent, site: Site, now: Instant, before?: Doors): Doors {
  const ground = before && stands(before, intent, site, now) ? before.ground : groundOf(intent, site, now);
  const { cells, selecting, inside, blocked, closed } = ground;
  const doors = new Map<number, Record<Direction, Opening[]>>();
  eachBit(closed, (place) => doors.set(place, { ingress: [], egress: [] }));
  for (const line of openLines(intent, now)) {
    const found = ground.known.get(line) ?? openingsOfLine(ground, line);
    ground.known.set(line, found);
    for (const direction of DIRECTIONS)
      for (const [place, openings] of found[direction]) doors.get(place)?.[direction].push(...openings);
  }
  const knownSubjects = before?.ground === ground ? before.subjects : [];
  const subjects = [...doors].flatMap(([place, open], index) => {
    const cell = cells[place];
    return cell ? [sameSubject(knownSubjects[index], open) ?? { cell, place, ...open }] : [];
  });
  return { intent, now, cells, selecting, subjects, inside, cut: blocked.cut, site, ground };
}

/** What is rendered of a subject: once, as long as it is the same. What else it may hang on is the ground. */
export function perSubject<T extends object>(
  render: (ground: Ground, subject: Subject) => T,
): (ground: Ground, subject: Subject) => T {
  const known = new WeakMap<Subject, T>();
  return (ground, subject) => {
    const made = known.get(subject) ?? render(ground, subject);
    known.set(subject, made);
    return made;
  };
}

/** What doors stand on beside the sentences that open them. */
export type Ground = {
  readonly intent: Intent;
  readonly site: Site;
  readonly now: Instant;
  readonly cells: readonly Cell[];
  readonly selecting: Selecting;
  readonly inside: AddressSet;
  readonly blocked: Blocked;
  /** The cells that have doors. */
  readonly closed: Bits;
  readonly areas: (line: Line) => readonly Area[];
  /** What each line was found to open here. */
  readonly known: WeakMap<Line, Readonly<Record<Direction, Placed>>>;
};

/** Openings by the place of the subject. */
type Placed = readonly (readonly [place: number, openings: readonly Opening[]])[];

function groundOf(intent: Intent, site: Site, now: Instant): Ground {
  const cells = cellsOf(intent, site.canaries);
  const blocked = blockedIn(intent, cells, now);
  const closed = noBits(cells.length);
  for (const [place, cell] of cells.entries())
    if (cell.namespace !== undefined && (enclosureOf(intent, cell.end) || hasBit(blocked.cut, place)))
      setBit(closed, place);
  return {
    intent,
    site,
    now,
    cells,
    selecting: selectingOver(intent, cells, site),
    inside: insideOf(site),
    blocked,
    closed,
    areas: areasOf(
      intent,
      cells.map(({ end }) => end),
    ),
    known: new WeakMap(),
  };
}

/** Whether the ground of doors is that of another intent, site and instant too: no denial or exception begins or ends. */
function stands({ ground }: Doors, intent: Intent, site: Site, now: Instant): boolean {
  const peers = (of: Intent): string => JSON.stringify(namespacePeers(of));
  return (
    site.plain === ground.site.plain &&
    siteText(site) === siteText(ground.site) &&
    differInPolicies(intent.catalogue, ground.intent.catalogue) &&
    intent.lines.every((line) => line.kind === "sentence" || isActive(line, now) === isActive(line, ground.now)) &&
    peers(intent) === peers(ground.intent)
  );
}

/** What of a site doors stand on: all but which addresses Pods have now, which is asked of the doors' own site. */
const siteText = remembered(({ pods: _pods, plain: _plain, ...rest }: Site): string =>
  JSON.stringify(rest, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value)),
);

/** The subject as it was, where the very same openings are its openings still. */
const sameSubject = (known: Subject | undefined, open: Record<Direction, readonly Opening[]>): Subject | undefined =>
  known && DIRECTIONS.every((direction) => isSameList(known[direction], open[direction])) ? known : undefined;

const isSameList = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a.length === b.length && a.every((one, index) => one === b[index]);

const openingsOfLine = (ground: Ground, line: Line): Readonly<Record<Direction, Placed>> => ({
  ingress: openingsOf(ground, line, "ingress"),
  egress: openingsOf(ground, line, "egress"),
});

/** Active lines that open, and `intra: allow` of segments as a line from the segment to itself. */
const openLines = (intent: Intent, now: Instant): readonly Line[] => [
  ...intent.lines.filter((line) => line.kind !== "deny" && isActive(line, now)),
  ...[...intent.catalogue.segments.values()].filter(({ intra }) => intra === "allow").map(intraLine),
];

const intraLine = remembered(
  ({ name, approval }: Segment): Line => ({
    kind: "sentence",
    object: `Segment ${name}`,
    path: "spec.intra",
    approval: approval.state,
    from: { by: "segment", name },
    to: { by: "segment", name },
    on: [{ protocol: "any" }],
    segment: name,
  }),
);

/** The openings of one line in one direction. */
function openingsOf(ground: Ground, line: Line, direction: Direction): Placed {
  const { selecting, cells, blocked, closed, inside } = ground;
  const areas = ground.areas(line);
  const [nearSide, farSide] = direction === "ingress" ? ([1, 0] as const) : ([0, 1] as const);
  const near = both(selecting.sure(line[NEAR[direction]]), closed);
  if (isEmpty(near)) return [];
  const sureFar = selecting.sure(line[FAR[direction]]);
  const found: [number, readonly Opening[]][] = [];
  eachBit(near, (place) => {
    const cell = cells[place];
    if (!cell || hasBit(blocked.cut, place)) return;
    const peers = noBits(cells.length);
    for (const area of areas) if (hasBit(area[nearSide], place)) addAll(peers, both(area[farSide], sureFar));
    const far = line[FAR[direction]];
    const pods = blocked
      .leave(line, place, direction, peers)
      .map(({ peers: bits, on }) => ({ line, on, cells: bits, parties: selecting.partiesOf(far, bits) }));
    const outside = outsideOpenings(ground, line, { end: cell.end, place, direction });
    const openings = joined([...pods.filter(({ parties }) => parties.length > 0), ...outside], line, inside);
    if (openings.length > 0) found.push([place, openings]);
  });
  return found;
}

/** A line that lets everybody through, Pods and addresses alike, says just that. */
function joined(openings: readonly Opening[], line: Line, inside: AddressSet): readonly Opening[] {
  const whole = openings.filter(({ on, parties }) => on === line.on && parties.some((party) => isWhole(party, inside)));
  const [first] = whole;
  if (!first || whole.length < 2) return openings;
  const cells = first.cells.slice();
  for (const one of whole) addAll(cells, one.cells);
  const rest = openings.filter((one) => !whole.includes(one));
  return [{ line, on: line.on, cells, parties: [{ kind: "everyone" }] }, ...rest];
}

const isWhole = (party: Party, inside: AddressSet): boolean =>
  (party.kind === "pods" && party.namespaces.length === 0 && party.pods.length === 0) ||
  (party.kind === "addresses" &&
    noAddresses(subtractAddresses(subtractAddresses(ALL_ADDRESSES, inside), party.addresses)));
