import type { WorkloadEnd } from "../../domain/flow.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import { ourKeys } from "../reach/classes.ts";
import { type Explaining, wordsOf } from "./parts.ts";
import type { Plane } from "./plane.ts";

/** Who is looked at: all workloads, and the outside in parts that no rule tells apart, by the side on which it stands. */
export type Field = {
  readonly workloads: readonly EffectiveEnd<WorkloadEnd>[];
  readonly sources: readonly EffectiveEnd[];
  readonly destinations: readonly EffectiveEnd[];
};

/** Ends that neither the intent nor any data plane tells apart; the first stands for all. */
export type EndClass = {
  readonly first: EffectiveEnd;
  readonly members: readonly EffectiveEnd[];
  /** Where it stands in the list of all classes. */
  readonly place: number;
  /** By what it is told from others, whatever lines and rules there are. */
  readonly key: string;
  readonly side: "workload" | "source" | "destination";
};

/**
 * The classes of a field: those of workloads, then each part of the outside by itself. `known`: classes of which those of
 * workloads are the same.
 */
export function classesOf(
  judged: Explaining & { readonly planes: readonly Plane[] },
  field: Field,
  known?: readonly EndClass[],
): readonly EndClass[] {
  const planesKey = (end: EffectiveEnd): string => judged.planes.map((plane) => plane.keyOf(end)).join("\n");
  const workloads = known?.filter(({ side }) => side === "workload") ?? workloadClasses(judged, field, planesKey);
  const outside = [
    alone("source", field.sources, planesKey),
    alone("destination", field.destinations, planesKey),
  ].flat();
  return [...workloads, ...outside.map((one, index) => ({ ...one, place: workloads.length + index }))];
}
function workloadClasses(
  explaining: Explaining,
  { workloads }: Field,
  planesKey: (end: EffectiveEnd) => string,
): readonly EndClass[] {
  const ours = ourKeys(explaining.intent);
  const keyOf = (one: EffectiveEnd<WorkloadEnd>): string =>
    [ours(one.end), wordsOf(explaining, one), planesKey(one)].join("\n");
  return groupedBy(workloads, keyOf).map((group, place) => ({ ...group, side: "workload", place }));
}

const alone = (
  side: EndClass["side"],
  ends: readonly EffectiveEnd[],
  planesKey: (end: EffectiveEnd) => string,
): readonly Omit<EndClass, "place">[] =>
  ends.map((first) => ({ first, members: [first], side, key: [side, endKey(first), planesKey(first)].join("\n") }));

const endKey = ({ end, endpoint }: EffectiveEnd): string =>
  JSON.stringify([endpoint.text, end], (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value));

/** Ends by a key, in the order of the first of each. */
export function groupedBy<E extends EffectiveEnd>(
  ends: readonly E[],
  keyOf: (end: E) => string,
): readonly { readonly key: string; readonly first: E; readonly members: readonly E[] }[] {
  return [...Map.groupBy(ends, keyOf)].flatMap(([key, members]) =>
    members[0] ? [{ key, first: members[0], members }] : [],
  );
}

/** Asks once for each two sorts; `sorts`: the sort of each class, by its place. */
export function oncePer<T extends object>(
  sorts: readonly string[],
  ask: (from: EndClass, to: EndClass) => T,
): (from: EndClass, to: EndClass) => T {
  const numbers = numbered(sorts);
  const known = new Map<number, T>();
  return (from, to) => {
    const key = (numbers[from.place] ?? 0) * 2 ** 26 + (numbers[to.place] ?? 0);
    const found = known.get(key) ?? ask(from, to);
    known.set(key, found);
    return found;
  };
}

/** Texts as numbers: the same number for the same text. */
function numbered(texts: readonly string[]): readonly number[] {
  const numbers = new Map<string, number>();
  return texts.map((text) => {
    const number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    return number;
  });
}
