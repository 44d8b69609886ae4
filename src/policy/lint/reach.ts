import type { Problem } from "../../domain/problem.ts";
import { cutsOf, outsideRanges } from "../analysis/outside.ts";
import type { Scene } from "../analysis/scene.ts";
import {
  type BoundRule,
  type ClassId,
  type Door,
  type Ends,
  endsOf,
  type Evaluator,
  makeEvaluator,
} from "../evaluate/evaluator.ts";
import { actionOf } from "../evaluate/slices.ts";
import { DIRECTIONS, type Direction, type Policy, type Rule } from "../model/policy.ts";
import { intersect, subtract, unite } from "../sets/intervals.ts";
import { ALL_PORTS, NO_PORTS, type PortSet } from "../sets/port-set.ts";
import { finding, ruleOf, ruleText } from "./finding.ts";
import { duplicates } from "./twins.ts";

/** What became of a rule over all pairs of ends: whether it ever decided, and which rules stood before it. */
type Fate = {
  readonly policy: Policy;
  readonly rule: Rule;
  met: boolean;
  decided: boolean;
  readonly before: Set<BoundRule>;
};

/** What NetworkPolicy rules allow towards one pair of ends, where the admin tier left it open. */
type Grant = { readonly rule: Rule; readonly ports: PortSet };

/**
 * Rules that decide nothing because others come first (shadowed; contradicted where those say the opposite), and
 * NetworkPolicy rules whose removal would change nothing (redundant), over all networks together.
 */
export function reachFindings(policies: readonly Policy[], scenes: readonly Scene[]): readonly Problem[] {
  const fates = new Map<Rule, Fate>();
  const grants = scenes.flatMap((scene) => walkScene(scene, fates));
  return [...[...fates.values()].flatMap(hidden), ...redundant(policies, fates, grants)];
}

function walkScene(scene: Scene, fates: Map<Rule, Fate>): readonly (readonly Grant[])[] {
  const evaluator = makeEvaluator(scene.policies);
  const members = classesOf(evaluator, scene);
  return DIRECTIONS.flatMap((direction) => {
    const others = [...members, ...outsideClasses(evaluator, scene, direction)];
    return members.flatMap((subject) => {
      const door = evaluator.door(subject, direction);
      if (!door || door.admin.length + door.network.length + door.baseline.length === 0) return [];
      return others.map((other) => walk(door, endsOf(direction, subject, other), fates));
    });
  });
}

const classesOf = (evaluator: Evaluator, scene: Scene): readonly ClassId[] => [
  ...new Set(scene.members.map(({ endpoint }) => evaluator.classOf(endpoint))),
];

const outsideClasses = (evaluator: Evaluator, scene: Scene, direction: Direction): readonly ClassId[] =>
  scene.open ? outsideRanges(cutsOf(scene.policies, direction)).map((range) => evaluator.classOf(range)) : [];

/** Walks one door for one other end, books what each rule decides, and gives what NetworkPolicies allow. */
function walk(door: Door, ends: Ends, fates: Map<Rule, Fate>): Grant[] {
  const left = walkTier(door.admin, ends, ALL_PORTS, fates);
  const grants: Grant[] = [];
  for (const bound of door.network.flatMap(({ rules }) => rules)) {
    if (bound.match(ends.other) !== "yes") continue;
    const ports = bound.ports(ends.destination);
    const open = intersect(ports, left);
    const before = () => blockers(door.admin, ends, ports);
    book(fates, bound, { asked: ports, hit: open, before });
    if (open.length > 0) grants.push({ rule: bound.rule, ports: open });
  }
  if (door.network.length === 0) walkTier(door.baseline, ends, left, fates);
  return grants;
}

/** Gives the ports that the tier leaves open to what comes after it. */
function walkTier(rules: readonly BoundRule[], ends: Ends, entering: PortSet, fates: Map<Rule, Fate>): PortSet {
  let open = entering;
  let passed = NO_PORTS;
  for (const [index, bound] of rules.entries()) {
    const action = actionOf(bound, ends.other);
    if (action === undefined) continue;
    const ports = bound.ports(ends.destination);
    const hit = intersect(ports, open);
    const before = () => blockers(rules.slice(0, index), ends, ports);
    book(fates, bound, { asked: intersect(ports, entering), hit, before });
    if (action === "pass") passed = unite(passed, hit);
    open = subtract(open, hit);
  }
  return unite(open, passed);
}

/** What a rule asked for when it was met, what of that it decided, and which rules stood before it. */
type Meeting = { readonly asked: PortSet; readonly hit: PortSet; readonly before: () => readonly BoundRule[] };

function book(fates: Map<Rule, Fate>, bound: BoundRule, { asked, hit, before }: Meeting): void {
  if (asked.length === 0) return;
  const { policy, rule } = bound;
  const fate = fates.get(rule) ?? { policy, rule, met: false, decided: false, before: new Set<BoundRule>() };
  fates.set(rule, fate);
  fate.met = true;
  if (hit.length > 0) fate.decided = true;
  else if (!fate.decided) for (const one of before()) fate.before.add(one);
}

const blockers = (rules: readonly BoundRule[], { other, destination }: Ends, ports: PortSet): readonly BoundRule[] =>
  rules.filter(
    (bound) => actionOf(bound, other) !== undefined && intersect(bound.ports(destination), ports).length > 0,
  );

/** A rule that met somebody and never decided. */
function hidden({ policy, rule, met, decided, before }: Fate): readonly Problem[] {
  if (!met || decided) return [];
  const first = [...before].filter((bound) => bound.rule.action !== "pass" || policy.tier !== "network");
  const opposite = first.filter(
    (bound) => bound.rule.action !== rule.action && bound.rule.action !== "pass" && rule.action !== "pass",
  );
  const names = (opposite.length > 0 ? opposite : first).slice(0, 3).map((bound) => ruleOf(bound.policy, bound.rule));
  const text = ruleText(rule).replace(/^./, (letter) => letter.toUpperCase());
  return opposite.length > 0
    ? [
        finding(
          "POLICY_CONTRADICTION",
          { policy, path: rule.path },
          `${text} says the opposite of ${names.join(" and ")}, which comes first; it never decides.`,
          "Delete one of the two, or change their order.",
        ),
      ]
    : [
        finding(
          "POLICY_SHADOWED",
          { policy, path: rule.path },
          `${text} never decides: ${names.join(" and ")} comes first.`,
          "Delete it, or move it before those.",
        ),
      ];
}

/** NetworkPolicy rules that others make superfluous, the later ones first, so that of two equal ones the earlier stays. */
function redundant(
  policies: readonly Policy[],
  fates: ReadonlyMap<Rule, Fate>,
  grants: readonly (readonly Grant[])[],
): readonly Problem[] {
  const twins = duplicates(policies);
  const gone = new Set<Rule>();
  const granted = new Map<Rule, (readonly Grant[])[]>();
  for (const pair of grants) for (const { rule } of pair) granted.set(rule, [...(granted.get(rule) ?? []), pair]);
  const candidates = [...fates.values()].filter(
    ({ policy, decided }) => decided && policy.tier === "network" && !twins.has(policy),
  );
  return candidates.toReversed().flatMap(({ policy, rule }) => {
    const pairs = granted.get(rule) ?? [];
    if (pairs.length === 0 || !pairs.every((pair) => coveredWithout(rule, pair, gone))) return [];
    gone.add(rule);
    const by = [...new Set(pairs.flatMap((pair) => pair.map((one) => one.rule)))]
      .filter((one) => !gone.has(one))
      .slice(0, 3);
    const names = by.flatMap((one) => {
      const fate = fates.get(one);
      return fate ? [ruleOf(fate.policy, one)] : [];
    });
    const text = ruleText(rule).replace(/^./, (letter) => letter.toUpperCase());
    return [
      finding(
        "POLICY_REDUNDANT",
        { policy, path: rule.path },
        `${text} allows nothing that ${names.join(" and ")} would not allow without it.`,
        "Delete the rule.",
      ),
    ];
  });
}

function coveredWithout(rule: Rule, pair: readonly Grant[], gone: ReadonlySet<Rule>): boolean {
  const own = pair
    .filter((grant) => grant.rule === rule)
    .reduce<PortSet>((ports, grant) => unite(ports, grant.ports), NO_PORTS);
  const rest = pair
    .filter((grant) => grant.rule !== rule && !gone.has(grant.rule))
    .reduce<PortSet>((ports, grant) => unite(ports, grant.ports), NO_PORTS);
  return subtract(own, rest).length === 0;
}
