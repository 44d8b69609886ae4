import type { Instant } from "../../../domain/instant.ts";
import { uidOf } from "../../../kube/object-cache.ts";
import { waited } from "../../../reconcile/certificates/age.ts";
import { type Raw, rawAt, textAt } from "../../../wire/read-object.ts";

/** Between two looks at a request that waits. */
const AGAIN_MS = { first: 1_000, most: 60_000 } as const;

/** What a signer remembers of requests that wait for it: since when it knows them, and how often it looked. */
export class WaitingRequests {
  readonly #known = new Map<string, { readonly seen: Instant; looks: number }>();

  saw(request: Raw, now: Instant): void {
    if (!this.#known.has(uidOf(request))) this.#known.set(uidOf(request), { seen: now, looks: 0 });
  }

  /** Milliseconds that it has waited. */
  waited(request: Raw, now: Instant): number {
    const made = textAt(rawAt(request, "metadata"), "creationTimestamp");
    const seen = this.#known.get(uidOf(request))?.seen ?? now;
    return waited(made === undefined ? undefined : Date.parse(made), seen, now);
  }

  /** Milliseconds until it is looked at again: twice as many each time. */
  again(uid: string): number {
    const known = this.#known.get(uid) ?? { looks: 0 };
    known.looks += 1;
    return Math.min(AGAIN_MS.first * 2 ** (known.looks - 1), AGAIN_MS.most);
  }

  forget(uid: string): void {
    this.#known.delete(uid);
  }
}
