import type { WorkloadEnd } from "../../domain/flow.ts";
import type { Instant } from "../../domain/instant.ts";
import { ok, type Result } from "../../domain/problem.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import type { Intent } from "../intent/intent.ts";
import type { Policy } from "../model/policy.ts";
import type { Unevaluated } from "../model/world.ts";
import { compare, type Comparison, type Difference } from "./compare.ts";
import { type Doors, doorsOf, type Site } from "./doors.ts";
import { lossesOf } from "./explain.ts";
import { fieldOf } from "./field.ts";
import type { Case } from "./judge.ts";
import type { Loss } from "./loss.ts";
import { exhausted, mayBePods, passedBy, standingLosses, unread, unreadData } from "./standing.ts";
import { waiversIn } from "./waiver.ts";
import { type Compiled, load, type LoadedPlane, type TargetName, TARGETS } from "./targets.ts";

/** What is compiled, for which targets, and beside what. */
export type Order = {
  readonly intent: Intent;
  readonly site: Site;
  readonly targets: readonly TargetName[];
  /** Policies that are not ours and stay. */
  readonly foreign: readonly Policy[];
  /** Policies that are not ours either, and that nobody here can read; absent: none. */
  readonly unevaluated?: readonly Unevaluated[];
  readonly members: readonly EffectiveEnd<WorkloadEnd>[];
  readonly now: Instant;
};

/** Compiled objects, what they lose, and what they would open beyond the intent. */
export type Compilation = {
  readonly doors: Doors;
  readonly compiled: Compiled;
  readonly losses: readonly Loss[];
  /** Losses between workloads that let more through than is meant: while there is one, nothing is published. */
  readonly widening: readonly Loss[];
  /** How the data planes differ from the intent: each alone, and last all together where there are several. */
  readonly comparisons: readonly Comparison[];
  /** When the result will be another: the next beginning or end of a line, or end of a waiver. */
  readonly nextChange?: Instant;
};

/**
 * Compiles an intent at an instant and judges the result with the evaluator of foreign policies. Refuses only what is
 * a fault of the compiler: an object that the reader cannot read. Beside what was compiled before less is worked out anew.
 */
export function compile(order: Order, before?: Compilation): Result<Compilation> {
  const { intent, now } = order;
  const doors = doorsOf(intent, order.site, now, before?.doors);
  const compiled = new Map(order.targets.map((name) => [name, TARGETS[name].compile(doors)] as const));
  const loaded = load(compiled, order.foreign);
  if (!loaded.ok) return loaded;
  const { planes, policies } = loaded.value;
  const field = fieldOf(doors, order.site, order.members, policies);
  const comparisons = setsOf(planes).map((some, index) =>
    compare(caseOf(order, doors, some), field, before?.comparisons[index]),
  );
  const together = comparisons.slice(-1).flatMap((all) => lossesOf(all, isBetweenWorkloads));
  const lacking = [...exhausted(order, doors), ...passedBy(order), ...unread(order, doors)];
  const next = nextChange(intent, now);
  return ok({
    doors,
    compiled,
    losses: [
      ...comparisons.slice(0, planes.length).flatMap((alone) => lossesOf(alone)),
      ...standingLosses(order, doors),
      ...lacking,
    ],
    widening: [...together, ...mayBePods(order, doors), ...unreadData(order), ...lacking].filter(isWide),
    comparisons,
    ...(next === undefined ? {} : { nextChange: next }),
  });
}

/** Each plane alone, and all together: without any plane all together is nothing that closes anything. */
const setsOf = (planes: readonly LoadedPlane[]): readonly (readonly LoadedPlane[])[] =>
  planes.length === 1 ? [planes] : [...planes.map((one) => [one]), planes];

const caseOf = ({ intent, now }: Order, { ground }: Doors, some: readonly LoadedPlane[]): Case => ({
  intent,
  now,
  ground,
  target: some.map(({ name }) => name).join("+"),
  planes: some.map(({ plane }) => plane),
  own: some.map(({ own }) => own),
});

/** What counts for publishing. */
const isBetweenWorkloads = ({ from, to }: Difference): boolean => from.side === "workload" && to.side === "workload";

const isWide = ({ effect }: Loss): boolean => effect === "wider" || effect === "unenforced";

/** The first beginning or end of a line, or end of a waiver, after an instant. */
function nextChange(intent: Intent, now: Instant): Instant | undefined {
  const lines = intent.lines.flatMap(({ notBefore, expires }) => [notBefore, expires]);
  const ahead = [...lines, ...waiversIn(intent).map(({ until }) => until)];
  return ahead.reduce(
    (first, at) => (at !== undefined && at > now && (first === undefined || at < first) ? at : first),
    undefined,
  );
}
