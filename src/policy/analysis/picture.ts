import { type ClassId, type Evaluator, makeEvaluator } from "../evaluate/evaluator.ts";
import { type Slice, sliceDoor } from "../evaluate/slices.ts";
import { type Endpoint, isInside } from "../model/endpoint.ts";
import type { Direction } from "../model/policy.ts";
import type { World } from "../model/world.ts";
import { meet } from "../sets/address-set.ts";
import { NO_PORTS, type PortSet } from "../sets/port-set.ts";
import { type Connection, cutsOfWorld } from "./connectivity.ts";
import type { Section } from "./listing.ts";
import { type Way, waysTo } from "./openings.ts";
import { outsideRanges } from "./outside.ts";
import type { Member, Scene } from "./scene.ts";

/** One end in a picture: its class, on which side of a pair it can stand, and the ways of the ingress controller to it. */
export type PicturedEnd = {
  readonly endpoint: Endpoint;
  readonly class: ClassId;
  readonly side: "both" | "source" | "destination";
  readonly member?: Member;
  readonly ways: readonly Way[];
};

/**
 * One section of a list as a picture needs it: every end, what the list says is open from each to each, and how both
 * doors treat each pair of classes. A row of doors belongs to the class whose doors they are and holds, by the class of
 * the other end, an index into `doors`; equal doors stand there once.
 */
export type PicturedScene = {
  readonly scene: Scene;
  readonly ends: readonly PicturedEnd[];
  /** By source and destination, as they stand in `ends`. */
  readonly open: readonly (readonly PortSet[])[];
  readonly doors: readonly (readonly Slice[])[];
  readonly rows: Readonly<Record<Direction, readonly (readonly number[])[]>>;
};

/** The picture of a section; `narrowed` leaves out ends that stand in no line of it. */
export function pictureOf(world: World, section: Section, narrowed: boolean): PicturedScene {
  const { scene, connections } = section;
  const evaluator = makeEvaluator(scene.policies);
  const ends = endsOf(world, section, evaluator).filter(
    ({ endpoint, side }) => !narrowed || isIn(connections, endpoint, side),
  );
  const classes = 1 + Math.max(-1, ...ends.map((end) => end.class));
  const doors = new DoorTable();
  const row = (subject: ClassId, direction: Direction): readonly number[] =>
    Array.from({ length: classes }, (_, other) => doors.indexOf(sliceDoor(evaluator, subject, other, direction)));
  const rows = (direction: Direction) => Array.from({ length: classes }, (_, subject) => row(subject, direction));
  const open = openBetween(ends, connections);
  return { scene, ends, open, rows: { egress: rows("egress"), ingress: rows("ingress") }, doors: doors.all };
}

const isIn = (connections: readonly Connection[], { text }: Endpoint, side: PicturedEnd["side"]): boolean =>
  connections.some(
    ({ source, destination }) =>
      (side !== "destination" && source.text === text) || (side !== "source" && destination.text === text),
  );

function openBetween(
  ends: readonly PicturedEnd[],
  connections: readonly Connection[],
): readonly (readonly PortSet[])[] {
  const places = (side: "source" | "destination"): ReadonlyMap<string, number> =>
    new Map(
      ends.flatMap((end, place) => (end.side === "both" || end.side === side ? [[end.endpoint.text, place]] : [])),
    );
  const [sources, destinations] = [places("source"), places("destination")];
  const open = ends.map(() => ends.map(() => NO_PORTS));
  for (const { source, destination, ports } of connections) {
    const row = open[sources.get(source.text) ?? -1];
    const place = destinations.get(destination.text);
    if (row && place !== undefined) row[place] = ports;
  }
  return open;
}

function endsOf(world: World, { scene, connections }: Section, evaluator: Evaluator): readonly PicturedEnd[] {
  const members = scene.members.map((member) => ({
    endpoint: member.endpoint,
    class: evaluator.classOf(member.endpoint),
    side: "both" as const,
    member,
    ways: scene.open ? waysTo(world, member) : [],
  }));
  const others = (side: "source" | "destination"): readonly PicturedEnd[] =>
    strangers(world, scene, connections, side).map((endpoint) => ({
      endpoint,
      class: evaluator.classOf(endpoint),
      side,
      ways: [],
    }));
  return [...members, ...others("source"), ...others("destination")];
}

/** Who is no workload: those that lines name, and the ranges outside of which no line says anything. */
function strangers(
  world: World,
  scene: Scene,
  connections: readonly Connection[],
  side: "source" | "destination",
): readonly Endpoint[] {
  const named = new Map(connections.map((one) => [one[side].text, one[side]] as const).filter(isStranger));
  const cuts = cutsOfWorld(world)[side === "source" ? "ingress" : "egress"];
  const silent = (scene.open ? outsideRanges(cuts) : []).filter(
    (range) => ![...named.values()].some((one) => one.kind === "outside" && meet(one.addresses, range.addresses)),
  );
  const first = (end: Endpoint): number => (end.kind === "outside" ? (end.addresses.v4[0] ?? 0) : -1);
  return [...named.values(), ...silent].sort((a, b) => first(a) - first(b));
}

const isStranger = (entry: readonly [string, Endpoint]): boolean => !isInside(entry[1]) || entry[1].kind !== "workload";

/** Doors that treat all ports alike and for the same reasons are one. */
class DoorTable {
  readonly all: (readonly Slice[])[] = [];
  readonly #known = new Map<string, number>();
  readonly #numbers = new Map<object, number>();

  indexOf(slices: readonly Slice[]): number {
    const key = slices.map((slice) => this.#keyOf(slice)).join("|");
    const found = this.#known.get(key) ?? this.all.push(slices) - 1;
    this.#known.set(key, found);
    return found;
  }

  #keyOf({ ports, allowed, passes, because }: Slice): string {
    const rules = because.kind === "rules" ? because.rules : [];
    const by = because.kind === "isolated" ? because.by : [];
    const why = [
      ...rules.map(({ rule }) => this.#number(rule)),
      ...by.flatMap(({ policy, near }) => [this.#number(policy), ...near.map(({ rule }) => this.#number(rule))]),
    ];
    return `${ports.join()} ${allowed} ${passes.map(({ rule }) => this.#number(rule)).join()} ${because.kind} ${why.join()}`;
  }

  #number(thing: object): number {
    const number = this.#numbers.get(thing) ?? this.#numbers.size;
    this.#numbers.set(thing, number);
    return number;
  }
}
