import type { Command } from "commander";
import type { Instant } from "../domain/instant.ts";
import { ok, type Problem, problem, problemLine, type Result } from "../domain/problem.ts";
import type { ProblemCode } from "../domain/problem-codes.ts";
import { lintSentences } from "../policy/lint-own/lint.ts";
import { lintPolicies } from "../policy/lint/lint.ts";
import { badInput, type Outcome } from "./action.ts";
import { type InventoryOptions, readInventory } from "./inventory.ts";
import type { ExitCode, Io } from "./io.ts";
import { atOption } from "./options.ts";
import { readManifests, warn } from "./policy-input.ts";
import { renderSarif, type SarifResult } from "./sarif.ts";

type Options = InventoryOptions & { readonly output: string; readonly at?: Instant };

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
    .option("-o, --output <format>", Object.keys(FORMATS).join(", "), "text")
    .option("-c, --catalogue <dir>", "also lint the sentences, guardrails and exceptions of this folder")
    .addOption(atOption())
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
  const linted = lintAll(io, dirs, options);
  if (!linted.ok) return badInput(io, linted.problems);
  const { findings, warnings } = linted.value;
  warn(
    io,
    warnings.filter(({ code }) => !findings.some((found) => found.code === code)),
  );
  io.out(render(findings));
  return findings.length > 0 ? 3 : 0;
}

type Linted = { readonly findings: readonly Problem[]; readonly warnings: readonly Problem[] };

/** Findings in the foreign policies; and, where a catalogue is named, in our own kinds. */
function lintAll(io: Io, dirs: readonly string[], options: Options): Result<Linted> {
  if (options.catalogue === undefined) {
    const world = readManifests(io, dirs, options);
    return world.ok ? ok({ findings: lintPolicies(world.value), warnings: world.value.warnings }) : world;
  }
  const inventory = readInventory(io, dirs, options);
  if (!inventory.ok) return inventory;
  const { world, intent, members } = inventory.value;
  const ends = members.map(({ end }) => end);
  const own = lintSentences(intent, ends, options.at ?? io.now());
  return ok({ findings: [...lintPolicies(world), ...own], warnings: world.warnings });
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
  SENTENCE_CONTRADICTED: "error",
  SENTENCE_IDLE: "error",
  SENTENCE_DEAD: "error",
  SENTENCE_CONSOLIDATABLE: "note",
  SENTENCE_DUPLICATE: "note",
  POLICY_CONSOLIDATABLE: "note",
  POLICY_DUPLICATE: "note",
};

const levelOf = (code: ProblemCode): SarifResult["level"] => LEVELS[code] ?? "warning";
