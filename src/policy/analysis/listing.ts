import type { Problem } from "../../domain/problem.ts";
import type { World } from "../model/world.ts";
import { blockedOpenings, type Connection, connectivity } from "./connectivity.ts";
import { type Focus, focusWarnings, inFocus, onFocusPort } from "./focus.ts";
import { namedPortWarnings } from "./named-ports.ts";
import { type Scene, scenesOf } from "./scene.ts";
import { unknownAddressWarnings } from "./unknown-addresses.ts";

/** The connectivity of one network, as far as it was asked for, in the order of its lines. */
export type Section = { readonly scene: Scene; readonly connections: readonly Connection[] };

/** The connectivity of a folder: one section for each network, the Pod network first. */
export type Listing = {
  readonly sections: readonly Section[];
  readonly focus: Focus;
  readonly multipleNetworks: boolean;
  readonly warnings: readonly Problem[];
};

/** Lists who may reach whom. */
export function listConnectivity(world: World, focus: Focus, multipleNetworks: boolean): Listing {
  const scenes = scenesOf(world);
  return {
    sections: scenes.map((scene) => ({
      scene,
      connections: connectivity(world, scene)
        .filter((connection) => inFocus(focus, connection) && onFocusPort(focus, connection.ports))
        .sort(byText),
    })),
    focus,
    multipleNetworks,
    warnings: [...listWarnings(world, scenes), ...focusWarnings(focus, scenes, world.openings.length > 0)],
  };
}

/** What evaluating brings to light: openings that policies close, and named ports that match nothing. */
const listWarnings = (world: World, scenes: readonly Scene[]): readonly Problem[] =>
  scenes.flatMap((scene) => [
    ...blockedOpenings(world, scene),
    ...namedPortWarnings(scene),
    ...unknownAddressWarnings(scene),
  ]);

const byText = (a: Connection, b: Connection): number => {
  const [left, right] = [`${a.source.text} => ${a.destination.text}`, `${b.source.text} => ${b.destination.text}`];
  return left < right ? -1 : left > right ? 1 : 0;
};
