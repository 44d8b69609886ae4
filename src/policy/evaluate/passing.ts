import { remembered } from "../../domain/remembered.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { type Direction, DIRECTIONS, type Rule } from "../model/policy.ts";
import { addAll, type Bits, bitCount, both, eachBit, hasBit, noBits, placesWhere, setBit } from "../reach/bits.ts";
import type { BoundRule, ClassId, Door, Evaluator } from "./evaluator.ts";
import { meantAmong } from "./meant-by.ts";

/** What policies make of some endpoints, in their order, before any pair of them is looked at. */
export type Passing = {
  /** For each those, by their places, to whom policies may let something through: all to whom they do, and maybe more. */
  readonly rows: readonly Bits[];
  /** What passes from one endpoint to another is the same for all of their sorts, but for the pairs in `touched`. */
  readonly sorts: readonly string[];
  /** For each those whom a rule that is about few pairs may mean between the two. */
  readonly touched: readonly Bits[];
};

/** Rules that say the same in one direction: at whose doors they stand, and whom they may mean. */
type Standing = { readonly direction: Direction; readonly first: BoundRule; readonly at: Bits; readonly meant: Bits };

/** A rule for more than so many times as many pairs as there are endpoints parts them into sorts. */
const FEW = 2;

/** Looks at policies rule by rule, so that most pairs of endpoints need no look of their own; `few` weighs only what that costs. */
export function passing(evaluator: Evaluator, endpoints: readonly Endpoint[], few = FEW): Passing {
  const places = { evaluator, classes: endpoints.map(evaluator.classOf) };
  const rules = rulesAt(places, meantAmong(endpoints, places.classes));
  const isWide = ({ at, meant }: Standing): boolean => bitCount(at) * bitCount(meant) > few * endpoints.length;
  const wide = new Map([...rules].filter(([, rule]) => isWide(rule)));
  const touched = endpoints.map(() => noBits(endpoints.length));
  for (const [key, rule] of rules) if (!wide.has(key)) for (const [from, to] of crossed(rule)) addTo(touched, from, to);
  return { rows: rowsOf(places, rules), sorts: sortsBy(places, wide), touched };
}

/** Endpoints by their places, as the evaluator knows them. */
type Places = { readonly evaluator: Evaluator; readonly classes: readonly ClassId[] };

const doorAt = ({ evaluator, classes }: Places, place: number, direction: Direction): Door | undefined =>
  evaluator.door(classes[place] ?? -1, direction);

const rulesIn = ({ admin, network, baseline }: Door): readonly BoundRule[] => [
  ...admin,
  ...network.flatMap(({ rules }) => rules),
  ...baseline,
];

/** What a rule says, whatever object it stands in. */
const keyOf = ({ policy: { kind, tier, seesHostNetwork }, rule }: BoundRule, direction: Direction): string =>
  `${direction} ${kind} ${tier} ${seesHostNetwork} ${ruleText(rule)}`;

const ruleText = remembered(({ action, peers, ports }: Rule): string =>
  JSON.stringify([action, peers, ports], (key, value: unknown) =>
    key === "path" ? undefined : typeof value === "bigint" ? String(value) : value,
  ),
);

function rulesAt(places: Places, meantBy: (rule: BoundRule) => Bits): ReadonlyMap<string, Standing> {
  const rules = new Map<string, Standing>();
  for (const direction of DIRECTIONS)
    for (const place of places.classes.keys()) {
      const door = doorAt(places, place, direction);
      for (const bound of door ? rulesIn(door) : []) {
        const key = keyOf(bound, direction);
        const known = rules.get(key) ?? {
          direction,
          first: bound,
          at: noBits(places.classes.length),
          meant: meantBy(bound),
        };
        setBit(known.at, place);
        rules.set(key, known);
      }
    }
  return rules;
}

/** The pairs that a rule is about: each source with all its destinations. */
function crossed({ direction, at, meant }: Standing): readonly (readonly [from: number, to: Bits])[] {
  const [sources, destinations] = direction === "egress" ? [at, meant] : [meant, at];
  const pairs: (readonly [number, Bits])[] = [];
  eachBit(sources, (from) => pairs.push([from, destinations]));
  return pairs;
}

const addTo = (rows: readonly Bits[], place: number, bits: Bits): void => {
  const row = rows[place];
  if (row) addAll(row, bits);
};

/** Only a door that NetworkPolicies guard is closed but for what rules allow; all others may be open. */
function rowsOf(places: Places, rules: ReadonlyMap<string, Standing>): readonly Bits[] {
  const { classes } = places;
  const free = (direction: Direction): Bits =>
    placesWhere(classes, (_class, place) => (doorAt(places, place, direction)?.network.length ?? 0) === 0);
  const [leaving, entered] = [free("egress"), free("ingress")];
  const everyone = placesWhere(classes, () => true);
  const out = classes.map((_class, place) => (hasBit(leaving, place) ? everyone : noBits(classes.length)));
  const into = classes.map(() => entered.slice());
  for (const rule of rules.values())
    if (rule.first.rule.action === "allow")
      for (const [from, to] of crossed(rule)) addTo(rule.direction === "egress" ? out : into, from, to);
  return out.map((row, place) => both(row, into[place] ?? row));
}

/** By how its doors are closed, the wide rules that stand at them, in their order, and those that mean it. */
function sortsBy(places: Places, wide: ReadonlyMap<string, Standing>): readonly string[] {
  const numbers = new Map([...wide.keys()].map((key, number) => [key, number]));
  const met: string[][] = places.classes.map(() => []);
  for (const [key, { first, meant }] of wide)
    eachBit(meant, (place) => {
      const id = places.classes[place] ?? -1;
      met[place]?.push(`${numbers.get(key)}${first.match(id)}${namedPorts(first, id)}`);
    });
  const doorText = (place: number, direction: Direction): string => {
    const door = doorAt(places, place, direction);
    if (!door) return "none";
    const id = places.classes[place] ?? -1;
    const standing = rulesIn(door).flatMap((bound) => {
      const number = numbers.get(keyOf(bound, direction));
      return number === undefined ? [] : [`${number}${namedPorts(bound, id)}`];
    });
    return `${door.network.length > 0 ? "closed" : "open"} ${standing.join()}`;
  };
  return places.classes.map(
    (_class, place) => `${doorText(place, "egress")}|${doorText(place, "ingress")}|${met[place]?.join() ?? ""}`,
  );
}

/** What named ports lead to at a destination. */
const namedPorts = ({ rule, ports }: BoundRule, id: ClassId): string =>
  rule.ports !== "all" && rule.ports.some(({ kind }) => kind === "named") ? `(${ports(id).join()})` : "";
