import type { OutsideEnd } from "../../domain/flow.ts";
import { type Cuts, cutsOfWorld } from "../analysis/connectivity.ts";
import { outsideRanges } from "../analysis/outside.ts";
import type { Intent } from "../intent/intent.ts";
import type { Endpoint, Inside, Outside } from "../model/endpoint.ts";
import type { World } from "../model/world.ts";
import { type EffectiveEnd, outsideEndpoint, rangeOf } from "./end.ts";

/** The outside in parts that no rule tells apart, as whoever connects and as whoever is connected to. */
export type OutsideParts = {
  readonly sources: readonly EffectiveEnd<OutsideEnd>[];
  readonly destinations: readonly EffectiveEnd<OutsideEnd>[];
};

/** Cuts the outside wherever a rule of ours or of others does; names and identities that our lines name are parts too. */
export function outsideParts(intent: Intent, world: Pick<World, "policies">): OutsideParts {
  const cuts = withOurCuts(intent, cutsOfWorld(world));
  const named = [...namedOutside(intent)].map(([endpoint, end]) => ({ endpoint, end }));
  const ranges = (side: readonly number[]): readonly EffectiveEnd<OutsideEnd>[] =>
    outsideRanges(side).map((endpoint) => ({ endpoint, end: outsideEnd(endpoint) }));
  return { sources: [...ranges(cuts.ingress), ...named], destinations: [...ranges(cuts.egress), ...named] };
}

/** An outside endpoint of a list as our kinds see it. */
export function outsideEnd(endpoint: Exclude<Endpoint, Inside>): OutsideEnd {
  const addresses = endpoint.kind === "outside" ? rangeOf(endpoint) : undefined;
  return { kind: "outside", ...(addresses ? { addresses } : {}) };
}

/** Our lines name addresses too: the outside is cut there as well. */
export function withOurCuts(intent: Intent, cuts: Cuts): Cuts {
  const bounds = (side: "from" | "to", own: readonly number[]): readonly number[] => {
    const all = new Set(own);
    for (const { [side]: peer } of intent.lines) {
      if (peer.by !== "cidr" || peer.cidr.family !== 4) continue;
      all.add(Number(peer.cidr.first));
      all.add(Number(peer.cidr.last) + 1);
    }
    return [...all].sort((a, b) => a - b);
  };
  return { ingress: bounds("from", cuts.ingress), egress: bounds("to", cuts.egress) };
}

/** DNS names and federated identities that our lines name: ends of their own, whose addresses are not known. */
export function namedOutside(intent: Intent): ReadonlyMap<Outside, OutsideEnd> {
  const ends = new Map<string, OutsideEnd>();
  for (const peer of intent.lines.flatMap(({ from, to }) => [from, to])) {
    if (peer.by === "fqdn") ends.set(peer.name, { kind: "outside", dnsNames: [sampleName(peer.name)], identity: "" });
    if (peer.by === "externalIdentity")
      ends.set(peer.spiffeId, { kind: "outside", dnsNames: [], identity: peer.spiffeId });
  }
  return new Map([...ends].map(([text, end]) => [outsideEndpoint(text, undefined), end]));
}

/** A name that a pattern means. */
const sampleName = (pattern: string): string => pattern.replace(/^\*/, "any");
