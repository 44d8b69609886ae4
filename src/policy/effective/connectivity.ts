import type { FlowEnd, OutsideEnd, WorkloadEnd } from "../../domain/flow.ts";
import type { Instant } from "../../domain/instant.ts";
import { type Connection, connectivity, cutsOfWorld, type Pair, reachIn } from "../analysis/connectivity.ts";
import { type Focus, inFocus, onFocusPort } from "../analysis/focus.ts";
import type { Listing } from "../analysis/listing.ts";
import { type Scene, scenesOf } from "../analysis/scene.ts";
import type { Intent } from "../intent/intent.ts";
import { PORT_PASSAGES } from "../intent/passages.ts";
import { openPassages, sliceIntent } from "../intent/slices.ts";
import { type Endpoint, type Inside, isInside, type Outside } from "../model/endpoint.ts";
import type { World } from "../model/world.ts";
import { intersect } from "../sets/intervals.ts";
import type { PortSet } from "../sets/port-set.ts";
import { namedOutside, outsideEnd, withOurCuts } from "./outside.ts";

/** What a list of effective connectivity is made of. */
export type Joined = {
  readonly world: World;
  readonly intent: Intent;
  /** The end that a workload of the list is under our kinds. */
  readonly endOf: (endpoint: Inside) => WorkloadEnd;
  readonly now: Instant;
};

/** Lists who may reach whom under our kinds and the foreign policies together. */
export function listEffective(joined: Joined, focus: Focus, multipleNetworks: boolean): Listing {
  const sections = scenesOf(joined.world).map((scene) => ({
    scene,
    connections: effectiveConnections(joined, scene)
      .filter((connection) => inFocus(focus, connection) && onFocusPort(focus, connection.ports))
      .sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1)),
  }));
  return { sections, focus, multipleNetworks, warnings: [] };
}

const textOf = ({ source, destination }: Connection): string => `${source.text} => ${destination.text}`;

/** What is open on one network under both; only pairs with something open. */
export function effectiveConnections(joined: Joined, scene: Scene): readonly Connection[] {
  const named = scene.open ? namedOutside(joined.intent) : new Map<Outside, OutsideEnd>();
  const ours = oursIn(joined, named);
  const foreign = reachIn(scene);
  const inside = scene.members.map((member) => member.endpoint);
  const withNamed = [...named.keys()].flatMap((outer) =>
    inside.flatMap((inner) => [
      { source: outer, destination: inner },
      { source: inner, destination: outer },
    ]),
  );
  return [
    ...connectivity(joined.world, scene, withOurCuts(joined.intent, cutsOfWorld(joined.world))),
    ...withNamed.map((pair) => ({ ...pair, ports: foreign(pair) })),
  ]
    .map((pair) => (pair.ports.length === 0 ? pair : { ...pair, ports: intersect(pair.ports, ours(pair)) }))
    .filter(({ ports }) => ports.length > 0);
}

/** The ports that our kinds open between two ends of a list; ICMP is no matter of lists of ports. */
function oursIn({ intent, endOf, now }: Joined, named: ReadonlyMap<Endpoint, FlowEnd>): (pair: Pair) => PortSet {
  const ends = new Map<Endpoint, FlowEnd>(named);
  const end = (endpoint: Endpoint): FlowEnd => {
    const known = ends.get(endpoint) ?? (isInside(endpoint) ? endOf(endpoint) : outsideEnd(endpoint));
    ends.set(endpoint, known);
    return known;
  };
  return ({ source, destination }) =>
    intersect(openPassages(sliceIntent(intent, end(source), end(destination), now)), PORT_PASSAGES);
}
