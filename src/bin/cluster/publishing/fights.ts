import { canonical } from "../../../policy/compile/published.ts";
import { objectKey, type Write } from "../../../reconcile/policies/order.ts";

/**
 * From the second mend of an object in a row to the next, drawn between these. Short, as an edit may open what the object closes:
 * whoever makes it less often than that is answered at once. Milliseconds.
 */
const WAIT_MS = { least: 1_000, most: 2_000 } as const;
/** Whoever leaves an object alone for so long after a mend fights no more. Milliseconds. */
const CALM_MS = 600_000;

type Fight = {
  /** What the object was mended to. */
  readonly spec: string;
  readonly times: number;
  readonly mendedAt: number;
  readonly until: number;
  /** Whether a mend waits. */
  readonly putOff: boolean;
};

/** How often in a row an object was mended, and when that comes next at the earliest, by the monotonic clock. */
export type Fought = { readonly times: number; readonly until: number };

/**
 * Objects that somebody changes again as soon as they are mended. Each waits by itself, two seconds at most, and holds no other;
 * what the object is to say newly does not wait.
 */
export class Fights {
  readonly #random: () => number;
  readonly #objects = new Map<string, Fight>();

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Whether a mend that was put off is due. */
  isDue(now: number): boolean {
    return [...this.#objects.values()].some(({ putOff, until }) => putOff && until <= now);
  }

  /** How many objects are fought over. */
  count(now: number): number {
    return [...this.#objects.keys()].filter((key) => this.of(key, now)).length;
  }

  /** Undefined where nobody fights over the object: it was mended once at most, or left alone since. */
  of(key: string, now: number): Fought | undefined {
    const fight = this.#objects.get(key);
    return fight && fight.times > 1 && now < fight.mendedAt + CALM_MS ? fight : undefined;
  }

  /** What a plan does not mend needs no mend any more: somebody else put it right. */
  keep(planned: readonly Write[]): void {
    const mends = new Set(planned.filter(({ why }) => why === "mend").map(({ object }) => objectKey(object)));
    for (const [key, fight] of this.#objects) if (!mends.has(key)) this.#objects.set(key, { ...fight, putOff: false });
  }

  /** The writes without mends that are put off. */
  without(writes: readonly Write[], now: number): readonly Write[] {
    return writes.filter((write) => {
      const fight = write.why === "mend" ? this.#objects.get(objectKey(write.object)) : undefined;
      const waits = fight !== undefined && now < fight.until && fight.spec === specOf(write);
      if (waits) this.#objects.set(objectKey(write.object), { ...fight, putOff: true });
      return !waits;
    });
  }

  /** Takes in what was written. */
  note(writes: readonly Write[], now: number): void {
    for (const [key, { mendedAt }] of this.#objects) if (now >= mendedAt + CALM_MS) this.#objects.delete(key);
    for (const write of writes) if (write.why === "mend") this.#noteMend(write, now);
  }

  #noteMend(write: Write, now: number): void {
    const [key, spec] = [objectKey(write.object), specOf(write)];
    const known = this.#objects.get(key);
    const before = known?.spec === spec ? known : undefined;
    const until = before ? now + WAIT_MS.least + this.#random() * (WAIT_MS.most - WAIT_MS.least) : now;
    this.#objects.set(key, { spec, times: (before?.times ?? 0) + 1, mendedAt: now, until, putOff: false });
  }
}

const specOf = ({ object: { spec } }: Write): string => canonical(spec);
