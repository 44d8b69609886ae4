import { type Problem, problem } from "../../domain/problem.ts";
import { type ClassId, type Evaluator, makeEvaluator } from "../evaluate/evaluator.ts";
import { allowedPorts } from "../evaluate/slices.ts";
import { type Endpoint, isInside, workloadText } from "../model/endpoint.ts";
import type { Direction } from "../model/policy.ts";
import type { World } from "../model/world.ts";
import { intersect, uniteAll } from "../sets/intervals.ts";
import type { PortSet } from "../sets/port-set.ts";
import { INGRESS_CONTROLLER, waysTo } from "./openings.ts";
import { cutsOf, outsideRanges } from "./outside.ts";
import type { Scene } from "./scene.ts";

/** Who may reach whom on which ports; only pairs with something allowed are listed. */
export type Connection = { readonly source: Endpoint; readonly destination: Endpoint; readonly ports: PortSet };

/** A pair of ends that an analysis looks at. */
export type Pair = { readonly source: Endpoint; readonly destination: Endpoint };

/** Where the outside is cut: as a source by ingress rules, as a destination by egress rules. */
export type Cuts = Readonly<Record<Direction, readonly number[]>>;

/** The cuts that a world's own policies make. */
export const cutsOfWorld = (world: Pick<World, "policies">): Cuts => ({
  ingress: cutsOf(world.policies, "ingress"),
  egress: cutsOf(world.policies, "egress"),
});

/** All pairs of a network: workloads with each other, and with the outside. */
export function pairsOf(scene: Scene, cuts: Cuts): readonly Pair[] {
  const inside = scene.members.map((member) => member.endpoint);
  const sources = scene.open ? outsideRanges(cuts.ingress) : [];
  const destinations = scene.open ? outsideRanges(cuts.egress) : [];
  return [
    ...sources.flatMap((source) => inside.map((destination) => ({ source, destination }))),
    ...inside.flatMap((source) => [
      ...destinations.map((destination) => ({ source, destination })),
      ...inside.filter((other) => other !== source).map((destination) => ({ source, destination })),
    ]),
  ];
}

/** Everything that policies allow on one network, the ways of the ingress controller included. */
export function connectivity(world: World, scene: Scene, cuts: Cuts = cutsOfWorld(world)): readonly Connection[] {
  const reach = reachIn(scene);
  const direct = pairsOf(scene, cuts).map((pair) => ({ ...pair, ports: reach(pair) }));
  const through = controllerPairs(world, scene).map(({ ports, ...pair }) => ({
    ...pair,
    ports: intersect(reach(pair), ports),
  }));
  return [...direct, ...through].filter(({ ports }) => ports.length > 0);
}

/** The ports between two ends, computed once for each pair of classes. */
export function reachIn(scene: Scene, evaluator: Evaluator = makeEvaluator(scene.policies)): (pair: Pair) => PortSet {
  const known = new Map<number, PortSet>();
  const classes = new Map<Endpoint, ClassId>();
  const classOf = (endpoint: Endpoint): ClassId => {
    const id = classes.get(endpoint) ?? evaluator.classOf(endpoint);
    classes.set(endpoint, id);
    return id;
  };
  return ({ source, destination }) => {
    const [from, to] = [classOf(source), classOf(destination)];
    const key = from * 2 ** 26 + to;
    const ports = known.get(key) ?? allowedPorts(evaluator, from, to);
    known.set(key, ports);
    return ports;
  };
}

/** The workloads that the ingress controller is led to, and the ports. */
function controllerPairs(world: World, scene: Scene): readonly Connection[] {
  if (!scene.open) return [];
  return scene.members.flatMap((member) => {
    const ways = waysTo(world, member);
    if (ways.length === 0) return [];
    return [
      { source: INGRESS_CONTROLLER, destination: member.endpoint, ports: uniteAll(ways.map((way) => way.ports)) },
    ];
  });
}

/** A warning for every workload that an Ingress or Route opens and policies close. */
export function blockedOpenings(world: World, scene: Scene): readonly Problem[] {
  const reach = reachIn(scene);
  return controllerPairs(world, scene).flatMap(({ ports, ...pair }) =>
    intersect(reach(pair), ports).length > 0 || !isInside(pair.destination)
      ? []
      : [
          problem(
            "INGRESS_BLOCKED",
            "",
            `An Ingress or Route leads to ${workloadText(pair.destination.name)}, but no connection of it is allowed by policies.`,
          ),
        ],
  );
}
