import type { Command } from "commander";
import { allCrds } from "../wire/crd.ts";
import { yamlStream } from "../wire/yaml-text.ts";
import type { Outcome } from "./action.ts";
import type { Io } from "./io.ts";
import { outputOption, withExamples } from "./options.ts";

/** Adds `signet crds`. */
export function addCrdsCommand(program: Command, io: Io, outcome: Outcome): void {
  const command = program
    .command("crds")
    .summary("print the CustomResourceDefinitions")
    .description("Prints the CustomResourceDefinitions of Signet's eight kinds, ready for `kubectl apply -f -`.")
    .addOption(outputOption(["yaml", "json"]))
    .action(({ output }: { readonly output: string }) => {
      io.out(output === "json" ? jsonList(allCrds()) : yamlStream(allCrds()));
      outcome.code = 0;
    });
  withExamples(command, ["crds | kubectl apply --server-side -f -", "crds --output json"]);
}

const jsonList = (items: readonly object[]): string =>
  `${JSON.stringify({ apiVersion: "v1", kind: "List", items }, null, 2)}\n`;
