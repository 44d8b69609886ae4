import { ok, type Result } from "../../domain/problem.ts";
import { EVERY_PASSAGE, PORT_PASSAGES, passagesText } from "../intent/passages.ts";
import type { Policy } from "../model/policy.ts";
import { intersect, subtract } from "../sets/intervals.ts";
import { admittedBy, type Field } from "./judge.ts";
import { type Compiled, load } from "./targets.ts";

/** A pair of workloads for which a change opens or closes something. */
export type PairChange = {
  readonly from: string;
  readonly to: string;
  readonly opens: string;
  readonly closes: string;
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
  const admits = ({ value }: typeof old, pair: readonly [Field["workloads"][number], Field["workloads"][number]]) =>
    admittedBy(
      value.planes.map(({ plane }) => plane),
      ...pair,
    );
  const changes = workloads.flatMap((from) =>
    workloads.flatMap((to): readonly PairChange[] => {
      const [was, is] = [admits(old, [from, to]), admits(now, [from, to])].map(portsIn);
      const [opens, closes] = [subtract(is ?? [], was ?? []), subtract(was ?? [], is ?? [])];
      if (opens.length + closes.length === 0) return [];
      const texts = { opens: passagesText(opens), closes: passagesText(closes) };
      return [{ from: from.endpoint.text, to: to.endpoint.text, ...texts }];
    }),
  );
  return ok(changes);
}

/** Messages of ICMP are left out unless everything is meant: they only follow. */
const portsIn = (set: readonly number[]): readonly number[] =>
  set.length === EVERY_PASSAGE.length ? set : intersect(set, PORT_PASSAGES);
