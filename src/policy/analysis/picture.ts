import { type ClassId, type Evaluator, makeEvaluator } from "../evaluate/evaluator.ts";
import { type Slice, sliceDoor } from "../evaluate/slices.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { Direction } from "../model/policy.ts";
import type { World } from "../model/world.ts";
import { type Cuts, cutsOfWorld } from "./connectivity.ts";
import { INGRESS_CONTROLLER, type Way, waysTo } from "./openings.ts";
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
 * One network as a picture needs it: every end, and for each pair of classes how both doors treat it. A row belongs to the
 * class whose door it is and holds, by the class of the other end, an index into `doors`; equal doors stand there once.
 */
export type PicturedScene = {
  readonly scene: Scene;
  readonly ends: readonly PicturedEnd[];
  readonly doors: readonly (readonly Slice[])[];
  readonly rows: Readonly<Record<Direction, readonly (readonly number[])[]>>;
};

/** Everything that a picture of a network shows, allowed or denied, with the reasons. */
export function pictureOf(world: World, scene: Scene): PicturedScene {
  const evaluator = makeEvaluator(scene.policies);
  const ends = endsOf(world, scene, evaluator, cutsOfWorld(world));
  const classes = 1 + Math.max(-1, ...ends.map((end) => end.class));
  const doors = new DoorTable();
  const row = (subject: ClassId, direction: Direction): readonly number[] =>
    Array.from({ length: classes }, (_, other) => doors.indexOf(sliceDoor(evaluator, subject, other, direction)));
  const rows = (direction: Direction) => Array.from({ length: classes }, (_, subject) => row(subject, direction));
  return { scene, ends, rows: { egress: rows("egress"), ingress: rows("ingress") }, doors: doors.all };
}

function endsOf(world: World, scene: Scene, evaluator: Evaluator, cuts: Cuts): readonly PicturedEnd[] {
  const end = (endpoint: Endpoint, side: PicturedEnd["side"]): PicturedEnd => ({
    endpoint,
    class: evaluator.classOf(endpoint),
    side,
    ways: [],
  });
  const members = scene.members.map((member) => ({
    ...end(member.endpoint, "both"),
    member,
    ways: scene.open ? waysTo(world, member) : [],
  }));
  const isOpened = members.some(({ ways }) => ways.length > 0);
  return [
    ...members,
    ...(isOpened ? [end(INGRESS_CONTROLLER, "source")] : []),
    ...(scene.open ? outsideRanges(cuts.ingress).map((range) => end(range, "source")) : []),
    ...(scene.open ? outsideRanges(cuts.egress).map((range) => end(range, "destination")) : []),
  ];
}

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
