import type { Catalogue } from "../../domain/catalogue.ts";
import type { FlowEnd } from "../../domain/flow.ts";
import type { DataClause, FenceDimension, Peer } from "../../domain/sentences.ts";
import type { Line } from "../intent/line.ts";
import { EVERY_PASSAGE, type PassageSet, passagesOf } from "../intent/passages.ts";
import { includes, intersect, uniteAll } from "../sets/intervals.ts";

/** Whether everybody that the inner peer can mean is meant by the outer one too, whatever runs. */
export function coversPeer(catalogue: Catalogue, outer: Peer, inner: Peer): boolean {
  if (peerKey(outer) === peerKey(inner)) return true;
  if (outer.by === "entity") return coversAsEntity(outer.name, inner);
  if (outer.by === "segment") return inner.by === "role" && catalogue.roles.get(inner.name)?.segment === outer.name;
  if (outer.by === "environment" || outer.by === "classification")
    return valueOfPeer(catalogue, inner, outer.by) === outer.name;
  return coversOutside(outer, inner) || coversNamespace(outer, inner);
}

const OUTSIDE: ReadonlySet<string> = new Set(["cidr", "fqdn", "externalIdentity"]);

const coversAsEntity = (name: "nodes" | "outside" | "any", inner: Peer): boolean =>
  name === "any" ||
  (name === "outside" && (OUTSIDE.has(inner.by) || (inner.by === "entity" && inner.name === "nodes")));

const coversOutside = (outer: Peer, inner: Peer): boolean =>
  (outer.by === "cidr" &&
    inner.by === "cidr" &&
    outer.cidr.family === inner.cidr.family &&
    outer.cidr.first <= inner.cidr.first &&
    inner.cidr.last <= outer.cidr.last) ||
  (outer.by === "fqdn" &&
    inner.by === "fqdn" &&
    outer.name.startsWith("*.") &&
    inner.name.endsWith(outer.name.slice(1)));

const coversNamespace = (outer: Peer, inner: Peer): boolean =>
  outer.by === "namespace" && inner.by === "namespace" && outer.name === inner.name && outer.podLabels.length === 0;

/** The environment or classification of everybody that a peer can mean; undefined where it can be several or none. */
export function valueOfPeer(catalogue: Catalogue, peer: Peer, dimension: FenceDimension): string | undefined {
  if (peer.by === dimension) return peer.name;
  const segment = segmentOfPeer(catalogue, peer);
  return segment === undefined ? undefined : catalogue.segments.get(segment)?.[dimension];
}

/** The one segment of everybody that a peer can mean. */
export function segmentOfPeer(catalogue: Catalogue, peer: Peer): string | undefined {
  if (peer.by === "segment") return peer.name;
  return peer.by === "role" ? catalogue.roles.get(peer.name)?.segment : undefined;
}

/** A text that is the same for peers that are the same. */
export const peerKey = (peer: Peer): string =>
  peer.by === "cidr" ? `cidr ${peer.cidr.family} ${peer.cidr.first} ${peer.cidr.last}` : JSON.stringify(peer);

/** The ports of a line: by number, and the names that are looked up at the destination. */
export type WrittenPorts = { readonly numbered: PassageSet; readonly named: readonly string[] };

const NOWHERE: FlowEnd = { kind: "outside" };

/** The ports that a line means, wherever it leads. */
export const portsOf = ({ on }: Pick<Line, "on">): WrittenPorts => ({
  numbered: uniteAll(on.map((spec) => ("portName" in spec ? [] : passagesOf(spec, NOWHERE)))),
  named: [...new Set(on.flatMap((spec) => ("portName" in spec ? [`${spec.protocol}/${spec.portName}`] : [])))].sort(),
});

/** Whether everything that the inner ports can mean is meant by the outer ones. */
export const coversPorts = (outer: WrittenPorts, inner: WrittenPorts): boolean =>
  includes(outer.numbered, inner.numbered) &&
  inner.named.every((name) => outer.named.includes(name) || includes(outer.numbered, wholeProtocol(name)));

/** Whether both can mean one port. */
export const portsMeet = (a: WrittenPorts, b: WrittenPorts): boolean =>
  intersect(a.numbered, b.numbered).length > 0 ||
  [
    [a, b],
    [b, a],
  ].some(([one, other]) =>
    one?.named.some(
      (name) => other?.named.includes(name) || intersect(other?.numbered ?? [], wholeProtocol(name)).length > 0,
    ),
  );

/** Every port of the protocol of a named port. */
const wholeProtocol = (name: string): PassageSet => {
  const protocol = name.split("/")[0];
  if (protocol !== "tcp" && protocol !== "udp" && protocol !== "sctp") return EVERY_PASSAGE;
  return passagesOf({ protocol, first: 1, last: 65535 }, NOWHERE);
};

/** Whether the data of one clause may pass under the other too. */
export const coversData = (outer: DataClause | undefined, inner: DataClause | undefined): boolean =>
  outer === undefined || JSON.stringify(outer) === JSON.stringify(inner);

/** Whether one line counts whenever the other does. */
export const coversWindow = (outer: Line, inner: Line): boolean =>
  (outer.notBefore ?? Number.NEGATIVE_INFINITY) <= (inner.notBefore ?? Number.NEGATIVE_INFINITY) &&
  (outer.expires ?? Number.POSITIVE_INFINITY) >= (inner.expires ?? Number.POSITIVE_INFINITY);
