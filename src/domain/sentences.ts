import type { Cidr } from "./cidr.ts";
import type { Definition } from "./definitions.ts";
import type { Instant } from "./instant.ts";
import type { LabelSelector } from "./label-selector.ts";
import type { LossCode } from "./loss-codes.ts";
import type { Source } from "./problem.ts";

/** One end of a sentence. `entity` nodes: the cluster's nodes; outside: all that is no workload; any: everybody. */
export type Peer =
  | { readonly by: "role" | "segment" | "environment" | "classification"; readonly name: string }
  | { readonly by: "namespace"; readonly name: string; readonly podLabels: LabelSelector }
  | { readonly by: "cidr"; readonly cidr: Cidr }
  | { readonly by: "fqdn"; readonly name: string }
  | { readonly by: "externalIdentity"; readonly spiffeId: string }
  | { readonly by: "entity"; readonly name: "nodes" | "outside" | "any" };

/** One entry of `on`. A named port is looked up at the destination. ICMP without `type` means every type. */
export type PortSpec =
  | { readonly protocol: "any" }
  | { readonly protocol: "tcp" | "udp" | "sctp"; readonly first: number; readonly last: number }
  | { readonly protocol: "tcp" | "udp" | "sctp"; readonly portName: string }
  | { readonly protocol: "icmp" | "icmpv6"; readonly type?: number };

/** Which data may pass, for targets that can tell; with `required` a target that cannot is refused. */
export type DataClause = {
  readonly protocol: string;
  readonly operations?: readonly string[];
  readonly tables?: readonly string[];
  readonly paths?: readonly string[];
  readonly required: boolean;
};

/** One line: who reaches whom, on which ports, for which data, when, and why. `path` is its place in the object. */
export type Sentence = {
  readonly path: string;
  readonly from: Peer;
  readonly to: Peer;
  readonly on: readonly PortSpec[];
  readonly data?: DataClause;
  readonly why?: string;
  readonly ticket?: string;
  readonly notBefore?: Instant;
  readonly expires?: Instant;
  readonly source?: Source;
};

/** The connection that an exception grants. */
export type GrantedSentence = Pick<Sentence, "from" | "to" | "on">;

/** Sentences of one segment, as they are in force. */
export type SegmentPolicy = Definition & {
  readonly namespace: string;
  readonly segment: string;
  readonly allow: readonly Sentence[];
};

/** A dimension whose different values a fence keeps apart. */
export type FenceDimension = "environment" | "classification";

/**
 * A kind of loss that somebody takes upon himself, until an end: it keeps nothing from being published meanwhile. `rule`: of that
 * rule or object alone, as the loss names it.
 */
export type Waiver = { readonly code: LossCode; readonly until: Instant; readonly rule?: string };

/** Kinds of losses that nobody can judge before he has looked: a waiver of one names what was looked at. */
export const WAIVED_BY_NAME: ReadonlySet<LossCode> = new Set<LossCode>(["FOREIGN_UNREAD"]);

/** Rules above all sentences. A denial without ports denies everything. */
export type Guardrail = Definition & {
  readonly fences: readonly FenceDimension[];
  readonly waivers?: readonly Waiver[];
  readonly deny: readonly Sentence[];
  readonly allow: readonly Sentence[];
};

/** Whether a line counts at the instant: from `notBefore` on, before `expires`. */
export const isActive = (line: { readonly notBefore?: Instant; readonly expires?: Instant }, now: Instant): boolean =>
  (line.notBefore === undefined || line.notBefore <= now) && (line.expires === undefined || now < line.expires);
