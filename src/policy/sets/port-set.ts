import { type Intervals, pairs, sameSet } from "./intervals.ts";

/** The protocols that network policies know, in the order in which sets of ports are written. */
export const PROTOCOLS = ["SCTP", "TCP", "UDP"] as const;
/** A transport protocol that network policies know. */
export type Protocol = (typeof PROTOCOLS)[number];

/**
 * A set of (protocol, port) as intervals of `protocol × 65536 + port`. Port 0 does not exist, so ranges of two protocols
 * never touch.
 */
export type PortSet = Intervals<number>;

/** The key of one port in a PortSet. */
export const portKey = (protocol: Protocol, port: number): number => PROTOCOLS.indexOf(protocol) * 65536 + port;

/** Ports `from` to `to`, both included, of one protocol. */
export const portRange = (protocol: Protocol, from: number, to: number): PortSet => [
  portKey(protocol, from),
  portKey(protocol, to) + 1,
];

/** No port at all. */
export const NO_PORTS: PortSet = [];
/** Every port of every protocol. */
export const ALL_PORTS: PortSet = PROTOCOLS.flatMap((protocol) => portRange(protocol, 1, 65535));

/** Whether the number can be a port. */
export const isPort = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= 65535;

/** One protocol's part of a set, as `[from, to]` pairs with both ends included. */
export function rangesOf(set: PortSet, protocol: Protocol): readonly (readonly [number, number])[] {
  const base = portKey(protocol, 0);
  return pairs(set)
    .filter(([from]) => from >= base && from < base + 65536)
    .map(([from, until]) => [from - base, until - 1 - base] as const);
}

/** `80,443,8000-8080`. */
export const rangesText = (ranges: readonly (readonly [number, number])[]): string =>
  ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(",");

/** `All Connections`, `No Connections`, or `SCTP 1-65535,TCP 80,443,UDP 53`. */
export function portSetText(set: PortSet): string {
  if (sameSet(set, ALL_PORTS)) return "All Connections";
  if (set.length === 0) return "No Connections";
  return PROTOCOLS.map((protocol) => ({ protocol, ranges: rangesOf(set, protocol) }))
    .filter(({ ranges }) => ranges.length > 0)
    .map(({ protocol, ranges }) => `${protocol} ${rangesText(ranges)}`)
    .join(",");
}
