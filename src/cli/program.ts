import { Command, CommanderError } from "commander";
import type { Outcome } from "./action.ts";
import type { ExitCode, Io } from "./io.ts";

/** Adds a command, or several, to the command line. */
export type AddCommand = (program: Command, io: Io, outcome: Outcome) => void;

const HELP_WIDTH = 100;

/** Headings under which `signet help` lists commands; those that stand in none are about running Signet. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  "Workloads:": ["review", "why", "report"],
  "Definitions:": ["init", "roles", "segments", "exceptions", "lint", "catalogue", "crds"],
  "Who may talk to whom:": ["policy", "reach", "flows"],
  "About Signet:": ["version", "completion", "help"],
};

const groupOf = (name: string): string =>
  Object.keys(GROUPS).find((heading) => GROUPS[heading]?.includes(name)) ?? "Running Signet:";

/** Builds a command line that has those commands. */
export function buildProgram(io: Io, outcome: Outcome, commands: readonly AddCommand[]): Command {
  const program = new Command("signet")
    .description("Microsegmentation by identity: who a workload is, and who it may talk to.")
    .configureOutput({
      writeOut: io.out,
      writeErr: io.err,
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
      getOutHasColors: () => io.color,
      getErrHasColors: () => false,
    })
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError("(`signet help` shows all commands)");
  for (const add of commands) add(program, io, outcome);
  for (const command of program.commands) command.helpGroup(groupOf(command.name()));
  program.addHelpText("after", "\n`signet help COMMAND` and `signet COMMAND --help` show examples.");
  return program;
}

/** Runs one command line; `args` are those after the program's name. Bad usage is exit code 2. */
export async function runCli(io: Io, args: readonly string[], commands: readonly AddCommand[]): Promise<ExitCode> {
  const outcome: Outcome = { code: 0 };
  const program = buildProgram(io, outcome, commands);
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (fault) {
    if (!(fault instanceof CommanderError)) throw fault;
    return fault.exitCode === 0 ? 0 : 2;
  }
  return outcome.code;
}
