import type { WorkloadEnd } from "../../domain/flow.ts";
import type { Instant } from "../../domain/instant.ts";
import { ok, type Result } from "../../domain/problem.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import type { Intent } from "../intent/intent.ts";
import type { Policy } from "../model/policy.ts";
import type { Unevaluated } from "../model/world.ts";
import { type Doors, doorsOf, type Site } from "./doors.ts";
import { lossesOf } from "./explain.ts";
import { fieldOf } from "./field.ts";
import { type Difference, differences } from "./judge.ts";
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
  /** When the result will be another: the next beginning or end of a line, or end of a waiver. */
  readonly nextChange?: Instant;
};

/**
 * Compiles an intent at an instant and judges the result with the evaluator of foreign policies. Refuses only what is
 * a fault of the compiler: an object that the reader cannot read. Beside the doors of before less is worked out anew.
 */
export function compile(order: Order, before?: Doors): Result<Compilation> {
  const { intent, now } = order;
  const doors = doorsOf(intent, order.site, now, before);
  const compiled = new Map(order.targets.map((name) => [name, TARGETS[name].compile(doors)] as const));
  const loaded = load(compiled, order.foreign);
  if (!loaded.ok) return loaded;
  const { planes, policies } = loaded.value;
  const field = fieldOf(doors, order.site, order.members, policies);
  const found = (some: readonly LoadedPlane[]) =>
    differences(
      intent,
      some.map(({ plane }) => plane),
      field,
      now,
    );
  const told = (some: readonly LoadedPlane[], all: readonly Difference[]) => {
    const target = some.map(({ name }) => name).join("+");
    return lossesOf({ intent, now, target, own: some.map(({ own }) => own) }, all);
  };
  const alone = planes.map((one) => ({ one, all: found([one]) }));
  const [only, ...more] = alone;
  const together = told(planes, widerBetweenWorkloads(only && more.length === 0 ? only.all : found(planes)));
  const lacking = [...exhausted(order, doors), ...passedBy(order), ...unread(order, doors)];
  const next = nextChange(intent, now);
  return ok({
    doors,
    compiled,
    losses: [...alone.flatMap(({ one, all }) => told([one], all)), ...standingLosses(order, doors), ...lacking],
    widening: [...together, ...mayBePods(order, doors), ...unreadData(order), ...lacking].filter(isWide),
    ...(next === undefined ? {} : { nextChange: next }),
  });
}

/** What counts for publishing: between workloads, and only where more is let through. */
const widerBetweenWorkloads = (all: readonly Difference[]): readonly Difference[] =>
  all
    .filter(({ from, to }) => [from, to].every(({ first }) => first.end.kind === "workload"))
    .map((difference) => ({ ...difference, narrower: [] }));

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
