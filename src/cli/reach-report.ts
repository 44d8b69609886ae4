import { outsideParts } from "../policy/effective/outside.ts";
import { passagesText } from "../policy/intent/passages.ts";
import { changesFrom } from "../policy/reach/changes.ts";
import { type Hop, hopsFrom, reversed } from "../policy/reach/hops.ts";
import type { Reach } from "../policy/reach/matrix.ts";
import type { Member } from "./inventory.ts";
import { type InventoryReach, openBetween, shownEnd, type Step, stepBetween } from "./inventory-reach.ts";

/** Which way one looks: at whom a workload reaches, or at who reaches it. */
export type Side = "from" | "into";

/** A workload within reach. `via` is the one before it, seen from the workload asked about. */
export type ReachedRow = {
  readonly hops: number;
  readonly workload: string;
  readonly role: string | null;
  readonly segment: string | null;
  readonly via: string;
  readonly on: string;
  readonly by: readonly string[];
};

/** The blast radius of one workload. */
export type ReachReport = {
  readonly workload: string;
  readonly role: string | null;
  readonly segment: string | null;
  readonly side: Side;
  /** Other workloads of the inventory. */
  readonly others: number;
  readonly direct: number;
  /** Within any number of hops. */
  readonly reached: number;
  readonly rows: readonly ReachedRow[];
  readonly outside: readonly Step[];
};

/** Reports whom a workload reaches, or who reaches it, listing what is at most so many hops away. */
export function reachReport(known: InventoryReach, member: Member, side: Side, most: number): ReachReport {
  const { reach, inventory } = known;
  const start = inventory.members.indexOf(member);
  const looked: Reach = side === "from" ? reach : reversed(reach);
  const hops = hopsFrom(looked, [start]);
  return {
    workload: shownEnd(member),
    role: member.end.role ?? null,
    segment: member.end.segment ?? null,
    side,
    others: inventory.members.length - 1,
    direct: hops.filter((hop) => hop.hops === 1).length,
    reached: hops.length,
    rows: hops
      .filter((hop) => hop.hops <= most)
      .map((hop) => reachedRow(known, hop, side))
      .sort(byHops),
    outside: outsideSteps(known, member, side),
  };
}

const byHops = (a: ReachedRow, b: ReachedRow): number => a.hops - b.hops || (a.workload < b.workload ? -1 : 1);

function reachedRow(known: InventoryReach, { end, hops, via }: Hop, side: Side): ReachedRow {
  const { members } = known.inventory;
  const [reached, before] = [members[end], members[via]];
  if (!reached || !before) throw new RangeError(`There is no workload ${end} or ${via}.`);
  const pair = side === "from" ? ([before, reached] as const) : ([reached, before] as const);
  const open = side === "from" ? known.reach.passages(via, end) : known.reach.passages(end, via);
  const { on, by } = stepBetween(known, pair, open);
  return {
    hops,
    workload: shownEnd(reached),
    role: reached.end.role ?? null,
    segment: reached.end.segment ?? null,
    via: shownEnd(before),
    on,
    by,
  };
}

/** What of the outside a workload reaches, or is reached by. */
function outsideSteps(known: InventoryReach, member: Member, side: Side): readonly Step[] {
  const { intent, world } = known.inventory;
  const parts = outsideParts(intent, world);
  const others = side === "from" ? parts.destinations : parts.sources;
  return others.flatMap((other) => {
    const pair = side === "from" ? ([member, other] as const) : ([other, member] as const);
    const open = openBetween(known, pair);
    return open.length === 0 ? [] : [stepBetween(known, pair, open)];
  });
}

/** What a change of the catalogue does to one workload's blast radius. */
export type ReachComparison = {
  readonly workload: string;
  readonly side: Side;
  readonly before: { readonly direct: number; readonly reached: number };
  readonly after: { readonly direct: number; readonly reached: number };
  readonly changes: readonly { readonly workload: string; readonly gained: string; readonly lost: string }[];
};

/** Compares the blast radius of one workload under two catalogues. */
export function compareReach(before: InventoryReach, after: InventoryReach, name: string, side: Side): ReachComparison {
  const turned = (known: InventoryReach) => ({
    reach: side === "from" ? known.reach : reversed(known.reach),
    names: known.names,
  });
  const [was, is] = [turned(before), turned(after)];
  return {
    workload: name,
    side,
    before: radius(was, name),
    after: radius(is, name),
    changes: changesFrom(was, is, name)
      .map(({ to, gained, lost }) => ({ workload: to, gained: passagesText(gained), lost: passagesText(lost) }))
      .sort((a, b) => (a.workload < b.workload ? -1 : 1)),
  };
}

function radius({ reach, names }: { readonly reach: Reach; readonly names: readonly string[] }, name: string) {
  const start = names.indexOf(name);
  const hops = start < 0 ? [] : hopsFrom(reach, [start]);
  return { direct: hops.filter((hop) => hop.hops === 1).length, reached: hops.length };
}
