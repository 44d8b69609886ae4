import { type Bits, eachBit } from "../reach/bits.ts";
import type { EndClass } from "./end-class.ts";

/** Something that is found of pairs; of one key is what says the same. */
export type Keyed = { readonly key: string };

/** What is found from one class, and towards which others, ascending by their places. */
export type Found<P extends Keyed> = { readonly part: P; readonly to: readonly number[] };

/** What is found from each class, by its place. */
export type Rows<P extends Keyed> = readonly (readonly Found<P>[])[];

/** What is found from one class towards some others; what is kept of before is of classes beside those. */
export function rowOf<P extends Keyed>(
  judge: (to: EndClass) => readonly P[],
  classes: readonly EndClass[],
  towards: Bits,
  kept: readonly Found<P>[] = [],
): readonly Found<P>[] {
  const found = new Map(kept.map(({ part, to }) => [part.key, { part, to: [...to] }]));
  eachBit(towards, (place) => {
    const to = classes[place];
    for (const part of to ? judge(to) : []) {
      const known = found.get(part.key);
      if (known) known.to.push(place);
      else found.set(part.key, { part, to: [place] });
    }
  });
  if (kept.length > 0) for (const { to } of found.values()) to.sort((a, b) => a - b);
  return [...found.values()];
}

/** Some classes as one. */
export type Ends = Pick<EndClass, "first" | "members" | "side">;

/** What is found between each of some classes and each of others. */
export type Between<P extends Keyed> = { readonly from: Ends; readonly to: Ends; readonly part: P };

/** What was found, with the classes together from which the same was found towards the same others. */
export function merged<P extends Keyed>(classes: readonly EndClass[], rows: Rows<P>): readonly Between<P>[] {
  const groups = new Map<string, { part: P; from: number[]; to: readonly number[] }>();
  for (const from of classes)
    for (const { part, to } of (rows[from.place] ?? []).flatMap((one) => bySide(one, classes))) {
      const key = `${from.side} ${part.key} ${to.join()}`;
      const known = groups.get(key);
      if (known) known.from.push(from.place);
      else groups.set(key, { part, from: [from.place], to });
    }
  return [...groups.values()]
    .sort((a, b) => firstOf(a.from) - firstOf(b.from) || firstOf(a.to) - firstOf(b.to) || compareKeys(a.part, b.part))
    .flatMap(({ part, from, to }) => {
      const [left, right] = [endsAt(classes, from), endsAt(classes, to)];
      return left && right ? [{ from: left, to: right, part }] : [];
    });
}

const firstOf = ([first = 0]: readonly number[]): number => first;
const compareKeys = ({ key: a }: Keyed, { key: b }: Keyed): number => (a < b ? -1 : a > b ? 1 : 0);

/** Workloads and the outside never stand together. */
const bySide = <P extends Keyed>({ part, to }: Found<P>, classes: readonly EndClass[]): readonly Found<P>[] =>
  [...Map.groupBy(to, (place) => classes[place]?.side).values()].map((some) => ({ part, to: some }));

function endsAt(classes: readonly EndClass[], places: readonly number[]): Ends | undefined {
  const some = places.flatMap((place) => classes[place] ?? []);
  const [first] = some;
  return first && { first: first.first, side: first.side, members: some.flatMap(({ members }) => members) };
}
