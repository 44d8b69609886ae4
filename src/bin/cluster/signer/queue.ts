type Entry = { due: number; running: boolean; again: number | undefined };

/** What one turn of a key does: gives after how many milliseconds it wants another, or undefined when done; never rejects. */
export type Work = (key: string) => Promise<number | undefined>;

/** Work by key: each key at most once at a time, `most` keys at once, and again where the work says so. */
export class Queue {
  readonly #entries = new Map<string, Entry>();
  readonly #most: number;
  readonly #now: () => number;
  readonly #work: Work;
  #running = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(most: number, now: () => number, work: Work) {
    this.#most = most;
    this.#now = now;
    this.#work = work;
  }

  /** How many wait or are at work. */
  get size(): number {
    return this.#entries.size;
  }

  /** Asks for the key's turn after so many milliseconds; a turn that is already asked for sooner stays. */
  add(key: string, delayMs: number): void {
    const due = this.#now() + delayMs;
    const known = this.#entries.get(key);
    if (known?.running) {
      known.again = least(known.again, due);
      return;
    }
    this.#entries.set(key, { due: least(known?.due, due) ?? due, running: false, again: undefined });
    this.#pump();
  }

  /** Everything that waits for its time gets its turn now. */
  hurry(): void {
    for (const entry of this.#entries.values()) entry.due = Math.min(entry.due, this.#now());
    this.#pump();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #pump(): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    let next: number | undefined;
    for (const [key, entry] of this.#entries) {
      if (entry.running) continue;
      if (entry.due > this.#now()) next = least(next, entry.due);
      else if (this.#running < this.#most) this.#run(key, entry);
      else return;
    }
    if (next === undefined) return;
    this.#timer = setTimeout(() => this.#pump(), next - this.#now());
    this.#timer.unref();
  }

  #run(key: string, entry: Entry): void {
    entry.running = true;
    this.#running += 1;
    void this.#work(key).then((again) => {
      this.#running -= 1;
      const due = least(entry.again, again === undefined ? undefined : this.#now() + again);
      if (due === undefined) this.#entries.delete(key);
      else Object.assign(entry, { due, running: false, again: undefined });
      this.#pump();
    });
  }
}

const least = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.min(a, b);
