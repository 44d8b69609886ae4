import { type ApprovalEntry, isServiceAccount } from "../../domain/approvals.ts";
import { type Definitions, inForce } from "../../domain/catalogue.ts";
import type { Approvable } from "../../wire/definitions/approvable.ts";
import type { Candidate } from "./candidate.ts";
import { type MoreNeeded, moreNeeded } from "./second-person.ts";
import { type Established, isLocalTrustDomain } from "./terms.ts";

/**
 * By what a generation comes into force. people: by so many different ones who did not edit it. editing: whoever edits it
 * approves it (`required: 0`; the API server lets only holders of `approve` edit then). nobody: its segment asks for no
 * approval. installer: the first generation of our TrustDomain, on a cluster where nothing is approved yet.
 */
export type Needs =
  | {
      readonly by: "people";
      readonly people: number;
      readonly why: readonly string[];
      /** Segments of each end of an exception across a fence; for one of each somebody has to speak. */
      readonly sides?: MoreNeeded["sides"];
    }
  | { readonly by: "editing" | "nobody" | "installer" };

/** Who has approved the newest generation, and what it needs. */
export type Tally = {
  readonly needs: Needs;
  /** Different people whose entries count, in the order in which they approved. */
  readonly counted: readonly string[];
  /** Whether each side that has to be spoken for is, by different people; true where none has to be. */
  readonly spokenFor: boolean;
  /** Whether Git reviewed it: every editor is listed in `approvals.gitOps`. */
  readonly gitReviewed: boolean;
  /** It was withdrawn, and nobody has approved it since. */
  readonly withdrawn: boolean;
  /** The entry that denied it, where nobody has approved it since. */
  readonly denied?: ApprovalEntry;
  readonly satisfied: boolean;
};

/** What a tally depends on besides the object. */
export type Rules = {
  readonly established: Established;
  readonly definitions: Definitions;
};

/** Counts the approvals of the newest generation. */
export function tally(approvable: Approvable, candidate: Candidate, rules: Rules): Tally {
  const { generation, editors, approvals } = approvable;
  const last = approvals.findLastIndex((entry) => (entry.withdraw || entry.deny) && entry.generation === generation);
  const refusal = approvals[last];
  const withdrawn = refusal !== undefined;
  const gitReviewed = editors.length > 0 && editors.every((editor) => rules.established.terms.gitOps.includes(editor));
  const counts = (entry: ApprovalEntry): boolean =>
    entry.generation === generation && (gitReviewed && editors.includes(entry.by) ? true : isOther(entry.by, editors));
  const entries = approvals.slice(last + 1).filter(counts);
  const counted = [...new Set(entries.map((entry) => entry.by))];
  const needs = afterSecondThoughts(needsOf(approvable, candidate, rules), approvable, withdrawn);
  const spokenFor = needs.by !== "people" || areSpokenFor(needs.sides ?? [], entries);
  const satisfied = isSatisfied(needs, counted.length, editors.length > 0) && spokenFor;
  return {
    needs,
    counted,
    spokenFor,
    gitReviewed: gitReviewed && !withdrawn,
    withdrawn: withdrawn && counted.length === 0,
    ...(refusal?.deny && counted.length === 0 ? { denied: refusal } : {}),
    satisfied,
  };
}

/** Where it is not known who edited, it is not known either that an editor may approve. */
const isSatisfied = (needs: Needs, counted: number, editorsKnown: boolean): boolean =>
  needs.by === "people" ? counted >= needs.people : needs.by !== "editing" || editorsKnown;

/** Whether different people speak for the sides; there are two at most. */
function areSpokenFor(sides: MoreNeeded["sides"], entries: readonly ApprovalEntry[]): boolean {
  const [one = [], other = []] = sides.map((side) => speakers(side, entries));
  if (sides.length < 2) return sides.length === 0 || one.length > 0;
  return one.some((by) => other.some((second) => second !== by));
}

const speakers = (side: readonly string[], entries: readonly ApprovalEntry[]): readonly string[] =>
  entries.filter(({ segment }) => segment !== undefined && side.includes(segment)).map(({ by }) => by);

/** Where nobody knows who edited, nobody can be known to be another. */
const isOther = (user: string, editors: readonly string[]): boolean =>
  editors.length > 0 && !editors.includes(user) && !isServiceAccount(user);

function needsOf(approvable: Approvable, { policy, exception }: Candidate, rules: Rules): Needs {
  const { definitions } = rules;
  const { terms, trustDomain } = rules.established;
  if (trustDomain === "installing" && isLocalTrustDomain(approvable)) return { by: "installer" };
  const segment = policy && definitions.segments.find(({ name }) => name === policy.segment);
  if (segment && inForce(segment) && segment.policyApproval === "none") return { by: "nobody" };
  return peopleFor(terms.required, strangers(approvable, rules), exception && moreNeeded(exception, definitions));
}

/** So many as the terms ask for, and one more for each reason; across a fence different people for its two sides. */
function peopleFor(required: number, strange: readonly string[], more: MoreNeeded | undefined): Needs {
  const { why: reason, sides = [] } = more ?? {};
  const why = reason === undefined ? strange : [...strange, reason];
  const people = Math.max(required + why.length, sides.length);
  if (people === 0) return { by: "editing" };
  return { by: "people", people, why, ...(sides.length > 0 ? { sides } : {}) };
}

/** A service account that Git did not review asks for one person more. */
function strangers({ editors }: Approvable, { established }: Rules): readonly string[] {
  const { gitOps } = established.terms;
  const stranger = editors.find((editor) => isServiceAccount(editor) && !gitOps.includes(editor));
  return stranger === undefined ? [] : [`${stranger} edited it and is not listed in approvals.gitOps`];
}

/**
 * Editing approves only at the moment of editing: a generation that was withdrawn, or that was edited while it still needed
 * people, waits for one of them.
 */
function afterSecondThoughts(needs: Needs, approvable: Approvable, withdrawn: boolean): Needs {
  if (needs.by === "people" || needs.by === "installer") return needs;
  if (withdrawn) return { by: "people", people: 1, why: ["it was withdrawn or denied"] };
  const waits = approvable.conditions.some(
    ({ type, status, reason, observedGeneration }) =>
      type === "Approved" && status === "False" && reason === WAITING && observedGeneration === approvable.generation,
  );
  if (needs.by === "nobody" || !waits) return needs;
  return { by: "people", people: 1, why: ["it was edited while approval was required"] };
}

/** Reason of the condition Approved while people are asked for. */
export const WAITING = "WaitingForApproval";
