import { ok, type Result } from "../../domain/problem.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import { EVERY_PASSAGE, PORT_PASSAGES, type PassageSet, passagesText } from "../intent/passages.ts";
import type { Policy } from "../model/policy.ts";
import { addAll, eachBit, noBits } from "../reach/bits.ts";
import { intersect, subtract } from "../sets/intervals.ts";
import { admittedBy, type EndClass, type Field, groupedBy, mayAdmitTogether } from "./judge.ts";
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
  const [was, is] = [old, now].map(({ value }) => value.planes.map(({ plane }) => plane));
  const planes = [...(was ?? []), ...(is ?? [])];
  const keyOf = (end: EffectiveEnd): string => planes.map((plane) => plane.keyOf(end)).join("\n");
  const classes = groupedBy(workloads, keyOf);
  const firsts = classes.map(({ first }) => first);
  const [before_, after_] = [was ?? [], is ?? []].map((some) => mayAdmitTogether(some, firsts));
  const changes = classes.flatMap((from, place) => {
    const found: PairChange[] = [];
    const near = before_?.[place]?.slice() ?? noBits(0);
    addAll(near, after_?.[place] ?? noBits(0));
    eachBit(near, (other) => {
      const to = classes[other];
      if (!to) return;
      const [closed, open] = [was ?? [], is ?? []].map((some) => portsIn(admittedBy(some, from.first, to.first)));
      const [opens, closes] = [subtract(open ?? [], closed ?? []), subtract(closed ?? [], open ?? [])];
      if (opens.length + closes.length > 0) found.push({ from: namesOf(from), to: namesOf(to), opens, closes });
    });
    return found;
  });
  return ok(changes);
}

/** `tcp/5432`, or a dash for nothing. */
export const changeText = (passages: PassageSet): string => (passages.length === 0 ? "-" : passagesText(passages));

const namesOf = ({ members }: EndClass): readonly string[] => [
  ...new Set(members.map(({ endpoint }) => endpoint.text)),
];

/** Messages of ICMP are left out unless everything is meant: they only follow. */
const portsIn = (set: PassageSet): PassageSet =>
  set.length === EVERY_PASSAGE.length ? set : intersect(set, PORT_PASSAGES);
