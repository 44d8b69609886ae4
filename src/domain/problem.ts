import type { ProblemCode } from "./problem-codes.ts";

/** Where in the input something stands; `line` and `column` count from 1. */
export type Source = { readonly file: string; readonly line: number; readonly column: number };

/**
 * A refusal or a finding, for the person at the keyboard: a stable `code`, the `path` of the field (`spec.match.kinds[0]`,
 * empty for the whole object), one sentence that says what is wrong, and what to do about it.
 */
export type Problem = {
  readonly code: ProblemCode;
  readonly path: string;
  readonly message: string;
  readonly mend?: string;
  readonly source?: Source;
};

/** Either the value, or at least one reason why there is none. Refusals are values; faults are exceptions. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A Result that holds a value. */
export const ok = <T>(value: T): Result<T> => ({ ok: true, value });

/** A Result that refuses, for one reason. */
export const refuse = (code: ProblemCode, path: string, message: string, mend?: string): Result<never> => ({
  ok: false,
  problems: [problem(code, path, message, mend)],
});

/** A Result that refuses, for the reasons given. */
export const refuseAll = (problems: readonly Problem[]): Result<never> => ({ ok: false, problems });

/** A Problem; `mend` is left out where nothing helps. */
export const problem = (code: ProblemCode, path: string, message: string, mend?: string): Problem =>
  mend === undefined ? { code, path, message } : { code, path, message, mend };

/** `file:line:column: path: message`, as far as each is known: the form compilers print and editors jump to. */
export function problemLine(found: Problem): string {
  const place = found.source ? `${found.source.file}:${found.source.line}:${found.source.column}: ` : "";
  const field = found.path === "" ? "" : `${found.path}: `;
  return `${place}${field}${found.message}`;
}
