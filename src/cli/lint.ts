import type { Command } from "commander";
import type { Instant } from "../domain/instant.ts";
import type { Problem } from "../domain/problem.ts";
import { lintDefinitions } from "../identity/lint-definitions.ts";
import type { Finding } from "../identity/lint/finding.ts";
import type { KubeObject } from "../wire/objects.ts";
import { placeOfPath } from "../wire/path-steps.ts";
import { badInput, type Outcome } from "./action.ts";
import type { ExitCode, Io } from "./io.ts";
import { githubText, jsonText, lintText, type Reported, sarifText } from "./lint-output.ts";
import { cataloguePath, type Loaded, loadFolders, noCatalogue } from "./load-catalogue.ts";
import { atOption, catalogueOption, EXIT_CODES, outputOption, withExamples } from "./options.ts";

type Options = {
  readonly catalogue?: string;
  readonly output: string;
  readonly strict?: boolean;
  readonly at?: Instant;
};

const MORE = `Errors are what admission would refuse, or what has no effect: ambiguous roles, identities and namespaces that span
segments, dead roles and names. Warnings (accounts that roles share, unused segments, no trust domain, ended
exceptions, environments that nobody has) fail only with --strict.

${EXIT_CODES}`;

/** Adds `signet lint`. */
export function addLintCommand(program: Command, io: Io, outcome: Outcome): void {
  const command = program
    .command("lint")
    .summary("find what is dead, ambiguous or shared in definitions")
    .description("Looks for mistakes in definitions: what is dead, ambiguous, shared, or spans segments.")
    .argument("[path...]", "files or folders with definitions; besides these, the catalogue")
    .addOption(catalogueOption())
    .addOption(outputOption(["text", "json", "sarif", "github"]))
    .option("--strict", "let warnings fail too")
    .addOption(atOption())
    .action((paths: readonly string[], options: Options) => {
      outcome.code = runLint(io, paths, options);
    });
  withExamples(command, ["lint policy/", "lint policy/ --strict --output github", "lint -o sarif > lint.sarif"], MORE);
}

function runLint(io: Io, paths: readonly string[], options: Options): ExitCode {
  const catalogue = paths.length > 0 ? options.catalogue : cataloguePath(io, options.catalogue);
  const folders = [...new Set([...paths, ...(catalogue === undefined ? [] : [catalogue])])];
  const loaded = folders.length === 0 ? noCatalogue() : loadFolders(io, folders);
  if (!loaded.ok) return unreadable(io, loaded.problems, options.output);
  const reported = report(loaded.value, options.at ?? io.now());
  io.out(render(io, reported, options.output));
  const failing = options.strict ? reported : reported.filter(({ weight }) => weight === "error");
  return failing.length > 0 ? 3 : 0;
}

/** Tools that read findings are handed unreadable input as such, besides the exit code. */
function unreadable(io: Io, problems: readonly Problem[], output: string): ExitCode {
  const reported = problems.map(
    (found): Reported => ({ weight: "error", subject: { kind: "", name: "" }, problem: found }),
  );
  if (output === "sarif" || output === "github") io.out(render(io, reported, output));
  return badInput(io, problems);
}

const render = (io: Io, reported: readonly Reported[], output: string): string => {
  if (output === "json") return jsonText(reported);
  if (output === "sarif") return sarifText(reported);
  return output === "github" ? githubText(reported) : lintText(reported, io.color);
};

/** Findings with the line of the very field that they speak of. */
export function report({ catalogue, objects }: Loaded, now: Instant): readonly Reported[] {
  const byName = new Map(objects.map((object) => [keyOf(object.kind, object.namespace, object.name), object]));
  return lintDefinitions(catalogue, now).map((found) => located(found, byName));
}

function located(found: Finding, objects: ReadonlyMap<string, KubeObject>): Reported {
  const { kind, namespace, name } = found.subject;
  const object = objects.get(keyOf(kind, namespace ?? "", name)) ?? objects.get(keyOf(kind, "", name));
  if (!object) return found;
  return { ...found, problem: { ...found.problem, source: placeOfPath(object, found.problem.path) } };
}

const keyOf = (kind: string, namespace: string, name: string): string => `${kind}/${namespace}/${name}`;
