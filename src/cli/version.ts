import type { Outcome } from "./action.ts";
import type { Io } from "./io.ts";
import { outputOption, withExamples } from "./options.ts";
import type { AddCommand } from "./program.ts";

/** What is running, and on what. */
export type Version = { readonly signet: string; readonly node: string; readonly platform: string };

/** Makes `signet version` out of what bin/ knows of itself. */
export const versionCommand =
  (version: () => Version): AddCommand =>
  (program, io: Io, outcome: Outcome) => {
    program.version(version().signet, "-V, --version", "print the version");
    const command = program
      .command("version")
      .summary("print the version")
      .description("Prints the version of Signet, and the Node and platform that it runs on.")
      .addOption(outputOption(["text", "json"]))
      .action(({ output }: { readonly output: string }) => {
        const { signet, node, platform } = version();
        io.out(
          output === "json"
            ? `${JSON.stringify({ signet, node, platform }, null, 2)}\n`
            : `signet ${signet} (Node ${node}, ${platform})\n`,
        );
        outcome.code = 0;
      });
    withExamples(command, ["version", "version --output json"]);
  };
