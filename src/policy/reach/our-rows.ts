import type { WorkloadEnd } from "../../domain/flow.ts";
import type { Instant } from "../../domain/instant.ts";
import type { Intent } from "../intent/intent.ts";
import { contradiction, enclosureOf, valueOf } from "../intent/pair.ts";
import { addAll, type Bits, eachBit, hasBit, isEmpty, noBits, placesWhere, removeAll, without } from "./bits.ts";
import { passageGroups } from "./passage-groups.ts";
import { type Rectangle, type Rectangles, rectanglesOf } from "./rectangles.ts";

/** For each class the classes that our kinds let it reach on any passage at all. Rows are computed by whole lines. */
export function ourRows(intent: Intent, ends: readonly WorkloadEnd[], now: Instant): readonly Bits[] {
  const { any, groups } = passageGroups(rectanglesOf(intent, ends, now));
  const base = baseRows(intent, ends, any);
  const rows = ends.map(() => noBits(ends.length));
  const gap = groups.find((group) => isIdle(group));
  const idle: Rectangles = { opens: [], denies: [], crosses: [] };
  if (gap) addGroup(rows, base, idle, () => true);
  for (const group of groups) {
    if (group === gap) continue;
    const touched = sourcesOf([...group.opens, ...group.crosses], ends.length);
    addGroup(rows, base, group, gap ? (id) => hasBit(touched, id) : () => true);
  }
  return withoutBlocked(intent, ends, rows);
}

/** What holds on every passage: default allow, `intra: allow` and lines for any port; denials for any port and fences. */
type Base = { readonly opens: readonly Bits[]; readonly denies: readonly Bits[]; readonly crosses: readonly Bits[] };

const isIdle = ({ opens, denies, crosses }: Rectangles): boolean => opens.length + denies.length + crosses.length === 0;

function baseRows(intent: Intent, ends: readonly WorkloadEnd[], any: Rectangles): Base {
  const free = placesWhere(ends, (end) => enclosureOf(intent, end) === undefined);
  const intra = memoByName((segment) => placesWhere(ends, (end) => end.segment === segment));
  const opens = ends.map((end, id) => {
    const row = hasBit(free, id) ? free.slice() : noBits(ends.length);
    if (end.segment !== undefined && intent.catalogue.segments.get(end.segment)?.intra === "allow")
      addAll(row, intra(end.segment));
    return row;
  });
  const denies = fenceRows(intent, ends);
  const crosses = ends.map(() => noBits(ends.length));
  for (const [rectangles, into] of [
    [any.opens, opens],
    [any.denies, denies],
    [any.crosses, crosses],
  ] as const)
    for (const { from, to } of rectangles) eachBit(from, (id) => addTo(into, id, to));
  return { opens, denies, crosses };
}

const addTo = (rows: readonly Bits[], id: number, bits: Bits): void => {
  const row = rows[id];
  if (row) addAll(row, bits);
};

function memoByName(make: (name: string) => Bits): (name: string) => Bits {
  const known = new Map<string, Bits>();
  return (name) => {
    const bits = known.get(name) ?? make(name);
    known.set(name, bits);
    return bits;
  };
}

/** For each class the classes on the other side of a fence. */
export function fenceRows(intent: Intent, ends: readonly WorkloadEnd[]): readonly Bits[] {
  const rows = ends.map(() => noBits(ends.length));
  for (const dimension of new Set(intent.fences.map((fence) => fence.dimension))) {
    const valued = placesWhere(ends, (end) => valueOf(end, dimension) !== undefined);
    const same = memoByName((value) => placesWhere(ends, (end) => valueOf(end, dimension) === value));
    for (const [id, end] of ends.entries()) {
      const value = valueOf(end, dimension);
      if (value !== undefined) addTo(rows, id, without(valued, same(value)));
    }
  }
  return rows;
}

function sourcesOf(rectangles: readonly Rectangle[], size: number): Bits {
  const bits = noBits(size);
  for (const { from } of rectangles) addAll(bits, from);
  return bits;
}

/** Adds to the rows what one group of passages lets through. */
function addGroup(rows: readonly Bits[], base: Base, group: Rectangles, isTouched: (id: number) => boolean): void {
  const added = {
    opens: bySource(group.opens),
    denies: bySource(group.denies),
    crosses: bySource(group.crosses),
  };
  for (const [id, row] of rows.entries()) {
    if (!isTouched(id)) continue;
    const open = unionOf(base.opens[id], added.opens.get(id));
    removeAll(open, unionOf(base.denies[id], added.denies.get(id)));
    addAll(open, unionOf(base.crosses[id], added.crosses.get(id)));
    addAll(row, open);
  }
}

function bySource(rectangles: readonly Rectangle[]): ReadonlyMap<number, readonly Bits[]> {
  const sources = new Map<number, Bits[]>();
  for (const { from, to } of rectangles)
    eachBit(from, (id) => {
      const list = sources.get(id);
      if (list) list.push(to);
      else sources.set(id, [to]);
    });
  return sources;
}

function unionOf(base: Bits | undefined, more: readonly Bits[] | undefined): Bits {
  const union = base ? base.slice() : noBits(0);
  for (const bits of more ?? []) addAll(union, bits);
  return union;
}

/** Nobody reaches, or is reached by, who is in quarantine or contradicts itself. */
function withoutBlocked(intent: Intent, ends: readonly WorkloadEnd[], rows: readonly Bits[]): readonly Bits[] {
  const blocked = placesWhere(
    ends,
    (end) => intent.quarantineOf(end) !== undefined || contradiction(intent, end) !== undefined,
  );
  if (isEmpty(blocked)) return rows;
  for (const [id, row] of rows.entries())
    if (hasBit(blocked, id)) row.fill(0);
    else removeAll(row, blocked);
  return rows;
}
