import type { FlowData, Passage } from "../domain/flow.ts";
import { ok, type Result } from "../domain/problem.ts";
import { type EffectiveEnd, outsideEndpoint } from "../policy/effective/end.ts";
import { senseless } from "../policy/intent/passages.ts";
import { isInside } from "../policy/model/endpoint.ts";
import { type AddressSet, meet, parseAddress, setOf } from "../policy/sets/address-set.ts";
import { findMember, type Inventory } from "./inventory.ts";

/** Reads `TCP/5432`, `tcp-80`, `icmp/8` or `icmp`; undefined where it is no such thing. */
export function parsePassage(text: string): Passage | undefined {
  const [, word = "", digits] = /^([A-Za-z0-9]+)(?:[-/](\d{1,5}))?$/.exec(text) ?? [];
  const protocol = word.toLowerCase();
  const number = digits === undefined ? undefined : Number(digits);
  const passage = passageOf(protocol, number);
  return passage && senseless(passage) === undefined ? passage : undefined;
}

function passageOf(protocol: string, number: number | undefined): Passage | undefined {
  if (protocol === "icmp" || protocol === "icmpv6")
    return { protocol, ...(number === undefined ? {} : { type: number }) };
  if (number === undefined || (protocol !== "tcp" && protocol !== "udp" && protocol !== "sctp")) return undefined;
  return { protocol, port: number };
}

/** `postgres,select,orders` or `http,GET,/api`: a last word with a slash in front is a path, else a table. */
export function parseData(text: string | undefined): FlowData | undefined {
  const [protocol, operation, last] = text?.split(",") ?? [];
  if (protocol === undefined) return undefined;
  return {
    protocol,
    ...(operation === undefined ? {} : { operation }),
    ...(last === undefined ? {} : last.startsWith("/") ? { path: last } : { table: last }),
  };
}

/** A workload by its name or address; else an address, a DNS name or a SPIFFE ID outside. */
export function findEnd(inventory: Inventory, text: string): Result<EffectiveEnd> {
  if (text.startsWith("spiffe://"))
    return ok({ end: { kind: "outside", dnsNames: [], identity: text }, endpoint: outsideEndpoint(text, undefined) });
  const byAddress = endByAddress(inventory, text);
  if (byAddress) return ok(byAddress);
  const member = findMember(inventory, text);
  if (member.ok || !/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(text)) return member;
  return ok({ end: { kind: "outside", dnsNames: [text], identity: "" }, endpoint: outsideEndpoint(text, undefined) });
}

function endByAddress(inventory: Inventory, text: string): EffectiveEnd | undefined {
  const address = parseAddress(text);
  if (!address) return undefined;
  const holder = inventory.members.find(({ endpoint }) => {
    if (endpoint.kind === "imagined") return false;
    return meet(isInside(endpoint) ? endpoint.traits.addresses : knownAddresses(endpoint.addresses), setOf(address));
  });
  if (holder) return holder;
  const first = BigInt(address.range[0]);
  const addresses = { family: address.family, first, last: first };
  return { end: { kind: "outside", addresses }, endpoint: outsideEndpoint(text, addresses) };
}

/** A machine without a known address stands as all of IPv4; it is not found by one. */
const knownAddresses = (set: AddressSet): AddressSet =>
  set.v4.length === 2 && set.v4[0] === 0 ? { v4: [], v6: [] } : set;
