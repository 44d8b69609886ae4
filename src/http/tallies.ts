/** A counter on the hot path: plain numbers by label values, handed to the registry only when somebody asks. */
export class Tally {
  readonly #names: readonly string[];
  readonly #counts = new Map<string, number>();

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** Counts one; the values stand in the order of the names and hold no space. */
  add(values: string): void {
    this.#counts.set(values, (this.#counts.get(values) ?? 0) + 1);
  }

  readings(): readonly (readonly [Readonly<Record<string, string>>, number])[] {
    return [...this.#counts].map(([values, count]) => {
      const labels = values.split(" ").map((value, index) => [this.#names[index] ?? "", value] as const);
      return [Object.fromEntries(labels), count] as const;
    });
  }
}

/** A histogram on the hot path, for one set of labels; bounds in seconds, ascending. */
export class Buckets {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let index = 0;
    while (index < this.#bounds.length && value > (this.#bounds[index] ?? 0)) index += 1;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += value;
  }

  /** The lines of Prometheus' text format; `labels` as they stand between the braces. */
  render(name: string, labels: string): string {
    let total = 0;
    const lines = [...this.#bounds.map(String), "+Inf"].map((bound, index) => {
      total += this.#counts[index] ?? 0;
      return `${name}_bucket{${labels},le="${bound}"} ${total}\n`;
    });
    return `${lines.join("")}${name}_sum{${labels}} ${this.#sum}\n${name}_count{${labels}} ${total}\n`;
  }
}
