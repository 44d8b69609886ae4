import { ok, type Result } from "../../domain/problem.ts";
import type { Waiver } from "../../domain/sentences.ts";
import { changeOf, type PairChange } from "../../policy/compile/change.ts";
import { targetOf } from "../../policy/compile/published.ts";
import type { Compiled } from "../../policy/compile/targets.ts";
import type { Doors } from "../../policy/compile/doors.ts";
import { fieldOf } from "../../policy/compile/field.ts";
import type { Loss } from "../../policy/compile/loss.ts";
import { isEdited, saysTheSame } from "../../policy/compile/published.ts";
import { LINES_ANNOTATION, type Rendered } from "../../policy/compile/rendered.ts";
import { unwaived, waiversIn } from "../../policy/compile/waiver.ts";
import { isEmpty } from "../../policy/reach/bits.ts";
import { compiledOf, type Published } from "./cluster.ts";
import { cutOffOnly } from "./cut-off.ts";
import { objectKey, orderWrites, type Write } from "./order.ts";

/** What publishing would do to a cluster. */
export type Plan = {
  readonly published: Published;
  /**
   * Losses that let through more than is meant, that nobody waived and that are not of a quarantine: what keeps it from being
   * published.
   */
  readonly blocking: readonly Loss[];
  /** What the writes open and close between workloads; empty where nothing is written. */
  readonly pairs: readonly PairChange[];
  /** In their order. Where something blocks they only cut off who is under quarantine, and open nothing. */
  readonly writes: readonly Write[];
  /** What stands after the writes, where nobody else writes: all that is meant, or what stood and who is cut off. */
  readonly wanted: readonly Rendered[];
  /** Whether all that is meant is written. */
  readonly whole: boolean;
  /** Objects of ours that somebody changed since they were written. */
  readonly edited: readonly Rendered[];
};

/** Plans what is to be written to a cluster, and whether it may be. */
export function planPublishing(published: Published, waivers: readonly Waiver[] = []): Result<Plan> {
  const { order, compilation, ours } = published;
  const widening = compilation.widening.filter((loss) => !isOfQuarantine(loss));
  const blocking = unwaived(widening, [...waivers, ...waiversIn(order.intent)], order.now);
  const standing = ours.map(({ object }) => object);
  const base = { published, blocking, edited: standing.filter(isEdited) };
  const all = [...compilation.compiled.values()].flat();
  if (blocking.length === 0) {
    const change = changeTo(published, compilation.compiled, inPlace(published, writesFor(standing, all)));
    return change.ok ? ok({ ...base, ...change.value, wanted: all, whole: true }) : change;
  }
  if (!cutsOff(compilation.doors)) return ok({ ...base, pairs: [], writes: [], wanted: all, whole: false });
  const wanted = cutOffOnly(published);
  const change = changeTo(published, byTarget(wanted), inPlace(published, orderWrites(standing, wanted)));
  return change.ok ? ok({ ...base, ...change.value, wanted, whole: false }) : change;
}

/** The writes that cut off whoever is under quarantine, from what stands; for when others were refused. They open nothing. */
export function cuttingOff({ published }: Plan, standing: ReadonlyMap<string, Rendered>): readonly Write[] {
  if (!cutsOff(published.compilation.doors)) return [];
  const now = { ...published, ours: withTargets([...standing.values()]) };
  return inPlace(now, orderWrites([...standing.values()], cutOffOnly(now)));
}

/**
 * Without what a namespace that is being deleted would refuse: it takes nothing new (kubernetes.io, Admission Controllers:
 * NamespaceLifecycle), for as long as a finalizer holds it.
 */
function inPlace({ ours, terminating = new Set() }: Published, writes: readonly Write[]): readonly Write[] {
  const standing = new Set(ours.map(({ object }) => objectKey(object)));
  return writes.filter(
    ({ object }) => !terminating.has(object.metadata.namespace ?? "") || standing.has(objectKey(object)),
  );
}

type Change = Pick<Plan, "pairs" | "writes">;

/** The writes, with the pairs that they open and close. */
function changeTo({ order, compilation, ours }: Published, after: Compiled, writes: readonly Write[]): Result<Change> {
  if (writes.length === 0) return ok({ pairs: [], writes });
  const field = fieldOf(compilation.doors, order.site, order.members, order.foreign);
  const pairs = changeOf(compiledOf(ours), after, order.foreign, field);
  return pairs.ok ? ok({ pairs: pairs.value, writes }) : pairs;
}

const withTargets = (objects: readonly Rendered[]): Published["ours"] =>
  objects.flatMap((object) => {
    const target = targetOf(object.metadata.labels);
    return target === undefined ? [] : [{ target, object }];
  });

const byTarget = (objects: readonly Rendered[]): Compiled => compiledOf(withTargets(objects));

/** A quarantine waits for nobody's mending, nor for what it cannot close itself: its Restriction says that. */
const isOfQuarantine = ({ rule }: Loss): boolean => rule.startsWith("Restriction ");

/** Whether somebody is under quarantine: whole roles, or single Pods. */
const cutsOff = ({ cut, site: { quarantined = [] } }: Doors): boolean => !isEmpty(cut) || quarantined.length > 0;

/** What changes what passes, in its order; then what only says other lines, or lost what it says of itself. */
function writesFor(standing: readonly Rendered[], wanted: readonly Rendered[]): readonly Write[] {
  const live = new Map(standing.map((object) => [objectKey(object), object]));
  const told = wanted.filter((object) => {
    const was = live.get(objectKey(object));
    return was !== undefined && saysTheSame(was, object) && (isEdited(was) || linesOf(was) !== linesOf(object));
  });
  return [
    ...orderWrites(standing, wanted, new Set(standing.filter(isEdited).map(objectKey))),
    ...told.map((object): Write => ({ verb: "apply", object, why: "annotate" })),
  ];
}

/** The lines that an object says it comes from, one a line. */
export const linesOf = ({ metadata }: Rendered): string => metadata.annotations?.[LINES_ANNOTATION] ?? "";

/** Which of the objects that somebody changed these writes mended: none while something keeps back what is meant. */
export function mendedBy(
  { edited, whole }: Pick<Plan, "edited" | "whole">,
  writes: readonly Write[],
): ReadonlySet<Rendered> {
  const written = new Set(writes.map(({ object }) => objectKey(object)));
  return new Set(edited.filter((object) => whole && written.has(objectKey(object))));
}

/** What stands after these writes. */
export function standingAfter(standing: readonly Rendered[], writes: readonly Write[]): ReadonlyMap<string, Rendered> {
  const after = new Map(standing.map((object) => [objectKey(object), object]));
  for (const { verb, object } of writes)
    if (verb === "apply") after.set(objectKey(object), object);
    else after.delete(objectKey(object));
  return after;
}
