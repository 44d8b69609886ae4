import { type Problem, problemLine } from "../domain/problem.ts";
import type { ExitCode, Io } from "./io.ts";

/** Remembers the exit code of the command that ran; commander itself knows only success and failure. */
export type Outcome = { code: ExitCode };

/** Prints problems to standard error, one a line with its mend, and gives the exit code for bad input. */
export function badInput(io: Io, problems: readonly Problem[]): ExitCode {
  for (const found of problems) {
    io.err(`signet: ${problemLine(found)} [${found.code}]\n`);
    if (found.mend) io.err(`        ${found.mend}\n`);
  }
  return 2;
}
