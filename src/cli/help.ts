import type { Command } from "commander";
import { problem } from "../domain/problem.ts";
import { PROBLEM_CODES, type ProblemCode } from "../domain/problem-codes.ts";
import { nearest } from "../wire/read-object.ts";
import { badInput, type Outcome } from "./action.ts";
import type { ExitCode, Io } from "./io.ts";
import { withExamples } from "./options.ts";
import { painter } from "./paint.ts";
import { table } from "./table.ts";

/** All problem codes, in the order of the table. */
export const ALL_CODES: readonly ProblemCode[] = Object.keys(PROBLEM_CODES).filter(isCode);

/** Whether a text is a problem code. */
function isCode(text: string): text is ProblemCode {
  return Object.hasOwn(PROBLEM_CODES, text);
}

/** Adds `signet help`, for commands and for problem codes. */
export function addHelpCommand(program: Command, io: Io, outcome: Outcome): void {
  program.helpCommand(false);
  const command = program
    .command("help")
    .summary("explain a command or a problem code")
    .description("Explains a command, a problem code, or with `codes` lists every code.")
    .argument("[topic...]", "a command, a problem code such as ROLE_NONE, or codes")
    .action((topic: readonly string[]) => {
      outcome.code = runHelp(program, io, topic);
    });
  withExamples(command, ["help review", "help ROLE_NONE", "help codes"]);
}

function runHelp(program: Command, io: Io, topic: readonly string[]): ExitCode {
  const [first, ...rest] = topic;
  const code = first?.toUpperCase().replaceAll("-", "_") ?? "";
  if (isCode(code) && rest.length === 0) return print(io, explanation(code, io.color));
  if (first === "codes" && rest.length === 0)
    return print(io, table(ALL_CODES.map((each) => [each, PROBLEM_CODES[each].title])));
  const command = commandAt(program, topic);
  if (!command) return unknownTopic(program, io, topic.join(" "));
  command.outputHelp();
  return 0;
}

function print(io: Io, text: string): ExitCode {
  io.out(text);
  return 0;
}

function explanation(code: ProblemCode, color: boolean): string {
  const { title, why, mend } = PROBLEM_CODES[code];
  return `${painter(color)("bold", code)}: ${title}\n\nWhy:  ${why}\n\nMend: ${mend}\n`;
}

/** The command that the words name, or undefined. */
export function commandAt(program: Command, words: readonly string[]): Command | undefined {
  let command: Command | undefined = program;
  for (const word of words) command = command?.commands.find((each) => each.name() === word);
  return command;
}

function unknownTopic(program: Command, io: Io, topic: string): ExitCode {
  const known = [...program.commands.map((command) => command.name()), ...ALL_CODES];
  const near = nearest(topic, known);
  const mend = near ? `Did you mean ${near}?` : "`signet help` lists the commands, `signet help codes` the codes.";
  return badInput(io, [problem("USAGE", "", `There is no command and no problem code "${topic}".`, mend)]);
}
