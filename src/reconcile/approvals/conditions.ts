import { type ApprovalEntry, isServiceAccount } from "../../domain/approvals.ts";
import type { Exception } from "../../domain/definitions.ts";
import { formatInstant, type Instant } from "../../domain/instant.ts";
import type { Approvable, ApprovedRecord, Condition } from "../../wire/definitions/approvable.ts";
import { type Tally, WAITING } from "./tally.ts";

/** What a condition says; when it began to say so is added by `mergeConditions`. */
export type Said = Omit<Condition, "lastTransitionTime" | "observedGeneration">;

/** Why the newest generation is not approved although enough people may have done so. */
export type Obstacle = { readonly reason: string; readonly message: string };

/** Where an object stands once the action of this round is done. */
export type Outcome = {
  readonly approvable: Approvable;
  /** The generation in force, if any. */
  readonly inForce?: ApprovedRecord;
  readonly tally?: Tally;
  readonly obstacle?: Obstacle;
  /** The exception as it is in force; as it is asked for where nothing of it is. */
  readonly exception?: Exception;
};

/** One condition. */
export const said = (type: string, holds: boolean, reason: string, message: string): Said => ({
  type,
  status: holds ? "True" : "False",
  reason,
  message,
});

/** The conditions Approved (is the newest generation approved?) and Ready (is some generation in force?). */
export const approvalConditions = (outcome: Outcome, now: Instant): readonly Said[] => [
  approvedCondition(outcome),
  readyCondition(outcome, now),
];

function approvedCondition({ approvable, inForce, tally, obstacle }: Outcome): Said {
  const { generation, editors } = approvable;
  if (inForce?.generation === generation) return approvedBy(inForce, editors);
  if (tally?.denied) return said("Approved", false, "Denied", deniedBy(generation, tally.denied));
  if (obstacle) return said("Approved", false, obstacle.reason, obstacle.message);
  if (editors.length === 0)
    return said(
      "Approved",
      false,
      "EditorsUnknown",
      `Who edited generation ${generation} is not known, so nobody can approve it. Edit its spec once more.`,
    );
  if (tally?.withdrawn) return said("Approved", false, "Withdrawn", `Generation ${generation} was withdrawn.`);
  return said("Approved", false, WAITING, waitingFor(approvable, tally));
}

const deniedBy = (generation: number, { by, reason }: ApprovalEntry): string =>
  `Generation ${generation} was denied by ${by}${reason === undefined ? "." : `: ${reason}`}`;

function approvedBy({ generation, by }: ApprovedRecord, editors: readonly string[]): Said {
  const yes = (reason: string, message: string): Said => said("Approved", true, reason, message);
  if (by.length === 0) return yes("NotRequired", `Generation ${generation} needs no approval.`);
  if (by.every(isServiceAccount))
    return yes("GitReviewed", `Generation ${generation} was reviewed in Git; ${listed(by)} wrote it.`);
  if (by.every((user) => editors.includes(user)))
    return yes("ApprovedByEditing", `Generation ${generation} came into force by the edit of ${listed(by)}.`);
  return yes("Approved", `Generation ${generation} was approved by ${listed(by)}.`);
}

function waitingFor({ generation, editors }: Approvable, tally: Tally | undefined): string {
  const needs = tally?.needs;
  const people = needs?.by === "people" ? needs.people : 1;
  const why = needs?.by === "people" && needs.why.length > 0 ? ` (${needs.why.join("; ")})` : "";
  const has = tally && tally.counted.length > 0 ? `, has that of ${listed(tally.counted)}` : "";
  const count = people === 1 ? "the approval of somebody" : `the approval of ${people} people`;
  return `Generation ${generation} needs ${count} other than ${listed(editors)}${why}${has}.`;
}

function readyCondition({ approvable, inForce, exception }: Outcome, now: Instant): Said {
  if (!inForce) return said("Ready", false, "NotInForce", "No generation is in force.");
  if (exception && now >= exception.expires)
    return said("Ready", false, "Ended", `The exception ended at ${formatInstant(exception.expires)}.`);
  if (inForce.generation === approvable.generation)
    return said("Ready", true, "InForce", `Generation ${inForce.generation} is in force.`);
  return said(
    "Ready",
    true,
    "OlderGenerationInForce",
    `Generation ${inForce.generation} stays in force until generation ${approvable.generation} is approved.`,
  );
}

/** Whether the trust domain lets one person edit and approve alike; said aloud on the TrustDomain itself. */
export const selfApprovalCondition = (required: number): Said =>
  required === 0
    ? said("SelfApproval", true, "RequiredIsZero", "approvals.required is 0: whoever may approve approves by editing.")
    : said("SelfApproval", false, "PeopleRequired", `Each generation needs ${required} approval${plural(required)}.`);

/** Whether the namespaces that a segment names are those of its approval. */
export const namespacesCondition = (anew: readonly string[]): Said =>
  anew.length === 0
    ? said("NamespacesApproved", true, "Unchanged", "The namespaces it names are those of its approval.")
    : said("NamespacesApproved", false, "NamespaceRecreated", `Made anew and waiting for approval: ${listed(anew)}.`);

const plural = (count: number): string => (count === 1 ? "" : "s");

/** At most eight names; an approver's list may be long, a condition must not. */
export const listed = (names: readonly string[]): string =>
  names.length <= 8 ? names.join(", ") : `${names.slice(0, 8).join(", ")} and ${names.length - 8} more`;

/**
 * The conditions as they have to be: those said, each in its place, and others left as they are. A condition keeps the time of its last transition
 * as long as its status stays. Undefined where nothing changes.
 */
export function mergeConditions(
  present: readonly Condition[],
  wanted: readonly Said[],
  generation: number,
  now: Instant,
): readonly Condition[] | undefined {
  const merged = wanted.map((one): Condition => {
    const old = present.find(({ type }) => type === one.type);
    const same = old?.status === one.status && old.lastTransitionTime !== "";
    return {
      ...one,
      observedGeneration: generation,
      lastTransitionTime: same ? old.lastTransitionTime : formatInstant(now),
    };
  });
  const kept = present.filter(({ type }) => !OURS.has(type) || merged.some((one) => one.type === type));
  const changed = kept.length < present.length || merged.some((one) => !present.some((old) => isSame(old, one)));
  if (!changed) return undefined;
  const inPlace = kept.map((old) => merged.find(({ type }) => type === old.type) ?? old);
  return [...inPlace, ...merged.filter(({ type }) => !kept.some((old) => old.type === type))];
}

/** Types of which nobody else writes conditions; one that is no longer said goes. */
const OURS: ReadonlySet<string> = new Set([
  "Approved",
  "Ready",
  "NamespacesApproved",
  "SelfApproval",
  "Ending",
  "FellBack",
  "InEffect",
]);

const isSame = (a: Condition, b: Condition): boolean =>
  a.type === b.type &&
  a.status === b.status &&
  a.reason === b.reason &&
  a.message === b.message &&
  a.observedGeneration === b.observedGeneration;
