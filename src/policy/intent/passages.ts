import type { FlowEnd, NamedPort, Passage } from "../../domain/flow.ts";
import type { PortSpec } from "../../domain/sentences.ts";
import { type Intervals, intersect, pairs, uniteAll } from "../sets/intervals.ts";
import type { Meant } from "./match-end.ts";

/**
 * A set of ways to talk, as intervals of `protocol × 65536 + port`, or `+ type + 1` for ICMP, so that ranges of two
 * protocols never touch. The first three protocols have the numbers of port-set.ts: both kinds of sets can be cut with
 * each other.
 */
export type PassageSet = Intervals<number>;

const BASES = { sctp: 0, tcp: 65536, udp: 2 * 65536, icmp: 3 * 65536 + 1, icmpv6: 4 * 65536 + 1 } as const;
type ProtocolName = keyof typeof BASES;
const PROTOCOL_NAMES = Object.keys(BASES) as readonly ProtocolName[];

const isProtocolName = (text: string): text is ProtocolName => Object.hasOwn(BASES, text);

const isMessage = (protocol: ProtocolName): protocol is "icmp" | "icmpv6" =>
  protocol === "icmp" || protocol === "icmpv6";
const lastOf = (protocol: ProtocolName): number => (isMessage(protocol) ? 255 : 65535);
const firstOf = (protocol: ProtocolName): number => (isMessage(protocol) ? 0 : 1);

/** Everything of one protocol. */
const wholeOf = (protocol: ProtocolName): PassageSet => [
  BASES[protocol] + firstOf(protocol),
  BASES[protocol] + lastOf(protocol) + 1,
];

/** Every way to talk. */
export const EVERY_PASSAGE: PassageSet = PROTOCOL_NAMES.flatMap(wholeOf);
/** The ways that foreign policies know: ports of SCTP, TCP and UDP. */
export const PORT_PASSAGES: PassageSet = [...wholeOf("sctp"), ...wholeOf("tcp"), ...wholeOf("udp")];
/** No way at all. */
export const NO_PASSAGE: PassageSet = [];

const between = (protocol: ProtocolName, first: number, last: number): PassageSet => [
  BASES[protocol] + first,
  BASES[protocol] + last + 1,
];

/** What one entry of `on` means towards a destination; a name that it does not list for the protocol means nothing. */
export function passagesOf(spec: PortSpec, destination: FlowEnd): PassageSet {
  if (spec.protocol === "any") return EVERY_PASSAGE;
  if ("portName" in spec) {
    const named = portNamed(spec, destination);
    return named === undefined ? NO_PASSAGE : between(spec.protocol, named, named);
  }
  if ("first" in spec) return between(spec.protocol, spec.first, spec.last);
  return spec.type === undefined ? wholeOf(spec.protocol) : between(spec.protocol, spec.type, spec.type);
}

/** The number of a named port at the destination, for the protocol written. */
export function portNamed(
  spec: Pick<Extract<PortSpec, { portName: string }>, "portName" | "protocol">,
  destination: FlowEnd,
): number | undefined {
  if (destination.kind !== "workload") return undefined;
  const fits = (one: NamedPort): boolean => one.name === spec.portName && one.protocol === spec.protocol;
  return destination.ports.find(fits)?.port;
}

/** What all entries of `on` mean together towards a destination. */
export const passagesOfAll = (on: readonly PortSpec[], destination: FlowEnd): PassageSet =>
  uniteAll(on.map((spec) => passagesOf(spec, destination)));

/** Whether an entry of `on` means a passage; perhaps, where it names a type of ICMP and the flow's is not known. */
export function meansPassage(on: readonly PortSpec[], passage: Passage, destination: FlowEnd): Meant {
  let best: Meant = "no";
  for (const spec of on) {
    const meant = meansOne(spec, passage, destination);
    if (meant === "yes") return meant;
    if (meant === "perhaps") best = meant;
  }
  return best;
}

function meansOne(spec: PortSpec, passage: Passage, destination: FlowEnd): Meant {
  if (spec.protocol === "any") return "yes";
  if (spec.protocol !== passage.protocol) return "no";
  if ("port" in passage) return isPortOf(spec, passage.port, destination) ? "yes" : "no";
  const type = "type" in spec ? spec.type : undefined;
  if (type === undefined || type === passage.type) return "yes";
  return passage.type === undefined ? "perhaps" : "no";
}

function isPortOf(spec: PortSpec, port: number, destination: FlowEnd): boolean {
  if ("portName" in spec) return portNamed(spec, destination) === port;
  return "first" in spec && spec.first <= port && port <= spec.last;
}

/** Why a passage cannot be one at all; undefined where it can. */
export function senseless(passage: Passage): string | undefined {
  const protocol: string = passage.protocol;
  if (!isProtocolName(protocol)) return `there is no protocol "${protocol.slice(0, 20)}"`;
  if (isMessage(protocol) === "port" in passage)
    return `${protocol} ${isMessage(protocol) ? "has no ports" : "needs a port"}`;
  const number = "port" in passage ? passage.port : passage.type;
  if (number === undefined || isNumberOf(protocol, number)) return undefined;
  return `${protocol} has no ${isMessage(protocol) ? "type" : "port"} ${number}`;
}

const isNumberOf = (protocol: ProtocolName, number: number): boolean =>
  Number.isInteger(number) && number >= firstOf(protocol) && number <= lastOf(protocol);

/** The key of one passage in a PassageSet; an ICMP message without type stands for type 0. */
export const passageKey = (passage: Passage): number =>
  BASES[passage.protocol] + ("port" in passage ? passage.port : (passage.type ?? 0));

/** The passage of a key. */
export function passageAt(key: number): Passage {
  const protocol = PROTOCOL_NAMES[Math.floor(key / 65536)] ?? "tcp";
  const number = key - BASES[protocol];
  return isMessage(protocol) ? { protocol, type: number } : { protocol, port: number };
}

/** `tcp/80,5000-5010, udp/53, icmp/8`; `everything` and `nothing` for all and none. */
export function passagesText(set: PassageSet): string {
  if (set.length === 0) return "nothing";
  if (set.length === EVERY_PASSAGE.length && EVERY_PASSAGE.every((bound, index) => set[index] === bound))
    return "everything";
  return (["tcp", "udp", "sctp", "icmp", "icmpv6"] as const)
    .flatMap((protocol) => protocolText(set, protocol))
    .join(", ");
}

function protocolText(set: PassageSet, protocol: ProtocolName): readonly string[] {
  const whole = wholeOf(protocol);
  const part = intersect(set, whole);
  if (part.length === 0) return [];
  if (part.length === 2 && part[0] === whole[0] && part[1] === whole[1]) return [protocol];
  const base = BASES[protocol];
  const ranges = pairs(part).map(([from, until]) =>
    until - from === 1 ? String(from - base) : `${from - base}-${until - 1 - base}`,
  );
  return [`${protocol}/${ranges.join(",")}`];
}
