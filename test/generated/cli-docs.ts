import type { Command } from "commander";
import { COMMANDS } from "../../src/bin/commands.ts";
import { commandShapes } from "../../src/cli/completion-model.ts";
import { commandAt } from "../../src/cli/help.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { fakeIo } from "../fakes/io.ts";

/** The whole command line, and the text that its help prints. */
export function wholeProgram(): { readonly program: Command; readonly helpOf: (words: readonly string[]) => string } {
  const { io, printed } = fakeIo({});
  const program = buildProgram(io, { code: 0 }, COMMANDS);
  const helpOf = (words: readonly string[]): string => {
    printed.out = "";
    commandAt(program, words)?.outputHelp();
    return printed.out;
  };
  return { program, helpOf };
}

/** docs/cli.md: the help of every command. */
export function cliDocs(): string {
  const { program, helpOf } = wholeProgram();
  const sections = commandShapes(program).map(({ path }) => {
    const words = path === "" ? [] : path.split(" ");
    return `## signet${path === "" ? "" : ` ${path}`}\n\n\`\`\`text\n${helpOf(words).trimEnd()}\n\`\`\`\n`;
  });
  return `<!-- Made by \`npm run manifests\` from the commands in src/cli; edits are lost. -->

# The command line

Exit codes mean the same for every command: 0 done and nothing refused; 1 a comparison found a difference; 2 bad input; 3 something was refused, or found by lint. A fault of Signet itself is 70.

Colours are used only on a terminal, and not where NO_COLOR is set. \`signet completion bash|zsh|fish\` prints a script that completes commands, options and problem codes. Installed as \`kubectl-signet\`, every command is also \`kubectl signet …\`.

${sections.join("\n")}`;
}
