import { Argument, type Command } from "commander";
import type { Outcome } from "./action.ts";
import { commandShapes } from "./completion-model.ts";
import { SCRIPTS, type Shell, SHELLS } from "./completion-scripts.ts";
import type { Io } from "./io.ts";
import { withExamples } from "./options.ts";

/** Adds `signet completion`. */
export function addCompletionCommand(program: Command, io: Io, outcome: Outcome): void {
  const command = program
    .command("completion")
    .summary("print a script that completes commands in a shell")
    .description("Prints a script that lets a shell complete commands, options, formats and problem codes.")
    .addArgument(new Argument("<shell>", "which shell").choices([...SHELLS]))
    .action((shell: Shell) => {
      io.out(SCRIPTS[shell](commandShapes(program)));
      outcome.code = 0;
    });
  withExamples(command, [
    "completion bash > /etc/bash_completion.d/signet",
    'completion zsh > "$fpath[1]/_signet"',
    "completion fish > ~/.config/fish/completions/signet.fish",
  ]);
}
