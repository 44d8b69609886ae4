import type { Flow, FlowData, FlowEnd, Passage } from "../../domain/flow.ts";
import type { Instant } from "../../domain/instant.ts";
import type { DataClause } from "../../domain/sentences.ts";
import { admitsData } from "./data.ts";
import type { Intent } from "./intent.ts";
import type { Fence, Line, Quarantine, Ruling } from "./line.ts";
import { type Crossed, type Enclosure, type PairRules, pairRules } from "./pair.ts";
import { meansPassage, senseless } from "./passages.ts";

/** What decided on a flow, or on one of its doors. */
export type Reason =
  /** Something is not known or contradicts itself. */
  | { readonly kind: "unknown"; readonly what: string }
  | { readonly kind: "quarantined"; readonly ruling: Quarantine; readonly end: FlowEnd }
  /** `perhaps`: it cannot be told whether the denial means this, so it does. */
  | { readonly kind: "denied"; readonly ruling: Line; readonly perhaps: boolean }
  | { readonly kind: "fenced"; readonly ruling: Fence; readonly crossed: Crossed }
  /** Lines open it; `crosses` is what an exception lifts. */
  | { readonly kind: "granted"; readonly rulings: readonly Line[]; readonly crosses?: Line | Fence }
  | { readonly kind: "intra"; readonly segment: string }
  /** Lines open it, and none of them for this data. */
  | { readonly kind: "data"; readonly rulings: readonly Line[] }
  /** Default deny. */
  | { readonly kind: "enclosed"; readonly by: Enclosure }
  /** Default allow: the end is in no segment in force. */
  | { readonly kind: "open" }
  /** The end has no door of ours. */
  | { readonly kind: "no-door" };

/** How one door treats the flow. */
export type DoorVerdict = { readonly allowed: boolean; readonly reason: Reason };

/** The verdict on one flow under our own kinds. */
export type IntentVerdict = {
  readonly allowed: boolean;
  readonly reason: Reason;
  /** The source's door. */
  readonly egress: DoorVerdict;
  /** The destination's door. */
  readonly ingress: DoorVerdict;
  /** Which data may pass where it is allowed; `any` where some line, or none at all, limits it. */
  readonly data: "any" | readonly DataClause[];
  /** Whether what decided is approved; `unchecked` where a bare folder cannot know. */
  readonly approval: "approved" | "unchecked";
};

/**
 * The verdict on a flow at an instant (product rules, "Verdict on a flow"): a quarantine, a guardrail's denial or a fence
 * ends it, unless an active exception names exactly this; a guardrail's allow, a sentence or an exception opens both doors;
 * else it is denied if either end is enclosed.
 */
export const verdictOn = (intent: Intent, flow: Flow, now: Instant): IntentVerdict =>
  decidePassage(pairRules(intent, flow.from, flow.to, now), flow.passage, flow.data);

/** Decides one passage between two ends whose rules are gathered. */
export function decidePassage(rules: PairRules, passage: Passage, data?: FlowData): IntentVerdict {
  const reason = reasonFor(rules, passage, data);
  if (reason.kind !== "enclosed" && reason.kind !== "open") return decided(rules, reason);
  return {
    allowed: reason.kind === "open",
    reason,
    egress: doorByDefault(rules.from, rules.enclosedFrom),
    ingress: doorByDefault(rules.to, rules.enclosedTo),
    data: "any",
    approval: "approved",
  };
}

function reasonFor(rules: PairRules, passage: Passage, data: FlowData | undefined): Reason {
  const nonsense = senseless(passage) ?? rules.doubt;
  if (nonsense !== undefined) return { kind: "unknown", what: nonsense };
  if (rules.quarantined) return { kind: "quarantined", ...rules.quarantined };
  const ending = endingReason(rules, passage);
  if (ending) return crossing(rules, passage, data, ending);
  const rulings = rules.opens.filter((line) => meansPassage(line.on, passage, rules.to) === "yes");
  if (rules.intra !== undefined && !rulings.some(limitless)) return { kind: "intra", segment: rules.intra };
  if (rulings.length > 0) return granted(rules, rulings, data);
  const by = rules.enclosedFrom ?? rules.enclosedTo;
  return by ? { kind: "enclosed", by } : { kind: "open" };
}

const limitless = (line: Line): boolean => line.data === undefined;

/** A guardrail's denial or a fence. */
function endingReason(rules: PairRules, passage: Passage): Extract<Reason, { kind: "denied" | "fenced" }> | undefined {
  if (rules.crossed) return { kind: "fenced", ruling: rules.crossed.fence, crossed: rules.crossed };
  for (const { line, perhaps } of rules.denials) {
    const meant = meansPassage(line.on, passage, rules.to);
    if (meant !== "no") return { kind: "denied", ruling: line, perhaps: perhaps || meant === "perhaps" };
  }
  return undefined;
}

function crossing(
  rules: PairRules,
  passage: Passage,
  data: FlowData | undefined,
  ending: Extract<Reason, { kind: "denied" | "fenced" }>,
): Reason {
  const rulings = rules.crossings.filter((line) => meansPassage(line.on, passage, rules.to) === "yes");
  if (rulings.length === 0) return ending;
  const reason = granted(rules, rulings, data);
  return reason.kind === "granted" ? { ...reason, crosses: ending.ruling } : reason;
}

/** Lines open a flow; where each of them is for certain data only and either end is enclosed, the data must be among it. */
function granted(rules: PairRules, rulings: readonly Line[], data: FlowData | undefined): Reason {
  const enclosed = rules.enclosedFrom !== undefined || rules.enclosedTo !== undefined;
  if (data === undefined || !enclosed || rulings.some((line) => admitsData(line.data, data)))
    return { kind: "granted", rulings };
  return { kind: "data", rulings };
}

function decided(rules: PairRules, reason: Reason): IntentVerdict {
  const allowed = reason.kind === "granted" || reason.kind === "intra";
  const door = (end: FlowEnd): DoorVerdict =>
    end.kind === "workload" ? { allowed, reason } : { allowed: true, reason: { kind: "no-door" } };
  const clauses = reason.kind === "granted" ? reason.rulings.flatMap((line) => line.data ?? []) : [];
  const limited = reason.kind === "granted" && !reason.rulings.some(limitless);
  return {
    allowed,
    reason,
    egress: door(rules.from),
    ingress: door(rules.to),
    data: limited ? clauses : "any",
    approval: rulingsOf(reason).some(({ approval }) => approval !== "approved") ? "unchecked" : "approved",
  };
}

/** The rules that a reason rests on. */
export function rulingsOf(reason: Reason): readonly Ruling[] {
  if ("ruling" in reason) return [reason.ruling];
  if (!("rulings" in reason)) return [];
  return "crosses" in reason && reason.crosses ? [...reason.rulings, reason.crosses] : reason.rulings;
}

function doorByDefault(end: FlowEnd, enclosure: Enclosure | undefined): DoorVerdict {
  if (end.kind !== "workload") return { allowed: true, reason: { kind: "no-door" } };
  return enclosure
    ? { allowed: false, reason: { kind: "enclosed", by: enclosure } }
    : { allowed: true, reason: { kind: "open" } };
}
