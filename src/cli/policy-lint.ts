import type { Command } from "commander";
import { type Problem, problem, problemLine } from "../domain/problem.ts";
import type { ProblemCode } from "../domain/problem-codes.ts";
import { lintPolicies } from "../policy/lint/lint.ts";
import { badInput, type Outcome } from "./action.ts";
import type { ExitCode, Io } from "./io.ts";
import { readManifests, warn } from "./policy-input.ts";
import { renderSarif, type SarifResult } from "./sarif.ts";

type Options = { readonly output: string; readonly multipleNetworks?: boolean };

const FORMATS: Readonly<Record<string, (findings: readonly Problem[]) => string>> = {
  text: renderText,
  json: (findings) => `${JSON.stringify(findings, null, 2)}\n`,
  sarif: (findings) => renderSarif(findings.map((found) => ({ ...found, level: levelOf(found.code) }))),
};

/** Adds `signet policy lint`. */
export function addLint(policy: Command, io: Io, outcome: Outcome): void {
  policy
    .command("lint")
    .description(
      "what is duplicate, contradictory, redundant, shadowed, dead or too wide in policies (exit 3: something is)",
    )
    .argument("<dir...>", "folders or files of manifests")
    .option("--output <format>", Object.keys(FORMATS).join(", "), "text")
    .option("--multiple-networks", "count user-defined networks, network attachments and VirtualMachines")
    .action((dirs: readonly string[], options: Options) => {
      outcome.code = lintCommand(io, dirs, options);
    });
}

function lintCommand(io: Io, dirs: readonly string[], options: Options): ExitCode {
  const render = FORMATS[options.output];
  if (!render)
    return badInput(io, [
      problem("USAGE", "--output", `"${options.output}" is none of ${Object.keys(FORMATS).join(", ")}.`),
    ]);
  const world = readManifests(io, dirs, options);
  if (!world.ok) return badInput(io, world.problems);
  const findings = lintPolicies(world.value);
  warn(
    io,
    world.value.warnings.filter(({ code }) => !findings.some((found) => found.code === code)),
  );
  io.out(render(findings));
  return findings.length > 0 ? 3 : 0;
}

function renderText(findings: readonly Problem[]): string {
  if (findings.length === 0) return "Nothing found.\n";
  const lines = findings.map(
    (found) => `${problemLine(found)} [${found.code}]\n${found.mend ? `    ${found.mend}\n` : ""}`,
  );
  return `${lines.join("")}\n${findings.length} ${findings.length === 1 ? "finding" : "findings"}\n`;
}

const LEVELS: Readonly<Partial<Record<ProblemCode, SarifResult["level"]>>> = {
  POLICY_CONTRADICTION: "error",
  SERVICE_UNREACHABLE: "error",
  SELECTOR_DEAD: "error",
  POLICY_CONSOLIDATABLE: "note",
  POLICY_DUPLICATE: "note",
};

const levelOf = (code: ProblemCode): SarifResult["level"] => LEVELS[code] ?? "warning";
