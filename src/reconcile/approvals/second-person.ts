import { type Definitions, inForce } from "../../domain/catalogue.ts";
import type { Exception, Segment } from "../../domain/definitions.ts";
import type { FenceDimension, Peer } from "../../domain/sentences.ts";

/**
 * What an exception needs beyond what its trust domain asks for (product rules, "Approval"). A second person where it lets a
 * workload out to its host, or crosses a fence; and across a fence somebody of each side besides, two different people. What
 * cannot be told counts as crossing.
 */
export type MoreNeeded = {
  readonly why: string;
  /** Segments of each end; somebody has to speak for one of each. Empty where no segment can be told. */
  readonly sides: readonly (readonly string[])[];
};

/** What every exception from a check on escapes needs. */
export const ESCAPE: MoreNeeded = { why: "it lets a workload out to its host", sides: [] };

/** What an exception needs beyond its trust domain's terms; undefined where that is nothing. */
export function moreNeeded({ permit }: Exception, definitions: Definitions): MoreNeeded | undefined {
  if ("check" in permit) return ESCAPE;
  const { from, to } = permit.sentence;
  const fences = new Set(definitions.guardrails.filter(inForce).flatMap((guardrail) => guardrail.fences));
  if (![...fences].some((fence) => crosses(fence, from, to, definitions))) return undefined;
  const sides = [from, to].map((end) => segmentsOf(end, definitions)).filter((side) => side.length > 0);
  return { why: ["it crosses a fence", ...sides.map(oneOf)].join(", "), sides };
}

const oneOf = (side: readonly string[], index: number): string =>
  `${index === 0 ? "which somebody approves for" : "and somebody else for"} segment ${side.slice(0, 8).join(" or ")}`;

function crosses(fence: FenceDimension, from: Peer, to: Peer, definitions: Definitions): boolean {
  const [source, target] = [valuesOf(from, fence, definitions), valuesOf(to, fence, definitions)];
  if (source === "unknown" || target === "unknown") return true;
  return source.some((one) => target.some((other) => one !== undefined && other !== undefined && one !== other));
}

/** Every value that the peer can have on one side of a fence; peers without a value are outside of it. */
type Values = readonly (string | undefined)[] | "unknown";

function valuesOf(peer: Peer, fence: FenceDimension, definitions: Definitions): Values {
  if (peer.by === "role" || peer.by === "segment")
    return valueOfSegment(segmentOf(peer, definitions), fence, definitions);
  if (peer.by === fence) return [peer.name];
  return valuesAmong(definitions, fence, (segment) => holds(peer, segment, definitions));
}

/** Whether some of the peer may be in the segment. Addresses, names and foreign identities are in none. */
function holds(peer: Peer, segment: Segment, definitions: Definitions): boolean {
  if (peer.by === "environment" || peer.by === "classification") return segment[peer.by] === peer.name;
  if (peer.by === "namespace") return owns(segment, peer.name, definitions);
  return peer.by === "entity" && peer.name === "any";
}

/** Names of the segments that some of the peer may be in. */
const segmentsOf = (peer: Peer, definitions: Definitions): readonly string[] =>
  definitions.segments
    .filter((segment) =>
      peer.by === "role" || peer.by === "segment"
        ? segment.name === segmentOf(peer, definitions)
        : holds(peer, segment, definitions),
    )
    .map(({ name }) => name);

const segmentOf = (peer: { readonly by: string; readonly name: string }, { roles }: Definitions): string | undefined =>
  peer.by === "segment" ? peer.name : roles.find(({ name }) => name === peer.name)?.segment;

const valueOfSegment = (name: string | undefined, fence: FenceDimension, definitions: Definitions): Values => {
  const segment = definitions.segments.find((each) => each.name === name);
  return segment ? [segment[fence]] : "unknown";
};

/** By name, or by the guarded label. */
const owns = (segment: Segment, namespace: string, { namespaces }: Definitions): boolean =>
  segment.namespaces.includes(namespace) ||
  namespaces.some(({ name, segment: label }) => name === namespace && label === segment.name);

const valuesAmong = (
  { segments }: Definitions,
  fence: FenceDimension,
  belongs: (segment: Segment) => boolean,
): Values => segments.filter(belongs).map((segment) => segment[fence]);
