import { type ApprovalEntry, isWithdrawn } from "../../domain/approvals.ts";
import type { Definitions } from "../../domain/catalogue.ts";
import type { Exception } from "../../domain/definitions.ts";
import { formatInstant, type Instant } from "../../domain/instant.ts";
import type { Approvable, ApprovedRecord } from "../../wire/definitions/approvable.ts";
import type { Candidate } from "./candidate.ts";
import { listed, type Obstacle, type Outcome } from "./conditions.ts";
import { grantedNamespaces, renewal } from "./namespaces.ts";
import type { StatusChange } from "./status-patch.ts";
import type { Tally } from "./tally.ts";

/** What an action is for. */
export type Purpose =
  | "recordApproval"
  | "recordGitOpsApproval"
  | "withdrawApproval"
  | "recordNamespaces"
  | "setConditions";

/** What is to be written about one object, and where it stands then. */
export type Decision = {
  readonly do: Purpose;
  readonly why: string;
  readonly change: StatusChange;
  readonly outcome: Outcome;
  /** The newest generation comes into force, with these namespaces. */
  readonly records?: ApprovedRecord;
};

/** One object whose spec could be read. */
export type Case = {
  readonly approvable: Approvable;
  readonly candidate: Candidate;
  readonly tally: Tally;
  /** Why the newest generation must not come into force, whoever approved it. */
  readonly obstacle: Obstacle | undefined;
  /** The exception as the older generation in force has it. */
  readonly former?: Exception;
};

/** The generation in force: recorded, and not withdrawn since. */
export const recordInForce = ({ approved, approvals }: Approvable): ApprovedRecord | undefined =>
  approved && !isWithdrawn(approved, approvals) ? approved : undefined;

/** Decides about the newest generation of one object: it is in force, comes into force, or waits. */
export function decideGeneration(one: Case, definitions: Definitions, now: Instant): Decision {
  const { approvable, tally, obstacle } = one;
  const inForce = recordInForce(approvable);
  if (inForce?.generation === approvable.generation) return keep(one, inForce, definitions);
  if (obstacle) return wait(one);
  const entries = gitOpsEntries(approvable, tally, now);
  const counted = [...tally.counted, ...entries.map(({ by }) => by)];
  const { needs } = tally;
  if (needs.by === "people" ? counted.length >= needs.people && tally.spokenFor : tally.satisfied)
    return record(one, { counted, entries }, definitions, now);
  if (entries.length === 0) return wait(one);
  return {
    do: "recordGitOpsApproval",
    why: "Every editor is listed in approvals.gitOps: Git was the review.",
    change: { entries },
    outcome: outcomeOf({ ...one, tally: { ...tally, counted } }, inForce),
  };
}

const outcomeOf = (
  { approvable, candidate, tally, obstacle, former }: Case,
  inForce: ApprovedRecord | undefined,
): Outcome => {
  const exception = inForce && inForce.generation !== approvable.generation ? former : candidate.exception;
  return {
    approvable,
    tally,
    ...(inForce ? { inForce } : {}),
    ...(obstacle ? { obstacle } : {}),
    ...(exception ? { exception } : {}),
  };
};

/** Most names that `status.approved.by` holds. */
const MAX_NAMES = 16;

/** The newest generation is in force already; only the namespaces that it names may have changed. */
function keep(one: Case, inForce: ApprovedRecord, definitions: Definitions): Decision {
  const { approvable, candidate, tally } = one;
  const next = candidate.segment && renewal(approvable, inForce, tally, definitions.namespaces);
  if (!next) return settle(outcomeOf(one, inForce));
  // Those who stand behind it by the terms of now: the API server checks the record anew.
  const by = tally.needs.by === "people" ? tally.counted.slice(0, MAX_NAMES) : inForce.by;
  const renewed = { ...inForce, by, namespaceUIDs: next };
  return {
    do: "recordNamespaces",
    why: `The namespaces of generation ${inForce.generation} are recorded, so that others under their names wait.`,
    change: { approved: renewed },
    outcome: outcomeOf(one, renewed),
    records: renewed,
  };
}

/** Nothing comes into force; what was withdrawn goes out of it. */
function wait(one: Case): Decision {
  const { approvable } = one;
  const outcome = outcomeOf(one, recordInForce(approvable));
  if (!approvable.approved || outcome.inForce) return settle(outcome);
  const { by = "somebody" } = approvable.approvals.findLast((entry) => entry.withdraw) ?? {};
  return {
    do: "withdrawApproval",
    why: `Generation ${approvable.approved.generation} was withdrawn by ${by}.`,
    change: { approved: null },
    outcome,
  };
}

/** Only the conditions may have to be written. */
export const settle = (outcome: Outcome): Decision => ({
  do: "setConditions",
  why: "The conditions say where the object stands.",
  change: {},
  outcome,
});

function gitOpsEntries({ editors, generation }: Approvable, tally: Tally, now: Instant): readonly ApprovalEntry[] {
  if (!tally.gitReviewed || tally.needs.by !== "people") return [];
  const missing = editors.filter((editor) => !tally.counted.includes(editor));
  const reason = "Listed in approvals.gitOps: Git was the review.";
  return missing.map((by) => ({ generation, by, at: formatInstant(now), reason, withdraw: false }));
}

const approverNames = ({ approvable, tally: { needs } }: Case, counted: readonly string[]): readonly string[] =>
  needs.by === "people" ? counted : needs.by === "nobody" ? [] : approvable.editors;

function record(
  one: Case,
  { counted, entries }: { readonly counted: readonly string[]; readonly entries: readonly ApprovalEntry[] },
  { namespaces }: Definitions,
  now: Instant,
): Decision {
  const { generation, spec } = one.approvable;
  const names = approverNames(one, counted);
  const approved: ApprovedRecord = {
    generation,
    spec,
    by: names.slice(0, MAX_NAMES),
    at: formatInstant(now),
    ...(one.candidate.segment ? { namespaceUIDs: grantedNamespaces(spec, namespaces) } : {}),
  };
  return {
    do: entries.length > 0 ? "recordGitOpsApproval" : "recordApproval",
    why: `Generation ${generation} comes into force${names.length > 0 ? `, approved by ${listed(names)}` : ""}.`,
    change: { entries, forget: generation, approved },
    outcome: outcomeOf(one, approved),
    records: approved,
  };
}
