import { readServerConfig } from "../wire/config.ts";
import { badInput } from "./action.ts";
import { withExamples } from "./options.ts";
import type { AddCommand } from "./program.ts";

/** Adds `signet config check FILE`: the reader that the server itself uses. */
export const addConfigCommand: AddCommand = (program, io, outcome) => {
  const config = program.command("config").summary("check a server's configuration");
  const check = config
    .command("check")
    .description("Reads a server's configuration as the server would, and prints what holds.")
    .argument("<file>", "the YAML file, or - for standard input")
    .action((path: string) => {
      const files = io.readInputs([path]);
      const read = files.ok ? readServerConfig(files.value[0], {}) : files;
      if (read.ok) io.out(`${JSON.stringify(read.value, undefined, 2)}\n`);
      else outcome.code = badInput(io, read.problems);
    });
  withExamples(check, ["config check signet.yaml"]);
};
