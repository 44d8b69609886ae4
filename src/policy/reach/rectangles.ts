import type { WorkloadEnd } from "../../domain/flow.ts";
import type { Instant } from "../../domain/instant.ts";
import { isActive, type Peer, type PortSpec } from "../../domain/sentences.ts";
import { type Intent, namesExactly } from "../intent/intent.ts";
import type { Line } from "../intent/line.ts";
import { meansEnd } from "../intent/match-end.ts";
import { isUnowned, owns } from "../intent/pair.ts";
import { type PassageSet, passagesOf } from "../intent/passages.ts";
import { uniteAll } from "../sets/intervals.ts";
import { type Bits, both, hasBit, isEmpty, noBits, placesWhere, setBit } from "./bits.ts";

/** What a line does to classes: from each of these to each of those, on these passages. */
export type Rectangle = { readonly from: Bits; readonly to: Bits; readonly passages: PassageSet };

/** All lines of an intent at an instant, as rectangles by what they do. */
export type Rectangles = {
  readonly opens: readonly Rectangle[];
  readonly denies: readonly Rectangle[];
  readonly crosses: readonly Rectangle[];
};

/** Draws the active lines over the ends that stand for classes. */
export function rectanglesOf(intent: Intent, ends: readonly WorkloadEnd[], now: Instant): Rectangles {
  const draw = drawing(intent, ends);
  const active = intent.lines.filter((line) => isActive(line, now));
  return {
    opens: active.filter(({ kind }) => kind !== "deny").flatMap(draw),
    denies: active.filter(({ kind }) => kind === "deny").flatMap(draw),
    crosses: active.filter((line) => line.kind === "exception" && namesExactly(line)).flatMap(draw),
  };
}

/** From each of these ends to each of those. */
export type Area = readonly [from: Bits, to: Bits];

function drawing(intent: Intent, ends: readonly WorkloadEnd[]): (line: Line) => readonly Rectangle[] {
  const areas = areasOf(intent, ends);
  return (line) => areas(line).flatMap(([from, to]) => byPorts(line.on, from, to, ends));
}

/** Between whom a line opens or denies, whatever the instant and the port. */
export function areasOf(intent: Intent, ends: readonly WorkloadEnd[]): (line: Line) => readonly Area[] {
  const meant = meantBy(ends);
  const areas = allowedAreas(intent, ends);
  return (line) => areas(line, [meant(line.from), meant(line.to)]).filter((area) => !area.some(isEmpty));
}

/** The ends that a peer means. Most peers name a role: those are looked up, all others tried on each end. */
function meantBy(ends: readonly WorkloadEnd[]): (peer: Peer) => Bits {
  const holders = new Map<string, number[]>();
  for (const [id, { role }] of ends.entries()) {
    if (role === undefined) continue;
    const list = holders.get(role);
    if (list) list.push(id);
    else holders.set(role, [id]);
  }
  const tried = memo((peer: Peer) => placesWhere(ends, (end) => meansEnd(peer, end) === "yes"));
  return (peer) => {
    if (peer.by !== "role") return tried(peer);
    const bits = noBits(ends.length);
    for (const id of holders.get(peer.name) ?? []) setBit(bits, id);
    return bits;
  };
}

/** What of a line's area its writer may open: see `mayOpen`, which says the same of two ends. */
function allowedAreas(intent: Intent, ends: readonly WorkloadEnd[]): (line: Line, area: Area) => readonly Area[] {
  const owned = ownedBy(intent, ends);
  const holders = memo((role: string) => placesWhere(ends, (end) => end.role === role));
  const unowned = placesWhere(ends, (end) => isUnowned(intent, end));
  const nobodys = !isEmpty(unowned);
  return ({ kind, segment, role }, [from, to]) => {
    if (kind === "sentence" && segment !== undefined)
      return [
        [from, both(to, owned(segment))],
        ...(nobodys ? [[both(from, owned(segment)), both(to, unowned)] as const] : []),
      ];
    if (kind === "exception" && role !== undefined)
      return [
        [both(from, holders(role)), to],
        [from, both(to, holders(role))],
      ];
    return [[from, to]];
  };
}

/** The ends that a segment owns: see `owns`. Each end is asked once, of the segments that may own it at all. */
function ownedBy(intent: Intent, ends: readonly WorkloadEnd[]): (segment: string) => Bits {
  const owned = new Map<string, Bits>();
  const { namespaces } = intent.catalogue;
  for (const [id, end] of ends.entries()) {
    const around = (namespaces.get(end.namespace)?.segments ?? []).map(({ name }) => name);
    for (const segment of new Set([...(end.segment === undefined ? [] : [end.segment]), ...around])) {
      if (!owns(intent, segment, end)) continue;
      const bits = owned.get(segment) ?? noBits(ends.length);
      setBit(bits, id);
      owned.set(segment, bits);
    }
  }
  return (segment) => owned.get(segment) ?? noBits(ends.length);
}

function memo<T>(make: (key: T) => Bits): (key: T) => Bits {
  const known = new Map<string, Bits>();
  return (key) => {
    const text = JSON.stringify(key, (_name, value: unknown) => (typeof value === "bigint" ? String(value) : value));
    const bits = known.get(text) ?? make(key);
    known.set(text, bits);
    return bits;
  };
}

/** Named ports lead to other numbers at other destinations: one rectangle for each number. */
function byPorts(on: readonly PortSpec[], from: Bits, to: Bits, ends: readonly WorkloadEnd[]): readonly Rectangle[] {
  const numbered = on.filter((spec) => !("portName" in spec));
  const any = ends[0];
  const plain =
    any && numbered.length > 0 ? [{ from, to, passages: uniteAll(numbered.map((spec) => passagesOf(spec, any))) }] : [];
  return [...plain, ...on.filter((spec) => "portName" in spec).flatMap((spec) => byNumber(spec, from, to, ends))];
}

function byNumber(spec: PortSpec, from: Bits, to: Bits, ends: readonly WorkloadEnd[]): readonly Rectangle[] {
  const destinations = new Map<number, { passages: PassageSet; there: Bits }>();
  for (const [id, end] of ends.entries()) {
    const passages = hasBit(to, id) ? passagesOf(spec, end) : [];
    const [first] = passages;
    if (first === undefined) continue;
    const known = destinations.get(first) ?? { passages, there: noBits(ends.length) };
    setBit(known.there, id);
    destinations.set(first, known);
  }
  return [...destinations.values()].map(({ passages, there }) => ({ from, to: there, passages }));
}
