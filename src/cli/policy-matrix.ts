import type { Command } from "commander";
import { problem } from "../domain/problem.ts";
import { parseOnePort } from "../policy/analysis/focus.ts";
import { type Cell, podMatrix } from "../policy/analysis/matrix.ts";
import { badInput, type Outcome } from "./action.ts";
import type { ExitCode, Io } from "./io.ts";
import { readManifests, warn } from "./policy-input.ts";
import { csvCell } from "./policy-listing-tables.ts";

type Options = { readonly output: string; readonly multipleNetworks?: boolean };

const FORMATS: Readonly<Record<string, (cells: readonly Cell[]) => string>> = {
  text: (cells) =>
    cells
      .map(({ source, destination, allowed }) => `src: ${source}, dest: ${destination}, allowed conns: ${allowed}\n`)
      .join(""),
  json: (cells) =>
    `${JSON.stringify(
      cells.map(({ source, destination, allowed }) => ({ src: source, dst: destination, allowed })),
      null,
      2,
    )}\n`,
  csv: (cells) =>
    [
      "src,dst,allowed",
      ...cells.map(({ source, destination, allowed }) => [source, destination, String(allowed)].map(csvCell).join(",")),
    ]
      .map((line) => `${line}\n`)
      .join(""),
};

/** Adds `signet policy matrix`: every Pod with every Pod on one port. */
export function addMatrix(policy: Command, io: Io, outcome: Outcome): void {
  policy
    .command("matrix")
    .description("which Pod may reach which on one port")
    .argument("<dir>", "folder or file of manifests")
    .argument("<port>", "protocol and port, as TCP/80")
    .option("-o, --output <format>", "text, json or csv", "text")
    .option("--multiple-networks", "count user-defined networks, network attachments and VirtualMachines")
    .action((dir: string, port: string, options: Options) => {
      outcome.code = matrixCommand(io, dir, port, options);
    });
}

function matrixCommand(io: Io, dir: string, text: string, options: Options): ExitCode {
  const render = FORMATS[options.output];
  const port = parseOnePort(text);
  if (!render)
    return badInput(io, [
      problem("USAGE", "--output", `"${options.output}" is none of ${Object.keys(FORMATS).join(", ")}.`),
    ]);
  if (!port) return badInput(io, [problem("USAGE", "", `"${text}" is no port such as TCP/80.`)]);
  const world = readManifests(io, [dir], options);
  if (!world.ok) return badInput(io, world.problems);
  warn(io, world.value.warnings);
  io.out(render(podMatrix(world.value, port)));
  return 0;
}
