import { type Problem, problem } from "../domain/problem.ts";
import { PROBLEM_CODES } from "../domain/problem-codes.ts";
import { httpStatus } from "./statuses.ts";

/** Media type of a refusal (RFC 9457 §3). */
export const PROBLEM_TYPE = "application/problem+json";

/** A refusal as HTTP says it: the status of its first problem, and a body that names every one. */
export type HttpRefusal = { readonly status: number; readonly body: string };

/** Renders problems, of which there is at least one. `status` where HTTP itself has a more exact one (405, 415). */
export function renderProblems(problems: readonly Problem[], status?: number): HttpRefusal {
  const first = problems[0] ?? problem("INTERNAL", "", "The server failed.");
  const code = status ?? httpStatus(first.code);
  const body = {
    type: `urn:signet:problem:${first.code}`,
    title: PROBLEM_CODES[first.code].title,
    status: code,
    detail: first.message,
    code: first.code,
    problems: problems.map(({ code, path, message, mend }) => ({ code, path, message, mend })),
  };
  return { status: code, body: `${JSON.stringify(body)}\n` };
}
