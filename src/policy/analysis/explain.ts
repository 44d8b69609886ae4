import { makeEvaluator } from "../evaluate/evaluator.ts";
import { type Slice, sliceDoor } from "../evaluate/slices.ts";
import { type Endpoint, workloadText } from "../model/endpoint.ts";
import type { World } from "../model/world.ts";
import { intersect, subtract, uniteAll } from "../sets/intervals.ts";
import { ALL_PORTS, NO_PORTS, type PortSet, portRange } from "../sets/port-set.ts";
import { cutsOfWorld, type Pair, pairsOf } from "./connectivity.ts";
import { type Focus, inFocus } from "./focus.ts";
import { INGRESS_CONTROLLER, type Way, waysTo } from "./openings.ts";
import { type NetworkName, type Scene, scenesOf } from "./scene.ts";

/** Ports of a pair that both doors treat alike, and why each does. */
export type Reasoned = {
  readonly ports: PortSet;
  readonly allowed: boolean;
  readonly egress: Slice;
  readonly ingress: Slice;
  /** For the ingress controller: the ways that lead to these ports, or those that lead to others only. */
  readonly through?: { readonly open: boolean; readonly ways: readonly Way[] };
};

/** Why a pair may talk on some ports and not on others; `isolatedBy` if they share no network. */
export type Explanation = Pair & {
  readonly parts: readonly Reasoned[];
  readonly isolatedBy?: {
    readonly ports: PortSet;
    readonly ends: readonly { readonly network: NetworkName; readonly end: Endpoint }[];
  };
};

/** The explanations of one network. */
export type ExplainedScene = { readonly scene: Scene; readonly explanations: readonly Explanation[] };

/** Which half of the verdicts is asked for. */
export type Half = "allow" | "deny";

/** Explains every pair that is asked for, network by network. */
export function explainConnectivity(world: World, focus: Focus, half?: Half): readonly ExplainedScene[] {
  const scenes = scenesOf(world);
  const cuts = cutsOfWorld(world);
  return scenes.map((scene) => {
    const reason = reasonIn(scene, focus, half);
    const direct = pairsOf(scene, cuts).map((pair): Explanation => ({ ...pair, parts: reason(pair) }));
    const controlled = scene.open ? controllerExplanations(world, scene, reason) : [];
    const isolated = focus.conn && half !== "allow" ? isolatedPairs(scene, scenes, focus) : [];
    const all = [...direct, ...controlled, ...isolated].filter((one) => inFocus(focus, one));
    return { scene, explanations: all.filter((one) => one.parts.length > 0 || one.isolatedBy).sort(byText) };
  });
}

const byText = (a: Pair, b: Pair): number => (textOf(a) < textOf(b) ? -1 : textOf(a) > textOf(b) ? 1 : 0);
const textOf = ({ source, destination }: Pair): string => `${source.text} => ${destination.text}`;

type Reason = (pair: Pair, ways?: readonly Way[]) => readonly Reasoned[];

function reasonIn(scene: Scene, focus: Focus, half: Half | undefined): Reason {
  const evaluator = makeEvaluator(scene.policies);
  const asked = askedPorts(focus);
  return ({ source, destination }, ways) => {
    const [from, to] = [evaluator.classOf(source), evaluator.classOf(destination)];
    const doors = crossed(sliceDoor(evaluator, from, to, "egress"), sliceDoor(evaluator, to, from, "ingress"));
    const parts = ways ? doors.flatMap((part) => throughWays(part, ways)) : doors;
    return parts
      .map((part) => ({ ...part, ports: intersect(part.ports, asked) }))
      .filter(({ ports, allowed }) => ports.length > 0 && (half === undefined || allowed === (half === "allow")));
  };
}

const askedPorts = ({ conn }: Focus): PortSet => (conn ? portRange(conn.protocol, conn.port, conn.port) : ALL_PORTS);

const crossed = (egress: readonly Slice[], ingress: readonly Slice[]): readonly Reasoned[] =>
  egress.flatMap((out) =>
    ingress.map((into) => ({
      ports: intersect(out.ports, into.ports),
      allowed: out.allowed && into.allowed,
      egress: out,
      ingress: into,
    })),
  );

/** Parts ports further by which Ingress and Route objects lead to them. */
function throughWays(part: Reasoned, ways: readonly Way[]): readonly Reasoned[] {
  let open: { ports: PortSet; ways: readonly Way[] }[] = [{ ports: part.ports, ways: [] }];
  for (const way of ways)
    open = open.flatMap((one) => [
      { ports: subtract(one.ports, way.ports), ways: one.ways },
      { ports: intersect(one.ports, way.ports), ways: [...one.ways, way] },
    ]);
  return open.map(({ ports, ways: leading }) => ({
    ...part,
    ports,
    allowed: part.allowed && leading.length > 0,
    through: { open: leading.length > 0, ways: leading.length > 0 ? leading : ways },
  }));
}

const controllerExplanations = (world: World, scene: Scene, reason: Reason): readonly Explanation[] =>
  scene.members.flatMap((member) => {
    const ways = mergedWays(waysTo(world, member));
    const pair = { source: INGRESS_CONTROLLER, destination: member.endpoint };
    return ways.length === 0 ? [] : [{ ...pair, parts: reason(pair, ways) }];
  });

/** One way for each object and service, in the order of their names. */
function mergedWays(ways: readonly Way[]): readonly Way[] {
  const merged = new Map<string, Way>();
  for (const way of ways) {
    const key = `${way.opening.kind} ${way.opening.namespace}/${way.opening.name} ${way.service}`;
    const earlier = merged.get(key)?.ports ?? NO_PORTS;
    merged.set(key, { ...way, ports: uniteAll([earlier, way.ports]) });
  }
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, way]) => way);
}

/** Pairs across primary networks: nothing is open between them, whatever policies say. */
function isolatedPairs(scene: Scene, scenes: readonly Scene[], focus: Focus): readonly Explanation[] {
  if (!scene.open) return [];
  const others = scenes.filter((other) => other.open && other !== scene);
  return scene.members
    .flatMap(({ endpoint: source }) =>
      others.flatMap((other) =>
        other.members.map(({ endpoint: destination }) => ({
          source,
          destination,
          parts: [],
          isolatedBy: {
            ports: askedPorts(focus),
            ends: [
              { network: scene.network, end: source },
              { network: other.network, end: destination },
            ].filter(({ network }) => network.kind !== "pod-network"),
          },
        })),
      ),
    )
    .filter((pair) => workloadText(pair.source.name) !== workloadText(pair.destination.name) && inFocus(focus, pair));
}

/** Whether nothing but the absence of policies opens the whole pair. */
export const isWhollyDefault = ({ parts }: Explanation): boolean =>
  parts.length === 1 && parts.every((part) => part.ports.join() === ALL_PORTS.join() && isDefault(part));

/** Whether neither door has a policy that says anything. */
export const isDefault = ({ egress, ingress, through }: Reasoned): boolean =>
  !through && [egress, ingress].every((slice) => slice.because.kind === "default" && slice.passes.length === 0);
