import { inForce } from "../../domain/catalogue.ts";
import type { Mode } from "../../domain/definitions.ts";
import type { FlowEnd, WorkloadEnd } from "../../domain/flow.ts";
import type { Instant } from "../../domain/instant.ts";
import { type FenceDimension, isActive } from "../../domain/sentences.ts";
import { type Intent, ownsNamespace } from "./intent.ts";
import type { Fence, Line, Quarantine } from "./line.ts";
import { linesBetween } from "./line-index.ts";
import { meansEnd } from "./match-end.ts";

/** Why default deny holds for an end: its segment is in force, or one in whose enrolled namespace it stands. */
export type Enclosure = { readonly segment: string; readonly mode: Mode; readonly namespace?: string };

/** A denial between two ends; `perhaps` where it depends on something that is not known, and then it denies. */
export type Denial = { readonly line: Line; readonly perhaps: boolean };

/** A fence between two ends, and the values on its two sides. */
export type Crossed = { readonly fence: Fence; readonly from: string; readonly to: string };

/** Everything that can decide between two ends at an instant, whatever port is asked about. */
export type PairRules = {
  readonly from: FlowEnd;
  readonly to: FlowEnd;
  /** What is contradictory in the ends. */
  readonly doubt: string | undefined;
  readonly quarantined: { readonly ruling: Quarantine; readonly end: FlowEnd } | undefined;
  readonly crossed: Crossed | undefined;
  readonly denials: readonly Denial[];
  /** Exceptions that cross the fence and the denials, if there are any. */
  readonly crossings: readonly Line[];
  readonly opens: readonly Line[];
  /** The segment that both are in and that lets its roles talk. */
  readonly intra: string | undefined;
  readonly enclosedFrom: Enclosure | undefined;
  readonly enclosedTo: Enclosure | undefined;
};

/** Gathers what can decide between two ends at an instant. */
export function pairRules(intent: Intent, from: FlowEnd, to: FlowEnd, now: Instant): PairRules {
  const crossed = crossedFence(intent, from, to);
  const denials = denialsBetween(intent, from, to, now);
  const isEnded = crossed !== undefined || denials.length > 0;
  return {
    from,
    to,
    doubt: contradiction(intent, from) ?? contradiction(intent, to),
    quarantined: quarantineOf(intent, from) ?? quarantineOf(intent, to),
    crossed,
    denials,
    crossings: isEnded ? openLines(intent, intent.crossings, [from, to], now) : NO_LINES,
    opens: openLines(intent, intent.opens, [from, to], now),
    intra: intraSegment(intent, from, to),
    enclosedFrom: enclosureOf(intent, from),
    enclosedTo: enclosureOf(intent, to),
  };
}

/** What in an end cannot be true together; undefined where all fits. */
export function contradiction(intent: Intent, end: FlowEnd): string | undefined {
  if (end.kind !== "workload") return undefined;
  if (end.role === undefined)
    return end.segment === undefined ? undefined : `an end is in segment ${end.segment} and has no role`;
  const role = intent.catalogue.roles.get(end.role);
  const segment = role && intent.catalogue.segments.get(role.segment);
  if (!segment) return `role ${end.role} is not in the catalogue`;
  if (end.segment !== segment.name) return `role ${end.role} is in segment ${segment.name}, not ${noneIf(end.segment)}`;
  const differs = DIMENSIONS.find((key) => end[key] !== segment[key]);
  if (differs === undefined) return undefined;
  return `the ${differs} of segment ${segment.name} is ${noneIf(segment[differs])}, not ${noneIf(end[differs])}`;
}

const DIMENSIONS: readonly FenceDimension[] = ["environment", "classification"];
const noneIf = (name: string | undefined): string => name ?? "none";

function quarantineOf(intent: Intent, end: FlowEnd): PairRules["quarantined"] {
  const ruling = intent.quarantineOf(end);
  return ruling && { ruling, end };
}

/** The first fence that two ends are on different sides of; an end without a value is outside all fences. */
export function crossedFence(intent: Intent, from: FlowEnd, to: FlowEnd): Crossed | undefined {
  if (from.kind !== "workload" || to.kind !== "workload") return undefined;
  for (const fence of intent.fences) {
    const [left, right] = [valueOf(from, fence.dimension), valueOf(to, fence.dimension)];
    if (left !== undefined && right !== undefined && left !== right) return { fence, from: left, to: right };
  }
  return undefined;
}

/** The value of an end in a fence's dimension. */
export const valueOf = (end: WorkloadEnd, dimension: FenceDimension): string | undefined => end[dimension];

function intraSegment(intent: Intent, from: FlowEnd, to: FlowEnd): string | undefined {
  if (from.kind !== "workload" || to.kind !== "workload") return undefined;
  const { segment } = from;
  if (segment === undefined || segment !== to.segment) return undefined;
  return intent.catalogue.segments.get(segment)?.intra === "allow" ? segment : undefined;
}

/** What default deny holds an end by, if it does (product rules, "Verdict on a flow"). */
export function enclosureOf(intent: Intent, end: FlowEnd): Enclosure | undefined {
  if (end.kind !== "workload") return undefined;
  const segment = end.segment === undefined ? undefined : intent.catalogue.segments.get(end.segment);
  if (segment && inForce(segment) && (segment.mode === "enforce" || (segment.mode === "canary" && end.inCanary)))
    return { segment: segment.name, mode: segment.mode };
  const around = intent.enclosedNamespaces.get(end.namespace);
  return around && { segment: around.name, mode: around.mode, namespace: end.namespace };
}

function denialsBetween(intent: Intent, from: FlowEnd, to: FlowEnd, now: Instant): readonly Denial[] {
  const denials: Denial[] = [];
  for (const line of linesBetween(intent.denies, from, to)) {
    const left = isActive(line, now) ? meansEnd(line.from, from) : "no";
    const right = left === "no" ? "no" : meansEnd(line.to, to);
    if (right !== "no") denials.push({ line, perhaps: left === "perhaps" || right === "perhaps" });
  }
  return denials;
}

const NO_LINES: readonly Line[] = [];

function openLines(
  intent: Intent,
  index: Intent["opens"],
  [from, to]: readonly [FlowEnd, FlowEnd],
  now: Instant,
): readonly Line[] {
  const lines = linesBetween(index, from, to);
  if (lines.length === 0) return NO_LINES;
  return lines.filter(
    (line) =>
      isActive(line, now) &&
      meansEnd(line.from, from) === "yes" &&
      meansEnd(line.to, to) === "yes" &&
      mayOpen(intent, line, from, to),
  );
}

/**
 * Whether a line is written by somebody who may open this: a sentence by the owner of its destination, or of its source
 * where nobody owns the destination; an exception for a role that one of the ends holds; a guardrail always.
 */
export function mayOpen(intent: Intent, line: Line, from: FlowEnd, to: FlowEnd): boolean {
  if (line.kind === "exception") return holds(from, line.role) || holds(to, line.role);
  if (line.kind !== "sentence" || line.segment === undefined) return true;
  return owns(intent, line.segment, to) || (isUnowned(intent, to) && owns(intent, line.segment, from));
}

const holds = (end: FlowEnd, role: string | undefined): boolean => end.kind === "workload" && end.role === role;

/** Whether a segment owns an end: it is in the segment, or has no role and stands in one of its namespaces. */
export const owns = (intent: Intent, segment: string, end: FlowEnd): boolean =>
  end.kind === "workload" &&
  (end.role === undefined ? ownsNamespace(intent.catalogue, segment, end.namespace) : end.segment === segment);

/** Whether an end is outside all segments. */
export const isUnowned = (intent: Intent, end: FlowEnd): boolean =>
  end.kind !== "workload" ||
  (end.role === undefined && (intent.catalogue.namespaces.get(end.namespace)?.segments.length ?? 0) === 0);
