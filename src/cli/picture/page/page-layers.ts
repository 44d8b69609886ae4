/** An edge between two places. */
export type LayerEdge = { readonly from: number; readonly to: number };

/**
 * Puts the ends of a graph into columns so that most edges lead to the right, and orders each column so that few cross:
 * an order with few backward edges (Eades, Lin and Smyth 1993), longest paths along it, then barycentres.
 */
export class PageLayers {
  readonly #places: readonly number[];
  readonly #out = new Map<number, number[]>();
  readonly #into = new Map<number, number[]>();

  constructor(places: readonly number[], edges: readonly LayerEdge[]) {
    this.#places = places;
    for (const place of places) {
      this.#out.set(place, []);
      this.#into.set(place, []);
    }
    for (const { from, to } of edges) {
      this.#out.get(from)?.push(to);
      this.#into.get(to)?.push(from);
    }
  }

  /** The columns from left to right, each from top to bottom. */
  columns(): readonly (readonly number[])[] {
    const columns = this.#longestPaths(this.#order());
    let sorted = columns;
    for (let round = 0; round < 4; round++) {
      sorted = this.#sweep(sorted, this.#into);
      sorted = this.#sweep(sorted.toReversed(), this.#out).toReversed();
    }
    return sorted;
  }

  /** Sources first, sinks last, and in between whoever has the most edges leading out over those leading in. */
  #order(): readonly number[] {
    const left = new Set(this.#places);
    const [head, tail]: [number[], number[]] = [[], []];
    const count = (all: ReadonlyMap<number, readonly number[]>, place: number): number =>
      (all.get(place) ?? []).filter((other) => left.has(other)).length;
    while (left.size > 0) {
      const rest = [...left].map((place) => ({ place, out: count(this.#out, place), into: count(this.#into, place) }));
      const sink = rest.find(({ out, into }) => out === 0 && into > 0);
      const source = rest.find(({ into }) => into === 0);
      const best = rest.reduce((one, other) => (other.out - other.into > one.out - one.into ? other : one));
      const next = sink ?? source ?? best;
      if (next === sink) tail.unshift(next.place);
      else head.push(next.place);
      left.delete(next.place);
    }
    return [...head, ...tail];
  }

  #longestPaths(order: readonly number[]): number[][] {
    const rank = new Map(order.map((place, index) => [place, index]));
    const layer = new Map<number, number>();
    for (const place of order) {
      const before = (this.#into.get(place) ?? []).filter((from) => (rank.get(from) ?? 0) < (rank.get(place) ?? 0));
      layer.set(place, Math.max(-1, ...before.map((from) => layer.get(from) ?? 0)) + 1);
    }
    const columns: number[][] = [];
    for (const place of order) (columns[layer.get(place) ?? 0] ??= []).push(place);
    return columns;
  }

  /** Sorts each column after the first by where its neighbours on one side stand. */
  #sweep(columns: readonly (readonly number[])[], neighbours: ReadonlyMap<number, readonly number[]>): number[][] {
    const height = new Map<number, number>();
    return columns.map((column) => {
      const wish = new Map(
        column.map((place, index) => {
          const known = (neighbours.get(place) ?? []).flatMap((other) => height.get(other) ?? []);
          const mean =
            known.length === 0 ? index / column.length : known.reduce((sum, one) => sum + one, 0) / known.length;
          return [place, mean];
        }),
      );
      const sorted = [...column].sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0));
      for (const [index, place] of sorted.entries()) height.set(place, (index + 0.5) / sorted.length);
      return sorted;
    });
  }
}
