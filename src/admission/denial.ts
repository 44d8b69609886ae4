import type { Problem } from "../domain/problem.ts";
import { remembered } from "../domain/remembered.ts";
import type { Identity } from "../identity/fit-role.ts";
import type { Verdict } from "./judge.ts";

/** Longest first line of a denial, and longest warning, in characters (API convention for warnings). */
export const LINE_LIMIT = 120;

/** A text of one line, cut to the limit. Control characters would make the API server drop the whole line. */
export function oneLine(text: string, limit = LINE_LIMIT): string {
  const line = text.replace(/\p{Cc}+/gu, " ").trim();
  return line.length <= limit ? line : `${line.slice(0, limit - 1)}…`;
}

/** So many findings are told one by one: whoever brings thousands gets no answer of megabytes. */
const MOST_TOLD = 32;

/** What the user reads: the first refusal in at most 120 characters, then what to do, then the other refusals. */
export function denialMessage(verdict: Verdict): string {
  const refusals = verdict.findings.filter((each) => each.refuses).map((each) => each.problem);
  return [...refusals.slice(0, MOST_TOLD).flatMap(denialLines), ...restOf(refusals, "refusals")].join("\n");
}

const restOf = ({ length }: readonly unknown[], what: string): readonly string[] =>
  length > MOST_TOLD ? [`And ${length - MOST_TOLD} more ${what}.`] : [];

const denialLines = (found: Problem): readonly string[] => {
  const tail = ` [${found.code}]`;
  const head = `${oneLine(found.message, LINE_LIMIT - tail.length)}${tail}`;
  return found.mend === undefined ? [head] : [head, `  ${oneLine(found.mend, 400)}`];
};

/** One warning of at most 120 characters for each finding that does not refuse. */
export function warningsOf({ decision, findings }: Verdict): readonly string[] {
  if (decision === "deny") return [];
  const told = findings.slice(0, MOST_TOLD).map(({ problem: { code, message } }) => oneLine(`${code}: ${message}`));
  return [...told, ...restOf(findings, "findings")];
}

/**
 * What goes into the API server's audit log; keys are plain names (the webhook's name is put before them). Each key costs the
 * API server about as much as a condition does, so of what is admitted without a word and carries role and segment as labels
 * nothing is said but its name (decision 83). Frozen, and always the same, where there is no more to say than who it is.
 */
export function auditAnnotations(
  { decision, identity, problems }: Verdict,
  labelled: boolean,
): Readonly<Record<string, string>> {
  if (problems.length === 0 && identity) return labelled ? nameAlone(identity) : names(identity);
  if (problems.length === 0) return NOTHING;
  const codes = [...new Set(problems.map(({ code }) => code))].join(",");
  return { verdict: decision, ...(identity ? names(identity) : {}), problems: codes };
}

const NOTHING = Object.freeze({});
const nameAlone = remembered(({ spiffeId }: Identity) => Object.freeze({ "spiffe-id": spiffeId }));
const names = remembered(({ role, segment, spiffeId }: Identity) =>
  Object.freeze({ role: role.name, segment: segment.name, "spiffe-id": spiffeId }),
);
