import type { Line } from "../intent/line.ts";
import type { Direction } from "../model/policy.ts";
import { type Bits, bitCount, placesWhere } from "../reach/bits.ts";
import type { EndClass } from "./end-class.ts";
import type { Case, Compared } from "./judge.ts";
import { lineText } from "./kinship.ts";
import type { Guard } from "./plane.ts";

/** What stayed since a comparison, and what must be judged anew. */
export type Since = {
  /** Classes from which everything is judged anew, and towards which it is. */
  readonly sources: Bits;
  readonly destinations: Bits;
  /** Where a class stood before; where one of before stands now, if it is there. */
  readonly placeBefore: (now: EndClass) => number;
  readonly placeNow: (before: number) => number | undefined;
};

/** With more classes than these and so great a part of all to be judged anew everything is: then what is alike is judged once. */
const MUCH = { classes: 100, part: 1 / 8 } as const;

/**
 * What must be judged anew since a comparison: classes that were not there, those that a line of their own means that came,
 * went or changed, and those at whose doors something stands that did; the ground is the same. Undefined where it is much.
 */
export function changedSince(before: Compared, now: Compared): Since | undefined {
  const [old, places] = [placesIn(before.classes), placesIn(now.classes)];
  if (!old || !places) return undefined;
  const lines = changed(before.kinship.own, now.kinship.own, lineText);
  const [was, is] = [guardsIn(before.judged), guardsIn(now.judged)];
  const guards = was.flatMap((some, index) => changed(some, is[index] ?? [], ({ text }) => text));
  const isDirty = (one: EndClass, end: "from" | "to", direction: Direction): boolean =>
    !old.has(one.key) ||
    lines.some((line) => isOwnOf(one, line, end)) ||
    guards.some(({ isAt }) => isAt(one.first, direction));
  const sources = placesWhere(now.classes, (one) => isDirty(one, "from", "egress"));
  const destinations = placesWhere(now.classes, (one) => isDirty(one, "to", "ingress"));
  if (bitCount(sources) + bitCount(destinations) > MUCH.classes + now.classes.length * MUCH.part) return undefined;
  return {
    sources,
    destinations,
    placeBefore: ({ key }) => old.get(key) ?? -1,
    placeNow: (place) => places.get(before.classes[place]?.key ?? ""),
  };
}

/** Undefined where two classes cannot be told apart by their keys. */
function placesIn(classes: readonly EndClass[]): ReadonlyMap<string, number> | undefined {
  const places = new Map(classes.map(({ key, place }) => [key, place]));
  return places.size === classes.length ? places : undefined;
}

/** Whether nothing has changed but lines that are somebody's own, rules, and who is there. */
export const isSameGround = (
  { judged: a, kinship: before }: Pick<Compared, "judged" | "kinship">,
  { judged: b, kinship: now }: Pick<Compared, "judged" | "kinship">,
): boolean =>
  a.ground !== undefined &&
  a.ground === b.ground &&
  before.common === now.common &&
  a.target === b.target &&
  guardsIn(a).length === guardsIn(b).length;

const guardsIn = ({ planes, own }: Case): readonly (readonly Guard[])[] =>
  [...planes, ...own].map(({ guards }) => guards);

/** What is in one of two lists only, by what it says. */
export function changed<T>(before: readonly T[], now: readonly T[], textOf: (item: T) => string): readonly T[] {
  const [old, recent] = [new Set(before), new Set(now)];
  const [gone, come] = [before.filter((one) => !recent.has(one)), now.filter((one) => !old.has(one))];
  const [goneTexts, comeTexts] = [new Set(gone.map(textOf)), new Set(come.map(textOf))];
  return [...gone.filter((one) => !comeTexts.has(textOf(one))), ...come.filter((one) => !goneTexts.has(textOf(one)))];
}

/** Whether a line is about pairs with this end: each is so for one of the ends of every pair that it may mean. */
function isOwnOf({ first: { end } }: EndClass, { from, to, role }: Line, side: "from" | "to"): boolean {
  if (end.kind !== "workload" || end.role === undefined) return false;
  if (from.by === "role") return side === "from" && end.role === from.name;
  if (to.by === "role") return side === "to" && end.role === to.name;
  return end.role === role;
}
