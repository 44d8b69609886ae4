import type { AddressRange, FlowEnd, NamedPort, WorkloadEnd } from "../../domain/flow.ts";
import type { Endpoint, Inside, Outside } from "../model/endpoint.ts";
import { type AddressSet, ALL_V4, type AddressBlock, setOf } from "../sets/address-set.ts";

/** One end as both sides see it: our kinds by role, foreign policies by labels and addresses. */
export type EffectiveEnd<E extends FlowEnd = FlowEnd> = { readonly end: E; readonly endpoint: Endpoint };

/** The ports that a workload lists by name, as our kinds look them up. */
export const namedPorts = (ports: Inside["traits"]["ports"]): readonly NamedPort[] =>
  ports.flatMap(({ name, protocol, port }) =>
    name === undefined ? [] : [{ name, port, protocol: PROTOCOL_NAMES[protocol] }],
  );

const PROTOCOL_NAMES = { TCP: "tcp", UDP: "udp", SCTP: "sctp" } as const;

/** Addresses outside as an end; `unknown` addresses stand as all of IPv4, so that only a rule for everybody means them. */
export function outsideEndpoint(text: string, range: AddressRange | undefined): Outside {
  const addresses: AddressSet = range ? setOf(blockOf(range)) : { v4: ALL_V4, v6: [] };
  return { kind: "outside", text: `${text}[External]`, addresses };
}

const blockOf = ({ family, first, last }: AddressRange): AddressBlock =>
  family === 4 ? { family, range: [Number(first), Number(last) + 1] } : { family, range: [first, last + 1n] };

/** The range that an outside endpoint of a list covers, as our kinds see it. */
export function rangeOf({ addresses }: Outside): AddressRange | undefined {
  const [from, until] = addresses.v4;
  if (from !== undefined && until !== undefined) return { family: 4, first: BigInt(from), last: BigInt(until) - 1n };
  const [first, end] = addresses.v6;
  return first !== undefined && end !== undefined ? { family: 6, first, last: end - 1n } : undefined;
}

/** Foreign policies see a workload that is no Pod by its address only. */
export const isPodLike = ({ workloadKind }: WorkloadEnd): boolean =>
  workloadKind === "Pod" || workloadKind === "VirtualMachine";
