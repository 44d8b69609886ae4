import { compare, type Comparison } from "../../../src/policy/compile/compare.ts";
import type { EndClass, Field } from "../../../src/policy/compile/end-class.ts";
import type { Plane } from "../../../src/policy/compile/plane.ts";
import type { Intent } from "../../../src/policy/intent/intent.ts";
import type { PassageSet } from "../../../src/policy/intent/passages.ts";
import { uniteAll } from "../../../src/policy/sets/intervals.ts";

/** Two classes between which planes let through other than what is meant. */
export type DifferingPair = {
  readonly from: EndClass;
  readonly to: EndClass;
  readonly wider: PassageSet;
  readonly narrower: PassageSet;
};

/** What a comparison found, pair by pair, in the order of the classes. */
export const pairsOf = ({ classes, rows }: Comparison): readonly DifferingPair[] =>
  classes.flatMap((from) =>
    classes.flatMap((to) => {
      const parts = (rows[from.place] ?? []).filter((found) => found.to.includes(to.place)).map(({ part }) => part);
      const [narrower, wider] = [true, false].map((wanted) =>
        uniteAll(parts.filter(({ effect }) => (effect === "narrower") === wanted).map(({ on }) => on)),
      );
      return parts.length === 0 ? [] : [{ from, to, wider: wider ?? [], narrower: narrower ?? [] }];
    }),
  );

/** The pairs of a field that differ between an intent and planes at an instant. */
export const differing = (
  intent: Intent,
  planes: readonly Plane[],
  field: Field,
  now: number,
): readonly DifferingPair[] => pairsOf(compare({ intent, now, target: "test", planes, own: planes }, field));
