import type { Instant } from "./instant.ts";

/** What became of a flow. */
export type FlowVerdict = "forwarded" | "dropped";

/** Connections from one end to another that a source saw. */
export type SeenFlow = {
  /** `namespace/name` of a workload or Pod, or an IP address. */
  readonly from: string;
  readonly to: string;
  /** Protocol and destination port: `TCP/5432`. */
  readonly port: string;
  readonly verdict: FlowVerdict;
  readonly count: number;
  /** Undefined where the source does not say. */
  readonly at: Instant | undefined;
};

/** What one line of a source says: a flow, that so many events were lost there, or what is no flow to judge, in a few words. */
export type FlowLine =
  | { readonly kind: "flow"; readonly flow: SeenFlow }
  | { readonly kind: "lost"; readonly count: number }
  | { readonly kind: "leftOut"; readonly what: string };

/** All that was seen from one end to another on one port, with one verdict. */
export type FlowEdge = Omit<SeenFlow, "at"> & { readonly first: Instant; readonly last: Instant };
