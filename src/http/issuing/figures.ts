import type { Instant } from "../../domain/instant.ts";
import { Buckets, Tally } from "../tallies.ts";

/** Something that ends: an anchor of trust, an authority, or the last leaf that this replica issued by that authority. */
export type End = { readonly what: "root" | "issuing" | "leaf"; readonly id: string; readonly at: Instant };

/** What of authorities is looked up when somebody asks. */
export type AuthorityReadings = {
  /** Of anchors and authorities. */
  readonly ends: () => readonly End[];
  /** Where the rotation stands as a whole; undefined before the authorities were read. */
  readonly stage: () => string | undefined;
};

/** Authorities whose last leaf is remembered; far more than one start sees. */
const MOST_AUTHORITIES = 16;

/** Seconds from a kubelet's request to its answer. */
const SECONDS = [0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300];

/** What issuing counts, and what it looks up when it is asked. */
export class IssuingFigures {
  readonly answers = new Tally(["door", "what", "outcome", "reason"]);
  readonly times = new Buckets(SECONDS);
  /** Requests of kubelets that wait for this replica. */
  readonly pending: () => number;
  readonly #authorities: AuthorityReadings;
  /** Authority → when the last leaf of it ends that this replica issued. */
  readonly #leaves = new Map<string, Instant>();

  constructor(pending: () => number, authorities: AuthorityReadings) {
    this.pending = pending;
    this.#authorities = authorities;
  }

  /** A certificate was issued. */
  issued(authority: string, notAfter: Instant): void {
    const last = this.#leaves.get(authority) ?? 0;
    this.#leaves.delete(authority);
    this.#leaves.set(authority, Math.max(last, notAfter));
    const [oldest] = this.#leaves.keys();
    if (this.#leaves.size > MOST_AUTHORITIES && oldest !== undefined) this.#leaves.delete(oldest);
  }

  ends(): readonly End[] {
    const leaves = [...this.#leaves].map(([id, at]) => ({ what: "leaf", id: id.slice(0, 16), at }) as const);
    return [...this.#authorities.ends(), ...leaves];
  }

  stage(): string | undefined {
    return this.#authorities.stage();
  }
}
