import { Command, CommanderError } from "commander";
import type { Outcome } from "./action.ts";
import type { ExitCode, Io } from "./io.ts";
import { addPolicyCommands } from "./policy-commands.ts";
import { addReviewCommand } from "./review.ts";

/** Commands that live behind another door (the server) and are handed in by bin/. */
export type ExtraCommand = (program: Command, io: Io, outcome: Outcome) => void;

/** Builds the command line. */
export function buildProgram(io: Io, outcome: Outcome, extra: readonly ExtraCommand[] = []): Command {
  const program = new Command("signet")
    .description("Microsegmentation by identity: who a workload is, and who it may talk to.")
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .exitOverride()
    .showHelpAfterError("(`signet help` shows all commands)");
  for (const add of [addReviewCommand, addPolicyCommands, ...extra]) add(program, io, outcome);
  return program;
}

/** Runs one command line; `args` are those after the program's name. Bad usage is exit code 2. */
export async function runCli(io: Io, args: readonly string[], extra: readonly ExtraCommand[] = []): Promise<ExitCode> {
  const outcome: Outcome = { code: 0 };
  const program = buildProgram(io, outcome, extra);
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (fault) {
    if (!(fault instanceof CommanderError)) throw fault;
    return fault.exitCode === 0 ? 0 : 2;
  }
  return outcome.code;
}
