import type { LabelSelector, Labels } from "../../domain/label-selector.ts";
import { type Endpoint, isInside } from "../model/endpoint.ts";
import type { PodSelector } from "../model/policy.ts";
import { type Bits, noBits, setBit } from "../reach/bits.ts";
import type { BoundRule, ClassId } from "./evaluator.ts";

/**
 * Whom a rule may mean among some endpoints, by their places: all whom it does, and whoever it perhaps does. `classes`:
 * the class of each. Whoever lacks what a selector asks for is not tried.
 */
export function meantAmong(endpoints: readonly Endpoint[], classes: readonly ClassId[]): (rule: BoundRule) => Bits {
  const candidates = candidatesAmong(endpoints);
  const isMeant = ({ match }: BoundRule, place: number): boolean => match(classes[place] ?? -1) !== "no";
  return (bound) => {
    const { peers } = bound.rule;
    const bits = noBits(endpoints.length);
    const some =
      peers === "anyone"
        ? [undefined]
        : peers.map((peer) => candidates(peer.kind === "pods" ? peer.selector : undefined));
    for (const places of some.includes(undefined) ? [endpoints.keys()] : some)
      for (const place of places ?? []) if (isMeant(bound, place)) setBit(bits, place);
    return bits;
  };
}

/** Whom a selector may mean, undefined: anybody. */
function candidatesAmong(
  endpoints: readonly Endpoint[],
): (selector: PodSelector | undefined) => Iterable<number> | undefined {
  const unsure = [...endpoints.keys()].filter((place) => endpoints[place]?.kind === "imagined");
  const traitsOf = (place: number) => {
    const endpoint = endpoints[place];
    return endpoint && isInside(endpoint) ? endpoint.traits : undefined;
  };
  const places = [...endpoints.keys()].filter((place) => traitsOf(place) !== undefined);
  const byName = Map.groupBy(places, (place) => traitsOf(place)?.namespace);
  const inNamespaces = holdersOf(places, (place) => traitsOf(place)?.namespaceLabels);
  const ofPods = holdersOf(places, (place) => traitsOf(place)?.labels);
  return (selector) => {
    if (!selector) return undefined;
    const { namespaces, pods } = selector;
    const found = [
      ...("name" in namespaces ? [byName.get(namespaces.name) ?? []] : inNamespaces(namespaces.selector)),
      ...ofPods(pods),
    ];
    const [first, ...rest] = found;
    const fewest = first && rest.reduce((least, one) => (one.length < least.length ? one : least), first);
    return fewest && [...fewest, ...unsure];
  };
}

/** For each requirement that names values, the places that have one of them. */
function holdersOf(places: readonly number[], labelsOf: (place: number) => Labels | undefined) {
  const holders = new Map<string, number[]>();
  for (const place of places)
    for (const [key, value] of Object.entries(labelsOf(place) ?? {})) {
      const list = holders.get(`${key}\n${value}`);
      if (list) list.push(place);
      else holders.set(`${key}\n${value}`, [place]);
    }
  return (selector: LabelSelector): readonly (readonly number[])[] =>
    selector
      .filter(({ operator }) => operator === "In")
      .map(({ key, values }) => values.flatMap((value) => holders.get(`${key}\n${value}`) ?? []));
}
