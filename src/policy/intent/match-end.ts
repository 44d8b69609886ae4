import type { AddressRange, FlowEnd, OutsideEnd, WorkloadEnd } from "../../domain/flow.ts";
import { selects } from "../../domain/label-selector.ts";
import type { Peer } from "../../domain/sentences.ts";

/** Whether something is meant: surely not, perhaps (what it depends on is not known), or surely. */
export type Meant = "no" | "perhaps" | "yes";

const yesOrNo = (truth: boolean): Meant => (truth ? "yes" : "no");

/**
 * Whether a peer means an end. Workloads are meant by what follows from their role, and never by address; Pods without a
 * role by namespace and labels; all else by address, name or federated identity, perhaps where that is not known.
 */
export function meansEnd(peer: Peer, end: FlowEnd): Meant {
  if (peer.by === "entity") return yesOrNo(isEntity(peer.name, end));
  if (end.kind === "workload") return yesOrNo(meansWorkload(peer, end));
  return meansOther(peer, end);
}

function meansWorkload(peer: Peer, end: WorkloadEnd): boolean {
  if (peer.by === "role" || peer.by === "segment") return end[peer.by] === peer.name;
  if (peer.by === "environment" || peer.by === "classification") return end[peer.by] === peer.name;
  return peer.by === "namespace" && isNobodyOf(end, peer);
}

function meansOther(peer: Peer, end: Exclude<FlowEnd, WorkloadEnd>): Meant {
  if (peer.by === "cidr") return meansAddresses(peer.cidr, end.addresses);
  if (end.kind === "node") return "no";
  if (peer.by === "fqdn") return meansName(peer.name, end);
  if (peer.by !== "externalIdentity") return "no";
  return end.identity === undefined ? "perhaps" : yesOrNo(end.identity === peer.spiffeId);
}

/** Whether an end is a Pod without a role in the peer's namespace, with its labels. */
const isNobodyOf = (end: WorkloadEnd, peer: Extract<Peer, { by: "namespace" }>): boolean =>
  end.role === undefined && end.namespace === peer.name && selects(peer.podLabels, end.labels);

function isEntity(name: "nodes" | "outside" | "any", end: FlowEnd): boolean {
  if (name === "any") return true;
  return name === "nodes" ? end.kind === "node" : end.kind !== "workload";
}

function meansAddresses(cidr: AddressRange, range: AddressRange | undefined): Meant {
  if (range === undefined) return "perhaps";
  if (range.family !== cidr.family || range.last < cidr.first || cidr.last < range.first) return "no";
  return range.first >= cidr.first && range.last <= cidr.last ? "yes" : "perhaps";
}

/** `*.example.org` means every name below example.org, at any depth, and not example.org itself. */
function meansName(name: string, { dnsNames }: OutsideEnd): Meant {
  if (dnsNames === undefined) return "perhaps";
  const below = name.startsWith("*.") ? name.slice(1) : undefined;
  return yesOrNo(
    dnsNames.some((one) => {
      const asked = one.toLowerCase().replace(/\.$/, "");
      return below === undefined ? asked === name : asked.length > below.length && asked.endsWith(below);
    }),
  );
}
