import { ok, type Result } from "../../domain/problem.ts";
import { EVERY_PASSAGE, PORT_PASSAGES, type PassageSet, passagesText } from "../intent/passages.ts";
import type { Policy } from "../model/policy.ts";
import { addAll, type Bits, both, hasBit, noBits, placesWhere } from "../reach/bits.ts";
import { intersect, subtract } from "../sets/intervals.ts";
import { type EndClass, type Field, groupedBy, oncePer } from "./end-class.ts";
import { passingTogether } from "./judge.ts";
import { admittedBy, type Plane } from "./plane.ts";
import { type Ends, merged, rowOf } from "./rows.ts";
import { changed } from "./since.ts";
import { type Compiled, load } from "./targets.ts";

/** Pairs of workloads for which a change opens or closes the same: each of `from` to each of `to`. */
export type PairChange = {
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Empty where it opens nothing. */
  readonly opens: PassageSet;
  readonly closes: PassageSet;
};

/** What a change of compiled objects opens and closes between workloads, beside the policies that stay. */
export function changeOf(
  before: Compiled,
  after: Compiled,
  foreign: readonly Policy[],
  { workloads }: Field,
): Result<readonly PairChange[]> {
  const [old, now] = [load(before, foreign), load(after, foreign)];
  if (!old.ok) return old;
  if (!now.ok) return now;
  const [was, is] = [old.value, now.value].map(({ planes }) => planes.map(({ plane }) => plane));
  return ok(changesBetween(was ?? [], is ?? [], workloads));
}

/** Only pairs are looked at that a rule decides on which came, went or changed, and that something passes on either side. */
function changesBetween(
  was: readonly Plane[],
  is: readonly Plane[],
  workloads: Field["workloads"],
): readonly PairChange[] {
  const planes = [...was, ...is];
  const guards = changed(was.flatMap(guardsOf), is.flatMap(guardsOf), ({ text }) => text);
  const classes = groupedBy(workloads, (end) => planes.map((plane) => plane.keyOf(end)).join("\n")).map(
    (group, place): EndClass => ({ ...group, place, side: "workload" }),
  );
  const sources = placesWhere(classes, ({ first }) => guards.some(({ isAt }) => isAt(first, "egress")));
  const destinations = placesWhere(classes, ({ first }) => guards.some(({ isAt }) => isAt(first, "ingress")));
  const judge = changeJudge(was, is, classes);
  const rows = classes.map((from) => {
    const near = judge.near(from);
    return rowOf(
      (to) => judge.change(from, to),
      classes,
      hasBit(sources, from.place) ? near : both(near, destinations),
    );
  });
  return merged(classes, rows).map(({ from, to, part: { opens, closes } }) => ({
    from: namesOf(from),
    to: namesOf(to),
    opens,
    closes,
  }));
}

const guardsOf = ({ guards }: Plane): Plane["guards"] => guards;

type Change = { readonly key: string; readonly opens: PassageSet; readonly closes: PassageSet };

function changeJudge(was: readonly Plane[], is: readonly Plane[], classes: readonly EndClass[]) {
  const ends = classes.map(({ first }) => first);
  const [before, after] = [passingTogether(was, [], ends), passingTogether(is, [], ends)];
  const compared = (from: EndClass, to: EndClass): readonly Change[] => {
    const [closed, open] = [
      portsIn(admittedBy(was, from.first, to.first)),
      portsIn(admittedBy(is, from.first, to.first)),
    ];
    const [opens, closes] = [subtract(open, closed), subtract(closed, open)];
    return opens.length + closes.length > 0 ? [{ key: `${opens.join()} ${closes.join()}`, opens, closes }] : NONE;
  };
  const alike = oncePer(
    ends.map((_end, place) => `${before.sorts[place]}\n${after.sorts[place]}`),
    compared,
  );
  const isTouched = ({ touched }: typeof before, from: number, to: number): boolean =>
    hasBit(touched[from] ?? noBits(0), to);
  return {
    near: ({ place }: EndClass): Bits => {
      const near = before.rows[place]?.slice() ?? noBits(0);
      addAll(near, after.rows[place] ?? noBits(0));
      return near;
    },
    change: (from: EndClass, to: EndClass): readonly Change[] =>
      isTouched(before, from.place, to.place) || isTouched(after, from.place, to.place)
        ? compared(from, to)
        : alike(from, to),
  };
}

const NONE: readonly Change[] = [];

/** `tcp/5432`, or a dash for nothing. */
export const changeText = (passages: PassageSet): string => (passages.length === 0 ? "-" : passagesText(passages));

const namesOf = ({ members }: Ends): readonly string[] => [...new Set(members.map(({ endpoint }) => endpoint.text))];

/** Messages of ICMP are left out unless everything is meant: they only follow. */
const portsIn = (set: PassageSet): PassageSet =>
  set.length === EVERY_PASSAGE.length ? set : intersect(set, PORT_PASSAGES);
