import type { WorkloadEnd } from "../../domain/flow.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import { addAll, type Bits, both, hasBit, noBits, placesWhere } from "../reach/bits.ts";
import { ourRows } from "../reach/our-rows.ts";
import { classesOf, type EndClass, type Field } from "./end-class.ts";
import { type Case, type Compared, pairJudge, passingTogether } from "./judge.ts";
import { type Kinship, kinshipOf } from "./kinship.ts";
import { type Part, wordsOf } from "./parts.ts";
import { type Between, merged, rowOf, type Rows } from "./rows.ts";
import { changedSince, isSameGround, type Since } from "./since.ts";

/** Everything in which data planes differ from an intent, kept so that after a change little is compared again. */
export type Comparison = Compared & {
  readonly rows: Rows<Part>;
};

/**
 * Compares what several data planes let through together with what the intent opens, over all pairs of a field. Beside the
 * comparison of before only those pairs are judged anew for which something changed that decides on them; the result is
 * the same as without.
 */
export function compare(judged: Case, field: Field, before?: Comparison): Comparison {
  const kinship = kinshipOf(judged.intent, judged.now);
  const known = before && isSameGround(before, { judged, kinship }) ? before : undefined;
  const compared = { judged, kinship, field, ...classesIn(judged, kinship, field, known) };
  const since = known && changedSince(known, compared);
  return { ...compared, rows: known && since ? rowsSince(known, since, compared) : allRows(compared) };
}

/** The classes of a field and their sorts; those of workloads are as they were where these are the same list. */
function classesIn(judged: Case, kinship: Kinship, field: Field, known: Comparison | undefined) {
  const isKnown = known?.field.workloads === field.workloads;
  const classes = classesOf(judged, field, isKnown ? known.classes : undefined);
  const sortOf = ({ first }: EndClass): string => `${kinship.sortOf(first.end)} ${wordsOf(judged, first)}`;
  const sorts = classes.map((one) =>
    one === known?.classes[one.place] ? (known.sorts[one.place] ?? sortOf(one)) : sortOf(one),
  );
  return { classes, sorts };
}

/**
 * Between workloads only pairs are looked at that the intent opens at all or that the planes may let through: at all others
 * both are closed.
 */
function allRows(compared: Compared): Rows<Part> {
  const { judged, classes } = compared;
  const ends = classes.map(({ first }) => first);
  const passing = passingTogether(judged.planes, judged.own, ends);
  const judge = pairJudge(compared, passing);
  const meant = ourRows(judged.intent, ends.flatMap(workloadIn), judged.now);
  const facing = facingOf(classes);
  const [workloads, destinations] = [placesWhere(classes, isOn("workload")), placesWhere(classes, isOn("destination"))];
  return classes.map((from) => {
    if (from.side !== "workload") return rowOf((to) => judge(from, to), classes, facing(from));
    const near = passing.rows[from.place]?.slice() ?? noBits(0);
    addAll(near, meant[from.place] ?? noBits(0));
    const looked = both(near, workloads);
    addAll(looked, destinations);
    return rowOf((to) => judge(from, to), classes, looked);
  });
}

const isOn =
  (side: EndClass["side"]) =>
  (one: EndClass): boolean =>
    one.side === side;

const workloadIn = ({ end }: EffectiveEnd): readonly WorkloadEnd[] => (end.kind === "workload" ? [end] : []);

/** Whom a class may connect to at all. */
function facingOf(classes: readonly EndClass[]): (from: EndClass) => Bits {
  const rows = {
    workload: placesWhere(classes, ({ side }) => side !== "source"),
    source: placesWhere(classes, isOn("workload")),
    destination: noBits(classes.length),
  };
  return ({ side }) => rows[side];
}

/** What was found before, moved to where the classes stand now, but for what is judged anew. */
function rowsSince(before: Comparison, since: Since, compared: Compared): Rows<Part> {
  const { classes } = compared;
  const judge = pairJudge(compared);
  const facing = facingOf(classes);
  const { sources, destinations, placeBefore, placeNow } = since;
  return classes.map((from) => {
    if (hasBit(sources, from.place)) return rowOf((to) => judge(from, to), classes, facing(from));
    const isKept = (to: number): boolean => !hasBit(destinations, to);
    const kept = (before.rows[placeBefore(from)] ?? []).map(({ part, to }) => ({
      part,
      to: to.flatMap((place) => placeNow(place) ?? []).filter(isKept),
    }));
    return rowOf(
      (to) => judge(from, to),
      classes,
      both(facing(from), destinations),
      kept.filter(({ to }) => to.length > 0),
    );
  });
}

/** Between each of some ends and each of others a part of what they differ in. */
export type Difference = Between<Part>;

/** Everything in which the two differ. */
export const differencesIn = ({ classes, rows }: Comparison): readonly Difference[] => merged(classes, rows);
