import type { Labels } from "./label-selector.ts";
import type { WorkloadKind } from "./workload.ts";

/** A port that a workload lists under a name. */
export type NamedPort = { readonly name: string; readonly protocol: "tcp" | "udp" | "sctp"; readonly port: number };

/** An end of a flow that is a workload of any kind, with what follows from its role; without a role it is nobody. */
export type WorkloadEnd = {
  readonly kind: "workload";
  readonly workloadKind: WorkloadKind;
  /** Kind, namespace, name and UID of the object that stands for it. */
  readonly object: { readonly kind: string; readonly namespace: string; readonly name: string; readonly uid?: string };
  /** The Pod that runs it, where a virtual machine stands for that. */
  readonly launcher?: { readonly name: string; readonly uid?: string };
  readonly namespace: string;
  readonly labels: Labels;
  readonly ports: readonly NamedPort[];
  readonly role?: string;
  readonly segment?: string;
  readonly environment?: string;
  readonly classification?: string;
  /** Its SPIFFE ID. */
  readonly identity?: string;
  /** Whether the canary of its segment names it. */
  readonly inCanary: boolean;
  readonly node?: string;
};

/** A range of addresses of one family, both ends included. */
export type AddressRange = { readonly family: 4 | 6; readonly first: bigint; readonly last: bigint };

/** An end that is no workload of ours. What is left out is not known. */
export type OutsideEnd = {
  readonly kind: "outside";
  readonly addresses?: AddressRange;
  readonly dnsNames?: readonly string[];
  /** SPIFFE ID of a federated trust domain, as verified. */
  readonly identity?: string;
};

/** A node of the cluster itself: kubelet, node agents. */
export type NodeEnd = { readonly kind: "node"; readonly name?: string; readonly addresses?: AddressRange };

/** One end of a flow. */
export type FlowEnd = WorkloadEnd | OutsideEnd | NodeEnd;

/** What a flow does with data, as far as it is known. */
export type FlowData = {
  readonly protocol: string;
  readonly operation?: string;
  readonly table?: string;
  readonly path?: string;
};

/** How two ends talk: a port of a transport protocol, or a type of ICMP message (left out: not known). */
export type Passage =
  | { readonly protocol: "tcp" | "udp" | "sctp"; readonly port: number }
  | { readonly protocol: "icmp" | "icmpv6"; readonly type?: number };

/** One connection that is asked about. */
export type Flow = {
  readonly from: FlowEnd;
  readonly to: FlowEnd;
  readonly passage: Passage;
  readonly data?: FlowData;
};

/** `payments/orders-db[Deployment]`, `10.0.0.0-10.255.255.255`, `api.example.org`, `node a`. */
export function endText(end: FlowEnd): string {
  if (end.kind === "workload") return `${end.namespace}/${end.object.name}[${end.object.kind}]`;
  if (end.kind === "node") return end.name === undefined ? "a node" : `node ${end.name}`;
  return end.dnsNames?.[0] ?? end.identity ?? (end.addresses ? rangeText(end.addresses) : "an unknown address");
}

/** `tcp/5432`, `icmp/8`, `icmp`. */
export const passageText = (passage: Passage): string =>
  "port" in passage
    ? `${passage.protocol}/${passage.port}`
    : `${passage.protocol}${passage.type === undefined ? "" : `/${passage.type}`}`;

const rangeText = ({ family, first, last }: AddressRange): string => {
  const text = family === 4 ? v4Text : v6Text;
  return first === last ? text(first) : `${text(first)}-${text(last)}`;
};

const v4Text = (value: bigint): string => [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join(".");

const v6Text = (value: bigint): string =>
  Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16)).join(":");
