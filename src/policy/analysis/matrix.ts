import type { World } from "../model/world.ts";
import { holds } from "../sets/intervals.ts";
import { portKey } from "../sets/port-set.ts";
import { reachIn } from "./connectivity.ts";
import type { OnePort } from "./focus.ts";
import { scenesOf } from "./scene.ts";

/** One cell: whether a Pod reaches a Pod. */
export type Cell = { readonly source: string; readonly destination: string; readonly allowed: boolean };

/** Every Pod with every Pod of its network, on one port. A Pod reaches itself, as no policy stands in between. */
export function podMatrix(world: World, port: OnePort): readonly Cell[] {
  const key = portKey(port.protocol, port.port);
  return scenesOf(world, "pod").flatMap((scene) => {
    const reach = reachIn(scene);
    const pods = scene.members.map((member) => member.endpoint);
    return pods.flatMap((source) =>
      pods.map((destination) => ({
        source: `${source.name.namespace}/${source.name.name}`,
        destination: `${destination.name.namespace}/${destination.name.name}`,
        allowed: source === destination || holds(reach({ source, destination }), key),
      })),
    );
  });
}
