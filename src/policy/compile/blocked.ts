import type { Instant } from "../../domain/instant.ts";
import { isActive, type Peer, type PortSpec } from "../../domain/sentences.ts";
import { type Intent, namesExactly } from "../intent/intent.ts";
import type { Line } from "../intent/line.ts";
import { contradiction } from "../intent/pair.ts";
import type { Direction } from "../model/policy.ts";
import { type Bits, both, hasBit, isEmpty, noBits, placesWhere, without } from "../reach/bits.ts";
import { fenceRows } from "../reach/our-rows.ts";
import { areDisjoint, type Cell } from "./cells.ts";
import { FAR, NEAR } from "./opening.ts";
import { lessPorts } from "./ports.ts";

/** What is left of a line at a door: to whom, on which ports. */
export type Left = { readonly peers: Bits; readonly on: readonly PortSpec[] };

/** What guardrails and quarantines take from lines, for targets that cannot deny. */
export type Blocked = {
  /** Cells under quarantine, or that contradict themselves: nothing opens for them. */
  readonly cut: Bits;
  /** What of a line remains between a subject cell and its peers. */
  readonly leave: (line: Line, subject: number, direction: Direction, peers: Bits) => readonly Left[];
  /** Active denials at a door of a cell, whoever stands at the far end. */
  readonly denials: (subject: number, direction: Direction) => readonly Line[];
};

type Denial = { readonly line: Line } & Readonly<Record<"from" | "to", Bits>>;

/** Gathers the denials of an intent at an instant over cells. What may be meant by a denial counts as meant. */
export function blockedIn(intent: Intent, cells: readonly Cell[], now: Instant): Blocked {
  const ends = cells.map(({ end }) => end);
  const cut = placesWhere(
    ends,
    (end) => intent.quarantineOf(end) !== undefined || contradiction(intent, end) !== undefined,
  );
  const fences = fenceRows(intent, ends);
  const denials = intent.lines
    .filter((line) => line.kind === "deny" && isActive(line, now))
    .map((line): Denial => ({ line, from: mayMean(line.from, cells), to: mayMean(line.to, cells) }));
  const acting = (subject: number, direction: Direction) =>
    denials.filter((denial) => hasBit(denial[NEAR[direction]], subject));
  return {
    cut,
    leave: (line, subject, direction, peers) => {
      const present = without(peers, cut);
      if (crosses(line)) return [{ peers: present, on: line.on }];
      const open = without(present, fences[subject] ?? noBits(cells.length));
      return parted([{ peers: open, on: line.on }], acting(subject, direction), FAR[direction]);
    },
    denials: (subject, direction) => acting(subject, direction).map(({ line }) => line),
  };
}

/** Whether a line goes through fences and denials. */
export const crosses = (line: Line): boolean => line.kind === "exception" && namesExactly(line);

/** Whom a denial means or may mean: Pods without a role whose labels are not known to differ are meant too. */
export const mayMean = (peer: Peer, cells: readonly Cell[]): Bits =>
  placesWhere(cells, (cell) => mayMeanCell(peer, cell));

function mayMeanCell(peer: Peer, { end, namespace, role, labels }: Cell): boolean {
  if (peer.by === "entity") return peer.name === "any";
  if (peer.by === "namespace")
    return role === undefined && namespace === peer.name && !areDisjoint(labels, peer.podLabels);
  if (peer.by === "cidr" || peer.by === "fqdn" || peer.by === "externalIdentity") return false;
  return end[peer.by] === peer.name;
}

/** Takes from each part what a denial means of it. */
function parted(parts: readonly Left[], denials: readonly Denial[], far: "from" | "to"): readonly Left[] {
  let left = parts;
  for (const denial of denials)
    left = left.flatMap(({ peers, on }) => {
      const hit = both(peers, denial[far]);
      if (isEmpty(hit)) return [{ peers, on }];
      return [
        { peers: without(peers, hit), on },
        { peers: hit, on: lessPorts(on, denial.line.on) },
      ];
    });
  return left.filter(({ peers, on }) => on.length > 0 && !isEmpty(peers));
}
