import { objectKey, type Write } from "../../../reconcile/policies/order.ts";

/** How long an object is left alone after each time in a row that somebody else had the last word. Milliseconds. */
const WAIT_MS = [250, 1_000, 5_000, 15_000] as const;

type Done = { readonly writes: readonly Write[]; readonly contested: readonly Write[] };

/** Objects of which somebody else writes more than we do at each write; each waits by itself, and holds no other. */
export class Contested {
  readonly #objects = new Map<string, { readonly times: number; readonly until: number }>();

  any(): boolean {
    return this.#objects.size > 0;
  }

  /** Whether one of them is to be written again. */
  isDue(now: number): boolean {
    return [...this.#objects.values()].some(({ until }) => until <= now);
  }

  /** Forgets those that a plan does not write. */
  keep(planned: readonly Write[]): void {
    const keys = new Set(planned.map(({ object }) => objectKey(object)));
    for (const key of this.#objects.keys()) if (!keys.has(key)) this.#objects.delete(key);
  }

  /** The writes without those to objects that wait. */
  without(writes: readonly Write[], now: number): readonly Write[] {
    return writes.filter(({ object }) => (this.#objects.get(objectKey(object))?.until ?? now) <= now);
  }

  /** Takes in what was written, and of which objects that was not the last word. */
  note({ writes, contested }: Done, now: number): void {
    for (const { object } of writes) this.#objects.delete(objectKey(object));
    for (const key of contested.map(({ object }) => objectKey(object))) {
      const times = this.#objects.get(key)?.times ?? 0;
      this.#objects.set(key, { times: times + 1, until: now + (WAIT_MS[Math.min(times, WAIT_MS.length - 1)] ?? 0) });
    }
  }
}
