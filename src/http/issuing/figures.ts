import type { Instant } from "../../domain/instant.ts";
import { Buckets, Tally } from "../tallies.ts";

/** Something that ends: an authority, an anchor of trust, or the leaf that ends first among those issued by this replica. */
export type End = { readonly what: "root" | "issuing"; readonly id: string; readonly at: Instant };

/** Seconds from a kubelet's request to its answer. */
const SECONDS = [0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300];

/** What issuing counts, and what it looks up when it is asked. */
export class IssuingFigures {
  readonly answers = new Tally(["door", "what", "outcome", "reason"]);
  readonly times = new Buckets(SECONDS);
  /** Requests of kubelets that wait for this replica. */
  readonly pending: () => number;
  readonly ends: () => readonly End[];

  constructor(pending: () => number, ends: () => readonly End[]) {
    this.pending = pending;
    this.ends = ends;
  }
}
