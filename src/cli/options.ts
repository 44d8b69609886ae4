import { type Command, InvalidArgumentError, Option } from "commander";
import { type Instant, parseInstant } from "../domain/instant.ts";

/** `-o, --output` with the formats that a command knows; the first is the default. */
export const outputOption = (formats: readonly string[]): Option =>
  new Option("-o, --output <format>", "form of the output").choices([...formats]).default(formats[0]);

/** `-c, --catalogue`, which SIGNET_CATALOGUE stands in for. */
export const catalogueOption = (): Option =>
  new Option("-c, --catalogue <dir>", "folder with the definitions [SIGNET_CATALOGUE]");

/** `--at`: judge as of another moment than now. */
export const atOption = (): Option =>
  new Option("--at <time>", "as of this moment, for example 2027-01-31T00:00:00Z; left out: now").argParser(
    readInstant,
  );

/** `--since`: what was seen from a moment on. */
export const sinceOption = (): Option =>
  new Option("--since <time>", "from this moment on, for example 2027-01-31T00:00:00Z").argParser(readInstant);

function readInstant(text: string): Instant {
  const at = parseInstant(text, "");
  if (at.ok) return at.value;
  throw new InvalidArgumentError("Write it as RFC 3339 says, for example 2027-01-31T00:00:00Z.");
}

/** The meaning of exit codes, the same for every command. */
export const EXIT_CODES =
  "Exit codes: 0 done and nothing refused, 1 a comparison found a difference, 2 bad input, 3 something was refused or found.";

/** Adds examples, one `$ signet …` a line, and `more`, to a command's help. */
export const withExamples = (command: Command, examples: readonly string[], more = EXIT_CODES): Command =>
  command.addHelpText("after", `\nExamples:\n${examples.map((each) => `  $ signet ${each}\n`).join("")}\n${more}`);
