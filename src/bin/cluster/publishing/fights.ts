import { type Backoff, makeBackoff } from "../../../kube/backoff.ts";
import { canonical } from "../../../policy/compile/published.ts";
import { objectKey, type Write } from "../../../reconcile/policies/order.ts";

/** Waits between mends of one object after the second, in milliseconds: 1 s at first, 5 minutes at most. */
const WAITS = { firstMs: 1_000, mostMs: 300_000 };
/** Whoever leaves an object alone for so long after a mend fights no more. Milliseconds. */
const CALM_MS = 600_000;

type Fight = {
  readonly waits: Backoff;
  /** What the object was mended to. */
  readonly spec: string;
  readonly times: number;
  readonly mendedAt: number;
  readonly until: number;
  /** Whether a mend was put off. */
  readonly open: boolean;
};

/** How often in a row an object was mended, and when that comes next at the earliest, by the monotonic clock. */
export type Fought = { readonly times: number; readonly until: number };

/**
 * Objects that somebody changes again as soon as they are mended. Each waits by itself, longer each time, and holds no other;
 * what the object is to say newly does not wait, nor what cuts off.
 */
export class Fights {
  readonly #random: () => number;
  readonly #objects = new Map<string, Fight>();

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Whether a mend that was put off is due. */
  isDue(now: number): boolean {
    return [...this.#objects.values()].some(({ open, until }) => open && until <= now);
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

  /** The writes without mends that are put off. */
  without(writes: readonly Write[], now: number): readonly Write[] {
    return writes.filter((write) => {
      const fight = write.why === "mend" ? this.#objects.get(objectKey(write.object)) : undefined;
      const waits = fight !== undefined && now < fight.until && fight.spec === specOf(write);
      if (waits) this.#objects.set(objectKey(write.object), { ...fight, open: true });
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
    const waits = before?.waits ?? makeBackoff(this.#random, WAITS);
    const until = before ? now + waits.next() : now;
    this.#objects.set(key, { waits, spec, times: (before?.times ?? 0) + 1, mendedAt: now, until, open: false });
  }
}

const specOf = ({ object: { spec } }: Write): string => canonical(spec);
