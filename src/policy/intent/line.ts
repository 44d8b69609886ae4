import type { Approval } from "../../domain/definitions.ts";
import type { Instant } from "../../domain/instant.ts";
import type { Source } from "../../domain/problem.ts";
import type { DataClause, FenceDimension, Peer, PortSpec } from "../../domain/sentences.ts";

/** What every rule of ours has: the object it stands in, its place there and in the file, and when it counts. */
type Written = {
  /** `SegmentPolicy payments/orders-db`. */
  readonly object: string;
  /** `spec.allow[0]`. */
  readonly path: string;
  readonly source?: Source;
  readonly approval: Approval["state"];
};

/** A line with two ends, as compiled from a guardrail, a policy or an exception. */
export type Line = Written & {
  readonly kind: "deny" | "allow" | "sentence" | "exception";
  readonly from: Peer;
  readonly to: Peer;
  readonly on: readonly PortSpec[];
  readonly data?: DataClause;
  readonly why?: string;
  readonly ticket?: string;
  readonly notBefore?: Instant;
  readonly expires?: Instant;
  /** Of a sentence: the segment whose owner wrote it; of an exception: the segment of its role. */
  readonly segment?: string;
  /** Of an exception: who it is for; one of the ends must hold it. */
  readonly role?: string;
};

/** A fence of a guardrail. */
export type Fence = Written & { readonly kind: "fence"; readonly dimension: FenceDimension };

/** A quarantine. */
export type Quarantine = Written & { readonly kind: "quarantine"; readonly reason: string };

/** Any rule of ours that can decide. */
export type Ruling = Line | Fence | Quarantine;

/** `SegmentPolicy payments/orders-db, spec.allow[0] (policy.yaml:12)`. */
export function rulingText({ object, path, source }: Pick<Written, "object" | "path" | "source">): string {
  const place = source ? ` (${source.file}:${source.line})` : "";
  return `${object}${path === "" ? "" : `, ${path}`}${place}`;
}
