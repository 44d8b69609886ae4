import type { Instant } from "../../../domain/instant.ts";
import type { LossCode } from "../../../domain/loss-codes.ts";
import type { Rendered } from "../../../policy/compile/rendered.ts";
import type { TargetName } from "../../../policy/compile/targets.ts";
import type { Write } from "../../../reconcile/policies/order.ts";
import { mendedBy, type Plan } from "../../../reconcile/policies/plan.ts";
import { stands } from "../../../reconcile/policies/standing.ts";

/** What the last round came to. Instants in milliseconds. */
export type PublishingFigures = {
  readonly objects: ReadonlyMap<TargetName, { readonly wanted: number; readonly active: number }>;
  /** Losses that keep everything from being published, by their code. */
  readonly blocking: ReadonlyMap<LossCode, number>;
  readonly writes: { readonly apply: number; readonly delete: number };
  /** Objects of ours that somebody else changed, and that were mended. */
  readonly mended: number;
  /** Objects that somebody changes again as soon as they are mended. */
  readonly fought: number;
  readonly compileMs: number;
  /** Since when a line has ended, or begun, without being taken out, or in, or nothing can be published; absent where neither. */
  readonly overdueSince?: Instant;
};

/** Before the first round. */
export const NO_FIGURES: PublishingFigures = {
  objects: new Map(),
  blocking: new Map(),
  writes: { apply: 0, delete: 0 },
  mended: 0,
  fought: 0,
  compileMs: 0,
};

/** What was written, and what stands since. */
type Done = { readonly writes: readonly Write[]; readonly standing: ReadonlyMap<string, Rendered> };

/** The figures after a plan was carried out so far. */
export function counted(before: PublishingFigures, plan: Plan, done: Done): PublishingFigures {
  const { blocking, published } = plan;
  const of = (verb: Write["verb"]): number => done.writes.filter((one) => one.verb === verb).length;
  const objects = [...published.compilation.compiled].map(([name, all]) => {
    const active = all.filter((object) => stands(object, done.standing));
    return [name, { wanted: all.length, active: active.length }] as const;
  });
  return {
    ...before,
    objects: new Map(objects),
    blocking: new Map([...Map.groupBy(blocking, ({ code }) => code)].map(([code, all]) => [code, all.length])),
    writes: { apply: before.writes.apply + of("apply"), delete: before.writes.delete + of("delete") },
    mended: before.mended + mendedBy(plan, done.writes).size,
  };
}
