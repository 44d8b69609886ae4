import { type Definitions, inForce } from "../../domain/catalogue.ts";
import type { Exception, Segment } from "../../domain/definitions.ts";
import type { FenceDimension, Peer } from "../../domain/sentences.ts";

/**
 * Whether an exception needs one person more than its trust domain asks for: it lets a workload out to its host, or crosses
 * a fence (product rules, "Approval"). What cannot be told counts as crossing.
 */
export function needsSecondPerson({ permit }: Exception, definitions: Definitions): boolean {
  if ("check" in permit) return true;
  const { from, to } = permit.sentence;
  const fences = new Set(definitions.guardrails.filter(inForce).flatMap((guardrail) => guardrail.fences));
  return [...fences].some((fence) => crosses(fence, from, to, definitions));
}

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
