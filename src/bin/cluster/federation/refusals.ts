import { type Backoff, makeBackoff } from "../../../kube/backoff.ts";
import type { Refused, Tried } from "./bundle-store.ts";

/** Between tries of one bundle: 1 s at first, 2 minutes at most. */
const WAITS = { firstMs: 1_000, mostMs: 120_000 };

type Refusal = Refused & { readonly waits: Backoff; readonly until: number };

/** Bundles that the API server did not publish, or not take away; each is tried again by itself, ever later. */
export class Refusals {
  readonly #random: () => number;
  readonly #all = new Map<string, Refusal>();

  constructor(random: () => number) {
    this.#random = random;
  }

  /** What keeps the bundle of a TrustDomain from being as it is meant. */
  of(name: string): Refused | undefined {
    return this.#all.get(name);
  }

  /** Those that are not tried again yet. */
  waiting(now: number): ReadonlyMap<string, Refused> {
    return new Map([...this.#all].filter(([, { until }]) => now < until));
  }

  /** Takes in what a try came to. Gives those that were refused for another reason than before. */
  note({ refused, left }: Tried, now: number): readonly (readonly [name: string, Refused])[] {
    for (const name of this.#all.keys()) if (!left.has(name) && !refused.has(name)) this.#all.delete(name);
    return [...refused].filter(([name, found]) => {
      const before = this.#all.get(name);
      const again = before?.did === found.did && before.pem === found.pem;
      const waits = again ? before.waits : makeBackoff(this.#random, WAITS);
      this.#all.set(name, { ...found, waits, until: now + waits.next() });
      return before?.reason !== found.reason || before.did !== found.did;
    });
  }
}
