/** Who may approve at all: how many different people a generation needs, and whose edits Git has reviewed. */
export type ApprovalTerms = {
  /** 0: whoever holds `approve` approves by editing. */
  readonly required: number;
  /** User names of service accounts. */
  readonly gitOps: readonly string[];
};

/** The terms of a trust domain that says nothing of approvals. */
export const DEFAULT_TERMS: ApprovalTerms = { required: 1, gitOps: [] };

/** One entry of `status.approvals`; approvers only add entries, so their order is their age. */
export type ApprovalEntry = {
  readonly generation: number;
  /** User name as the API server authenticated it. */
  readonly by: string;
  /** When, as the approver wrote it: nothing but a note. */
  readonly at?: string;
  readonly reason?: string;
  /** Takes the approved generation out of force. */
  readonly withdraw: boolean;
  /** Says no to its generation, and leaves the one in force alone. */
  readonly deny?: true;
  /** The segment that the approver speaks for, holding `approve` on it. */
  readonly segment?: string;
};

/** Whether a user name is a service account's; these do not approve. */
export const isServiceAccount = (user: string): boolean => user.startsWith("system:serviceaccount:");

/** The editors that the annotation `signet.dev/editors` names; commas and percent signs in a name are escaped. */
export const readEditors = (annotation: string): readonly string[] =>
  annotation === "" ? [] : annotation.split(",").map((editor) => editor.replaceAll("%2C", ",").replaceAll("%25", "%"));

/**
 * Whether the recorded generation was withdrawn: an entry takes it, or a later one, out of force, and not everybody who had
 * approved it has approved it again since (product rules, "Approval").
 */
export function isWithdrawn(
  approved: { readonly generation: number; readonly by: readonly string[] },
  entries: readonly ApprovalEntry[],
): boolean {
  const last = entries.findLastIndex((entry) => entry.withdraw && entry.generation >= approved.generation);
  if (last === -1) return false;
  const since = entries.slice(last + 1).filter((entry) => !entry.deny && entry.generation === approved.generation);
  return approved.by.length === 0 || !approved.by.every((name) => since.some((entry) => entry.by === name));
}
