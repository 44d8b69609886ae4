import type { Share } from "./services.ts";

/** Keys that are remembered at most. */
export const MOST_KEYS = 20_000;

type Bucket = { tokens: number; at: number };

/** Token buckets by key. The key that was quiet longest is forgotten first, and would begin anew with a full bucket. */
export class Buckets {
  readonly #share: Share;
  readonly #buckets = new Map<string, Bucket>();

  constructor(share: Share) {
    this.#share = share;
  }

  /** Takes one; gives 0, or after how many milliseconds there is one again. Times are monotonic milliseconds. */
  take(key: string, now: number): number {
    const bucket = this.#filled(key, now);
    const wait = this.#wait(bucket);
    if (wait === 0) bucket.tokens -= 1;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    this.#forget();
    return wait;
  }

  /** What `take` would give, without taking. */
  look(key: string, now: number): number {
    return this.#buckets.has(key) ? this.#wait(this.#filled(key, now)) : 0;
  }

  #wait({ tokens }: Bucket): number {
    return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * 1000) / this.#share.perSecond);
  }

  #filled(key: string, now: number): Bucket {
    const { burst, perSecond } = this.#share;
    const known = this.#buckets.get(key) ?? { tokens: burst, at: now };
    const gained = (Math.max(0, now - known.at) * perSecond) / 1000;
    return { tokens: Math.min(burst, known.tokens + gained), at: Math.max(now, known.at) };
  }

  #forget(): void {
    const [quietest] = this.#buckets.keys();
    if (this.#buckets.size > MOST_KEYS && quietest !== undefined) this.#buckets.delete(quietest);
  }
}
