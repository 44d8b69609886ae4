import type { Direction } from "../model/policy.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { type Bits, eachBit, hasBit, noBits, setBit } from "../reach/bits.ts";
import type { BoundRule, ClassId, Evaluator } from "./evaluator.ts";

/**
 * For each endpoint those, by their places, to whom policies may let something through: all to whom they do, and maybe more.
 * A door that NetworkPolicies guard is looked at by its rules, so that most pairs need no look of their own.
 */
export function mayPass(evaluator: Evaluator, endpoints: readonly Endpoint[]): readonly Bits[] {
  const classes = endpoints.map(evaluator.classOf);
  const places = Map.groupBy(classes.keys(), (place) => classes[place]);
  const matched = new Map<BoundRule, Bits>();
  const meantBy = (rule: BoundRule): Bits => {
    const known = matched.get(rule) ?? noBits(endpoints.length);
    if (matched.has(rule)) return known;
    matched.set(rule, known);
    for (const [id, all] of places)
      if (id !== undefined && rule.match(id) !== "no") for (const place of all) setBit(known, place);
    return known;
  };
  const openBy = (id: ClassId, direction: Direction): Bits | undefined => {
    const door = evaluator.door(id, direction);
    if (!door || door.network.length === 0) return undefined;
    const open = noBits(endpoints.length);
    for (const bound of [...door.admin, ...door.network.flatMap(({ rules }) => rules)])
      if (bound.rule.action === "allow") eachBit(meantBy(bound), (place) => setBit(open, place));
    return open;
  };
  const doors = (direction: Direction): readonly (Bits | undefined)[] => {
    const known = new Map([...new Set(classes)].map((id) => [id, openBy(id, direction)] as const));
    return classes.map((id) => known.get(id));
  };
  const [egress, ingress] = [doors("egress"), doors("ingress")];
  return egress.map((open, from) => {
    const row = noBits(endpoints.length);
    const enter = (to: number): void => {
      const door = ingress[to];
      if (!door || hasBit(door, from)) setBit(row, to);
    };
    if (open) eachBit(open, enter);
    else for (const to of endpoints.keys()) enter(to);
    return row;
  });
}
