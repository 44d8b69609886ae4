/**
 * A set of whole numbers as sorted, disjoint, never touching half-open intervals in one flat list:
 * `[from, until, from, until, …]`. Ports and IPv4 addresses are numbers, IPv6 addresses bigints.
 */
export type Intervals<T extends number | bigint> = readonly T[];

/** Everything that is in `a`, in `b`, or in both. */
export const unite = <T extends number | bigint>(a: Intervals<T>, b: Intervals<T>): Intervals<T> =>
  b.length === 0 ? a : a.length === 0 ? b : combine(a, b, (inA, inB) => inA || inB);

/** Everything that is in both. */
export const intersect = <T extends number | bigint>(a: Intervals<T>, b: Intervals<T>): Intervals<T> =>
  a.length === 0 ? a : b.length === 0 ? b : combine(a, b, (inA, inB) => inA && inB);

/** Everything in `a` that is not in `b`. */
export const subtract = <T extends number | bigint>(a: Intervals<T>, b: Intervals<T>): Intervals<T> =>
  a.length === 0 || b.length === 0 ? a : combine(a, b, (inA, inB) => inA && !inB);

/** The union of many sets. */
export function uniteAll<T extends number | bigint>(sets: readonly Intervals<T>[]): Intervals<T> {
  if (sets.length <= 2) return unite<T>(sets[0] ?? [], sets[1] ?? []);
  const half = sets.length >> 1;
  return unite(uniteAll(sets.slice(0, half)), uniteAll(sets.slice(half)));
}

/** Whether the number is in the set; binary search. */
export function holds<T extends number | bigint>(set: Intervals<T>, value: T): boolean {
  let low = 0;
  let high = set.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const bound = set[middle];
    if (bound !== undefined && bound <= value) low = middle + 1;
    else high = middle;
  }
  return (low & 1) === 1;
}

/** Whether every number of `inner` is in `outer`. */
export const includes = <T extends number | bigint>(outer: Intervals<T>, inner: Intervals<T>): boolean =>
  subtract(inner, outer).length === 0;

/** Whether the two sets are the same; the form is canonical, so bounds are compared. */
export const sameSet = <T extends number | bigint>(a: Intervals<T>, b: Intervals<T>): boolean =>
  a === b || (a.length === b.length && a.every((bound, index) => bound === b[index]));

/** The intervals one by one, as `[from, until)`. */
export function pairs<T extends number | bigint>(set: Intervals<T>): readonly (readonly [T, T])[] {
  const list: (readonly [T, T])[] = [];
  for (let index = 0; index + 1 < set.length; index += 2) {
    const from = set[index];
    const until = set[index + 1];
    if (from !== undefined && until !== undefined) list.push([from, until]);
  }
  return list;
}

/** Walks all bounds in order; an odd count of bounds passed means being inside. */
function combine<T extends number | bigint>(
  a: Intervals<T>,
  b: Intervals<T>,
  keep: (inA: boolean, inB: boolean) => boolean,
): Intervals<T> {
  const out: T[] = [];
  let i = 0;
  let j = 0;
  let inside = false;
  for (;;) {
    const left = a[i];
    const right = b[j];
    const bound = left === undefined || (right !== undefined && right < left) ? right : left;
    if (bound === undefined) return out;
    if (left === bound) i += 1;
    if (right === bound) j += 1;
    const now = keep((i & 1) === 1, (j & 1) === 1);
    if (now !== inside) out.push(bound);
    inside = now;
  }
}
