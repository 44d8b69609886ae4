import { subtract } from "../sets/intervals.ts";
import type { PassageSet } from "../intent/passages.ts";
import { eachBit, noBits } from "./bits.ts";
import { type Reach, reachedBy } from "./matrix.ts";

/** What a change opens and closes between two workloads. */
export type PairChange = {
  readonly from: string;
  readonly to: string;
  readonly gained: PassageSet;
  readonly lost: PassageSet;
};

/** A reach with the names by which its ends are found again in another. */
export type Named = { readonly reach: Reach; readonly names: readonly string[] };

/** What changes for one workload, by the names of the others. */
export function changesFrom(before: Named, after: Named, name: string): readonly PairChange[] {
  const [old, now] = [before.names.indexOf(name), after.names.indexOf(name)];
  const others = new Set([...reachedNames(before, old), ...reachedNames(after, now)]);
  const [oldPlaces, newPlaces] = [places(before), places(after)];
  return [...others].flatMap((other) => {
    const was = passagesIn(before.reach, old, oldPlaces.get(other));
    const is = passagesIn(after.reach, now, newPlaces.get(other));
    return changed({ from: name, to: other, gained: subtract(is, was), lost: subtract(was, is) });
  });
}

const reachedNames = ({ reach, names }: Named, from: number): readonly string[] =>
  from < 0 ? [] : reachedBy(reach, from).map((to) => names[to] ?? "");

const places = ({ names }: Named): ReadonlyMap<string, number> => new Map(names.map((name, place) => [name, place]));

const passagesIn = (reach: Reach, from: number, to: number | undefined): PassageSet =>
  from < 0 || to === undefined ? [] : reach.passages(from, to);

const changed = (change: PairChange): readonly PairChange[] =>
  change.gained.length + change.lost.length > 0 ? [change] : [];

/** What changes between all workloads. Pairs are compared by classes, and only those that either side lets talk. */
export function allChanges(before: Named, after: Named): readonly PairChange[] {
  const joint = jointClasses(before, after);
  const changes: PairChange[] = [];
  for (const [id, from] of joint.members.entries())
    for (const other of joint.reached(id)) changes.push(...expand(before, after, from, joint.members[other] ?? []));
  return changes.sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** A workload at its places before and after; undefined where it is not there. */
type Twin = { readonly name: string; readonly old?: number; readonly now?: number };

type Joint = { readonly members: readonly (readonly Twin[])[]; readonly reached: (id: number) => readonly number[] };

function jointClasses(before: Named, after: Named): Joint {
  const [oldPlaces, newPlaces] = [places(before), places(after)];
  const ids = new Map<string, number>();
  const members: Twin[][] = [];
  const [byOld, byNew] = [new Map<number, Set<number>>(), new Map<number, Set<number>>()];
  for (const name of new Set([...before.names, ...after.names])) {
    const [old, now] = [oldPlaces.get(name), newPlaces.get(name)];
    const left = old === undefined ? -1 : (before.reach.classes.classOf[old] ?? -1);
    const right = now === undefined ? -1 : (after.reach.classes.classOf[now] ?? -1);
    const id = ids.get(`${left} ${right}`) ?? members.length;
    ids.set(`${left} ${right}`, id);
    (members[id] ??= []).push({ name, ...(old === undefined ? {} : { old }), ...(now === undefined ? {} : { now }) });
    add(byOld, left, id);
    add(byNew, right, id);
  }
  const reachedIn = (reach: Reach, from: number | undefined, by: ReadonlyMap<number, ReadonlySet<number>>) => {
    const found: number[] = [];
    const row = from === undefined ? undefined : reach.rows[reach.classes.classOf[from] ?? -1];
    eachBit(row ?? noBits(0), (to) => found.push(...(by.get(to) ?? [])));
    return found;
  };
  return {
    members,
    reached: (id) => {
      const twin = members[id]?.[0];
      return [...new Set([...reachedIn(before.reach, twin?.old, byOld), ...reachedIn(after.reach, twin?.now, byNew)])];
    },
  };
}

const add = (map: Map<number, Set<number>>, key: number, value: number): void => {
  const set = map.get(key) ?? new Set<number>();
  set.add(value);
  map.set(key, set);
};

/** All pairs of two joint classes change alike: one stands for all. */
function expand(
  before: Named,
  after: Named,
  sources: readonly Twin[],
  targets: readonly Twin[],
): readonly PairChange[] {
  const [from] = sources;
  const [to] = targets;
  if (!from || !to) return [];
  const was = passagesIn(before.reach, from.old ?? -1, to.old);
  const is = passagesIn(after.reach, from.now ?? -1, to.now);
  const [gained, lost] = [subtract(is, was), subtract(was, is)];
  if (gained.length + lost.length === 0) return [];
  return sources.flatMap((source) =>
    targets
      .filter((target) => target.name !== source.name)
      .map((target) => ({ from: source.name, to: target.name, gained, lost })),
  );
}
