import type { FlowEnd } from "../../domain/flow.ts";
import type { Instant } from "../../domain/instant.ts";
import { remembered } from "../../domain/remembered.ts";
import { isActive, type Peer } from "../../domain/sentences.ts";
import type { Intent } from "../intent/intent.ts";
import { type Line, rulingText } from "../intent/line.ts";
import { indexLines, linesBetween } from "../intent/line-index.ts";
import { meansEnd } from "../intent/match-end.ts";
import { contradiction, enclosureOf, isUnowned, owns } from "../intent/pair.ts";
import { portNamed } from "../intent/passages.ts";
import { namedSpecs } from "../reach/classes.ts";

/** What an intent makes of ends at an instant before any pair of them is looked at. */
export type Kinship = {
  /**
   * Ends of one sort are told apart by nothing but their own lines: the verdicts from one end to another are the same for
   * all of their sorts, with the same reasons, where no such line is between them.
   */
  readonly sortOf: (end: FlowEnd) => string;
  /** Whether a line of their own may be about a connection from one end to another. */
  readonly isBetween: (from: FlowEnd, to: FlowEnd) => boolean;
  /** The active lines that name a role, or are an exception for one; each is about few pairs. */
  readonly own: readonly Line[];
  /** All other active lines, and what else sorts hang on beside the definitions that are no policies. */
  readonly common: string;
};

/** Parts the active lines by whether they name a role, and ends by all the others. */
export function kinshipOf(intent: Intent, now: Instant): Kinship {
  const active = intent.lines.filter((line) => isActive(line, now));
  const own = active.filter(isOwn);
  const common = active.filter((line) => !isOwn(line));
  const index = indexLines(own);
  return {
    sortOf: sortBy(intent, common),
    isBetween: (from, to) =>
      linesBetween(index, from, to).some(
        (line) => meansEnd(line.from, from) !== "no" && meansEnd(line.to, to) !== "no",
      ),
    own,
    common: JSON.stringify([common.map(lineText), namedSpecs(intent)]),
  };
}

const isOwn = ({ kind, from, to }: Line): boolean => kind === "exception" || from.by === "role" || to.by === "role";

/** All that a line says, as text. */
export const lineText = remembered((line: Line): string =>
  JSON.stringify(line, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value)),
);

/** By everything that `pairRules` and the words for its verdicts read of an end, but for lines that are its own. */
function sortBy(intent: Intent, common: readonly Line[]): (end: FlowEnd) => string {
  const peers = distinct(common.flatMap(({ from, to }) => [from, to]));
  const owners = new Set(common.flatMap(({ kind, segment }) => (kind === "sentence" ? (segment ?? []) : [])));
  const names = namedSpecs(intent);
  return (end) => {
    const ruling = intent.quarantineOf(end);
    const values = end.kind === "workload" ? [end.environment, end.classification, intraOf(intent, end.segment)] : [];
    return JSON.stringify([
      end.kind,
      enclosureOf(intent, end),
      ruling ? rulingText(ruling) : null,
      contradiction(intent, end),
      values,
      peers.map((peer) => meansEnd(peer, end)),
      [...owners].filter((segment) => owns(intent, segment, end)),
      isUnowned(intent, end),
      names.map((spec) => portNamed(spec, end)),
    ]);
  };
}

const intraOf = ({ catalogue }: Intent, name: string | undefined): string | undefined =>
  name !== undefined && catalogue.segments.get(name)?.intra === "allow" ? name : undefined;

const distinct = (peers: readonly Peer[]): readonly Peer[] => [
  ...new Map(peers.map((peer) => [peerText(peer), peer])).values(),
];

const peerText = (peer: Peer): string =>
  JSON.stringify(peer, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value));
