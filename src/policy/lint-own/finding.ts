import { type Problem, problem } from "../../domain/problem.ts";
import type { ProblemCode } from "../../domain/problem-codes.ts";
import { type Fence, type Line, rulingText } from "../intent/line.ts";

/** A finding about a line, at its place. */
export const finding = (code: ProblemCode, line: Line, message: string, mend?: string): Problem => ({
  ...problem(code, line.path, `${line.object}: ${message}`, mend),
  ...(line.source ? { source: line.source } : {}),
});

/** Another line, as a finding names it. */
export const named = (line: Line | Fence): string => rulingText(line);
