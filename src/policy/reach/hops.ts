import { type Bits, eachBit, noBits, setBit } from "./bits.ts";
import type { Reach } from "./matrix.ts";

/** A workload that can be reached: by how many hops at least, and from whom the last of them goes. */
export type Hop = { readonly end: number; readonly hops: number; readonly via: number };

/**
 * Everything that can be reached from some workloads in at most so many hops, nearest first; the workloads themselves are
 * left out. Each class is walked from once: the work is linear in classes × their rows.
 */
export function hopsFrom(reach: Reach, starts: readonly number[], most = Number.POSITIVE_INFINITY): readonly Hop[] {
  const { classes, rows } = reach;
  const found: Hop[] = [];
  const begun = new Set(starts);
  const [walked, entered] = [new Set<number>(), new Set<number>()];
  let frontier: readonly number[] = starts;
  for (let hops = 1; hops <= most && frontier.length > 0; hops += 1) {
    const next: number[] = [];
    for (const via of frontier) {
      const from = classes.classOf[via] ?? 0;
      if (walked.has(from)) continue;
      walked.add(from);
      eachBit(rows[from] ?? noBits(0), (to) => {
        if (entered.has(to)) return;
        entered.add(to);
        const fresh = (classes.members[to] ?? []).filter((end) => !begun.has(end));
        for (const end of fresh) found.push({ end, hops, via });
        next.push(...fresh.slice(0, 1));
      });
    }
    frontier = next;
  }
  return found;
}

/** The ends on the way to a hop, from the first to the hop itself. */
export function wayTo(hops: ReadonlyMap<number, Hop>, end: number): readonly number[] {
  const way = [end];
  for (let hop = hops.get(end); hop; hop = hops.get(hop.via)) way.unshift(hop.via);
  return way;
}

/** The same reach seen from the other side: who reaches a workload. */
export function reversed(reach: Reach): Reach {
  const rows: readonly Bits[] = reach.rows.map((row) => row.slice().fill(0));
  for (const [from, row] of reach.rows.entries())
    eachBit(row, (to) => {
      const turned = rows[to];
      if (turned) setBit(turned, from);
    });
  return { ...reach, rows, passages: (from, to) => reach.passages(to, from) };
}
