import type { Labels } from "../domain/label-selector.ts";

/** For longer a replica does not lag: its watches would have been opened anew. */
const KEPT_MS = 10 * 60_000;
const MOST = 2000;

/** Stamps that were in force a little while ago, by their annotation: another replica may still give them. */
export class SupersededStamps {
  readonly #kept = new Map<string, { readonly labels: Labels; readonly at: number }>();
  readonly #now: () => number;

  /** `now` in milliseconds, of a clock that nobody sets. */
  constructor(now: () => number) {
    this.#now = now;
  }

  add(stamps: ReadonlyMap<string, Labels>): void {
    for (const [stamp, labels] of stamps) {
      this.#kept.delete(stamp);
      this.#kept.set(stamp, { labels, at: this.#now() });
    }
    for (const stamp of this.#kept.keys()) {
      if (this.#kept.size <= MOST) return;
      this.#kept.delete(stamp);
    }
  }

  /** The labels that went with a stamp annotation; undefined where it was not in force of late. */
  labelsOf(stamp: string): Labels | undefined {
    const found = this.#kept.get(stamp);
    return found && this.#now() - found.at < KEPT_MS ? found.labels : undefined;
  }
}
