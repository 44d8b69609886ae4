import type { FlowEnd, OutsideEnd } from "../../domain/flow.ts";
import type { FenceDimension, GrantedSentence, Peer, PortSpec } from "../../domain/sentences.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import type { OutsideParts } from "../effective/outside.ts";
import { meansEnd } from "../intent/match-end.ts";
import { valueOf } from "../intent/pair.ts";
import { EVERY_PASSAGE, type PassageSet, passagesOfAll } from "../intent/passages.ts";
import { intersect, uniteAll } from "../sets/intervals.ts";
import { hopsFrom, wayTo } from "./hops.ts";
import type { Reach } from "./matrix.ts";
import { forbiddenWay } from "./paths.ts";

/** A way that should not be: its ends in order. */
export type Way = readonly EffectiveEnd[];

/** What a proof looks at: all workloads, the outside in parts, and how far. */
export type Ground = {
  readonly reach: Reach;
  readonly outside: OutsideParts;
  readonly openBetween: (pair: readonly [EffectiveEnd, EffectiveEnd]) => PassageSet;
  /** Most hops that are looked at; infinite for all. */
  readonly hops: number;
};

/** Looks for a way between two values of a dimension, through whomever it leads; undefined proves that there is none. */
export function crossFence({ reach, hops }: Ground, dimension: FenceDimension): Way | undefined {
  const values = reach.ends.map(({ end }) => valueOf(end, dimension));
  const placesWith = (test: (value: string) => boolean): readonly number[] =>
    values.flatMap((one, place) => (one !== undefined && test(one) ? [place] : []));
  for (const value of new Set(values)) {
    if (value === undefined) continue;
    const to = new Set(placesWith((one) => one !== value));
    const way = forbiddenWay(reach, { from: placesWith((one) => one === value), to, on: EVERY_PASSAGE, hops });
    if (way) return alongPlaces(reach, way);
  }
  return undefined;
}

const alongPlaces = (reach: Reach, way: readonly number[]): Way => way.flatMap((place) => reach.ends[place] ?? []);

/** Who must not be reached, and how. */
type Target = {
  readonly workloads: ReadonlySet<number>;
  readonly outside: readonly EffectiveEnd<OutsideEnd>[];
  readonly on: readonly PortSpec[];
};

/** Looks for a way from one peer to another whose last hop is on the ports; undefined proves that there is none. */
export function breakMustNot(ground: Ground, { from, to, on }: GrantedSentence): Way | undefined {
  const { reach, outside } = ground;
  const target: Target = {
    workloads: new Set(placesMeant(reach, to)),
    outside: outside.destinations.filter(({ end }) => isMeant(to, end)),
    on,
  };
  const sources = outside.sources.filter(({ end }) => isMeant(from, end));
  const ways = [
    wayFrom(ground, placesMeant(reach, from), target, ground.hops),
    ...sources.map((source) => wayFromOutside(ground, source, target)),
  ];
  return ways.reduce((best, way) => (way && (!best || way.length < best.length) ? way : best), undefined);
}

/** Whoever perhaps is meant is looked at: a proof must not rest on what is not known. */
const isMeant = (peer: Peer, end: FlowEnd): boolean => meansEnd(peer, end) !== "no";

const placesMeant = (reach: Reach, peer: Peer): readonly number[] =>
  reach.ends.flatMap(({ end }, place) => (isMeant(peer, end) ? [place] : []));

function wayFrom(ground: Ground, from: readonly number[], target: Target, hops: number): Way | undefined {
  const { reach } = ground;
  const on = uniteAll([...target.workloads].map((place) => passagesTowards(reach.ends[place], target.on)));
  const inside =
    target.workloads.size === 0 ? undefined : forbiddenWay(reach, { from, to: target.workloads, on, hops });
  const outward = target.outside.length === 0 ? undefined : outwardWay(ground, from, target, hops);
  const way = inside && alongPlaces(reach, inside);
  return way && outward ? (outward.length < way.length ? outward : way) : (way ?? outward);
}

const passagesTowards = (end: EffectiveEnd | undefined, on: readonly PortSpec[]): PassageSet =>
  end ? passagesOfAll(on, end.end) : [];

/** A way whose last hop leaves the inventory. */
function outwardWay(ground: Ground, from: readonly number[], target: Target, hops: number): Way | undefined {
  const { reach } = ground;
  if (hops < 1) return undefined;
  const inner = hopsFrom(reach, from, hops - 1);
  const byEnd = new Map(inner.map((hop) => [hop.end, hop]));
  const walked = new Set<number>();
  for (const place of [...from, ...inner.map(({ end }) => end)]) {
    const id = reach.classes.classOf[place] ?? -1;
    const start = reach.ends[place];
    if (!start || walked.has(id)) continue;
    walked.add(id);
    const out = target.outside.find((end) => isOpen(ground, [start, end], target.on));
    if (out) return [...alongPlaces(reach, wayTo(byEnd, place)), out];
  }
  return undefined;
}

const isOpen = (ground: Ground, pair: readonly [EffectiveEnd, EffectiveEnd], on: readonly PortSpec[]): boolean =>
  intersect(ground.openBetween(pair), passagesTowards(pair[1], on)).length > 0;

/** A way whose first hop enters the inventory. */
function wayFromOutside(ground: Ground, source: EffectiveEnd<OutsideEnd>, target: Target): Way | undefined {
  const { reach, hops } = ground;
  const opened = reach.classes.members.map(([first = -1]) => {
    const end = reach.ends[first];
    return end ? ground.openBetween([source, end]) : [];
  });
  const openTo = (place: number): PassageSet => opened[reach.classes.classOf[place] ?? -1] ?? [];
  const direct = [...target.workloads].find(
    (place) => intersect(openTo(place), passagesTowards(reach.ends[place], target.on)).length > 0,
  );
  if (direct !== undefined) return [source, ...alongPlaces(reach, [direct])];
  const entries = reach.ends.flatMap((_end, place) => (openTo(place).length > 0 ? [place] : []));
  const way = wayFrom(ground, entries, target, hops - 1);
  return way && [source, ...way];
}
