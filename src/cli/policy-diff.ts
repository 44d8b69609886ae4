import type { Command } from "commander";
import { problem } from "../domain/problem.ts";
import { type Change, diffConnectivity, plainText } from "../policy/analysis/diff.ts";
import { portSetText } from "../policy/sets/port-set.ts";
import { badInput, type Outcome } from "./action.ts";
import type { ExitCode, Io } from "./io.ts";
import {
  renderDiffConformance,
  renderDiffCsv,
  renderDiffJson,
  renderDiffMarkdown,
  renderDiffText,
} from "./policy-diff-formats.ts";
import { readManifests, warn } from "./policy-input.ts";
import { renderSarif, type SarifResult } from "./sarif.ts";

type Options = { readonly output: string; readonly multipleNetworks?: boolean };

const FORMATS: Readonly<Record<string, (changes: readonly Change[]) => string>> = {
  text: renderDiffText,
  json: renderDiffJson,
  md: renderDiffMarkdown,
  csv: renderDiffCsv,
  sarif: (changes) => renderDiffSarif(changes),
  conformance: renderDiffConformance,
};

/** Adds `signet policy diff`: pairs gained and lost between two folders. */
export function addDiff(policy: Command, io: Io, outcome: Outcome): void {
  policy
    .command("diff")
    .description("which connections a change of manifests adds and removes (exit 0: none, 1: some)")
    .argument("<dir1>", "folder or file before the change")
    .argument("<dir2>", "folder or file after the change")
    .option("-o, --output <format>", Object.keys(FORMATS).join(", "), "text")
    .option("--multiple-networks", "count user-defined networks, network attachments and VirtualMachines")
    .action((dir1: string, dir2: string, options: Options) => {
      outcome.code = diffCommand(io, dir1, dir2, options);
    });
}

function diffCommand(io: Io, dir1: string, dir2: string, options: Options): ExitCode {
  const render = FORMATS[options.output];
  if (!render)
    return badInput(io, [
      problem("USAGE", "--output", `"${options.output}" is none of ${Object.keys(FORMATS).join(", ")}.`),
    ]);
  const [before, after] = [readManifests(io, [dir1], options), readManifests(io, [dir2], options)];
  if (!before.ok || !after.ok)
    return badInput(io, [...(before.ok ? [] : before.problems), ...(after.ok ? [] : after.problems)]);
  warn(io, [...before.value.warnings, ...after.value.warnings]);
  const changes = diffConnectivity(before.value, after.value);
  io.out(render(changes));
  return changes.length === 0 ? 0 : 1;
}

/** A gain is a warning, a loss a note; it stands where the destination is defined. */
const renderDiffSarif = (changes: readonly Change[]): string => renderSarif(changes.flatMap(sarifResults));

function sarifResults({ source, destination, gained, lost, place }: Change): readonly SarifResult[] {
  const pair = `${plainText(source)} => ${plainText(destination)}`;
  const where = place ? { source: place } : {};
  const results: SarifResult[] = [];
  if (gained.length > 0)
    results.push({
      code: "CONNECTION_GAINED",
      level: "warning",
      message: `${pair} gains ${portSetText(gained)}.`,
      ...where,
    });
  if (lost.length > 0)
    results.push({ code: "CONNECTION_LOST", level: "note", message: `${pair} loses ${portSetText(lost)}.`, ...where });
  return results;
}
