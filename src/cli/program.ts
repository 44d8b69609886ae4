import { Command, CommanderError } from "commander";
import type { Outcome } from "./action.ts";
import { addCatalogueCommand } from "./catalogue-export.ts";
import { addCompletionCommand } from "./completion.ts";
import { addCrdsCommand } from "./crds.ts";
import { addFlowsCommand } from "./flows.ts";
import { addHelpCommand } from "./help.ts";
import type { ExitCode, Io } from "./io.ts";
import { addLintCommand } from "./lint.ts";
import { addPolicyCommands } from "./policy-commands.ts";
import { addReachCommand } from "./reach.ts";
import { addReviewCommand } from "./review.ts";
import { addTableCommands } from "./tables.ts";
import { addWhyCommand } from "./why.ts";

/** Commands that live behind another door (the server) and are handed in by bin/. */
export type ExtraCommand = (program: Command, io: Io, outcome: Outcome) => void;

const COMMANDS: readonly ExtraCommand[] = [
  addReviewCommand,
  addWhyCommand,
  addTableCommands,
  addLintCommand,
  addCatalogueCommand,
  addPolicyCommands,
  addReachCommand,
  addFlowsCommand,
  addCrdsCommand,
];

/** Commands about the command line itself; they look at all the others. */
const LAST_COMMANDS: readonly ExtraCommand[] = [addCompletionCommand, addHelpCommand];

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

/** Builds the command line. */
export function buildProgram(io: Io, outcome: Outcome, extra: readonly ExtraCommand[] = []): Command {
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
  for (const add of [...COMMANDS, ...extra, ...LAST_COMMANDS]) add(program, io, outcome);
  for (const command of program.commands) command.helpGroup(groupOf(command.name()));
  program.addHelpText("after", "\n`signet help COMMAND` and `signet COMMAND --help` show examples.");
  return program;
}

/** Runs one command line; `args` are those after the program's name. Bad usage is exit code 2. */
export async function runCli(io: Io, args: readonly string[], extra: readonly ExtraCommand[] = []): Promise<ExitCode> {
  const outcome: Outcome = { code: 0 };
  const program = buildProgram(io, outcome, extra);
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (fault) {
    if (!(fault instanceof CommanderError)) throw fault;
    return fault.exitCode === 0 ? 0 : 2;
  }
  return outcome.code;
}
