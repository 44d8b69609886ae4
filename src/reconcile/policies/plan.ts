import { ok, type Result } from "../../domain/problem.ts";
import type { Waiver } from "../../domain/sentences.ts";
import { changeOf, type PairChange } from "../../policy/compile/change.ts";
import type { Doors } from "../../policy/compile/doors.ts";
import { fieldOf } from "../../policy/compile/field.ts";
import type { Loss } from "../../policy/compile/loss.ts";
import { isEdited, saysTheSame } from "../../policy/compile/published.ts";
import { LINES_ANNOTATION, type Rendered } from "../../policy/compile/rendered.ts";
import { unwaived, waiversIn } from "../../policy/compile/waiver.ts";
import { isEmpty } from "../../policy/reach/bits.ts";
import { compiledOf, type Published } from "./cluster.ts";
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
  /** In their order; none where something blocks, unless nothing opens and somebody is under quarantine. */
  readonly writes: readonly Write[];
  /** Objects of ours that somebody changed since they were written. */
  readonly edited: readonly Rendered[];
};

/** Plans what is to be written to a cluster, and whether it may be. */
export function planPublishing(published: Published, waivers: readonly Waiver[] = []): Result<Plan> {
  const { order, compilation, ours } = published;
  const widening = compilation.widening.filter((loss) => !isOfQuarantine(loss));
  const blocking = unwaived(widening, [...waivers, ...waiversIn(order.intent)], order.now);
  const standing = ours.map(({ object }) => object);
  const writes = writesFor(standing, [...compilation.compiled.values()].flat());
  const edited = standing.filter(isEdited);
  if (writes.length === 0) return ok({ published, blocking, pairs: [], writes, edited });
  const { doors } = compilation;
  const pairs = pairsOf(published, doors);
  if (!pairs.ok) return pairs;
  const blocked = blocking.length > 0 && !(cutsOff(doors) && pairs.value.every(({ opens }) => opens.length === 0));
  return ok({ published, blocking, edited, pairs: blocked ? [] : pairs.value, writes: blocked ? [] : writes });
}

/** A quarantine waits for nobody's mending, nor for what it cannot close itself: its Restriction says that. */
const isOfQuarantine = ({ rule }: Loss): boolean => rule.startsWith("Restriction ");

/** Whether somebody is under quarantine: whole roles, or single Pods. */
const cutsOff = ({ cut, site: { quarantined = [] } }: Doors): boolean => !isEmpty(cut) || quarantined.length > 0;

function pairsOf({ order, compilation, ours }: Published, doors: Doors): Result<readonly PairChange[]> {
  const field = fieldOf(doors, order.site, order.members, order.foreign);
  return changeOf(compiledOf(ours), compilation.compiled, order.foreign, field);
}

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

/** What stands after these writes. */
export function standingAfter(standing: readonly Rendered[], writes: readonly Write[]): ReadonlyMap<string, Rendered> {
  const after = new Map(standing.map((object) => [objectKey(object), object]));
  for (const { verb, object } of writes)
    if (verb === "apply") after.set(objectKey(object), object);
    else after.delete(objectKey(object));
  return after;
}
