import type { Command } from "commander";
import { exportDefinitions } from "../wire/export.ts";
import { yamlStream } from "../wire/yaml-text.ts";
import { badInput, type Outcome } from "./action.ts";
import type { ExitCode, Io } from "./io.ts";
import { loadCatalogue } from "./load-catalogue.ts";
import { catalogueOption, outputOption, withExamples } from "./options.ts";

type Options = { readonly catalogue?: string; readonly output: string };

/** Adds `signet catalogue export`. */
export function addCatalogueCommand(program: Command, io: Io, outcome: Outcome): void {
  const catalogue = program
    .command("catalogue")
    .summary("work with the definitions as a whole")
    .description("Works with the definitions as a whole.");
  const command = catalogue
    .command("export")
    .summary("print all definitions, whole and sorted")
    .description(
      "Prints every definition and Namespace with defaults filled in, sorted, and with the status that says what is approved. Exporting an export gives the same, and so do verdicts by it.",
    )
    .addOption(catalogueOption())
    .addOption(outputOption(["yaml", "json"]))
    .action((options: Options) => {
      outcome.code = runExport(io, options);
    });
  withExamples(command, [
    "catalogue export --catalogue policy/ > exported/catalogue.yaml",
    "catalogue export -c policy/ --output json",
  ]);
}

function runExport(io: Io, { catalogue, output }: Options): ExitCode {
  const loaded = loadCatalogue(io, catalogue);
  const exported = loaded.ok ? exportDefinitions(loaded.value.objects) : loaded;
  if (!exported.ok) return badInput(io, exported.problems);
  const items = exported.value;
  io.out(
    output === "json" ? `${JSON.stringify({ apiVersion: "v1", kind: "List", items }, null, 2)}\n` : yamlStream(items),
  );
  return 0;
}
