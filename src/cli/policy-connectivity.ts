import type { Command } from "commander";
import { problem } from "../domain/problem.ts";
import { explainConnectivity } from "../policy/analysis/explain.ts";
import { type Focus, parseOnePort } from "../policy/analysis/focus.ts";
import { type Listing, listConnectivity, listWarnings } from "../policy/analysis/listing.ts";
import type { World } from "../policy/model/world.ts";
import { badInput, type Outcome } from "./action.ts";
import type { Io } from "./io.ts";
import { renderExplainText } from "./policy-explain-text.ts";
import { readManifests, warn } from "./policy-input.ts";
import { renderListDot, renderListSvg } from "./policy-listing-graphs.ts";
import { renderListCsv, renderListJson, renderListMarkdown } from "./policy-listing-tables.ts";
import { renderListText } from "./policy-listing-text.ts";

type Options = {
  readonly output: string;
  readonly multipleNetworks?: boolean;
  readonly focusWorkload: readonly string[];
  readonly focusPeer: readonly string[];
  readonly focusDirection?: string;
  readonly focusConn?: string;
  readonly explain?: boolean;
  readonly explainOnly?: string;
};

const FORMATS: Readonly<Record<string, (listing: Listing) => string>> = {
  text: renderListText,
  json: renderListJson,
  csv: renderListCsv,
  md: renderListMarkdown,
  dot: renderListDot,
  svg: renderListSvg,
};

/** Adds `signet policy connectivity`. */
export function addConnectivity(policy: Command, io: Io, outcome: Outcome): void {
  const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];
  policy
    .command("connectivity")
    .description("list who may reach whom under the policies of a folder")
    .argument("<dir...>", "folders or files of manifests")
    .option("--output <format>", "text, json, csv, md, dot or svg", "text")
    .option("--multiple-networks", "count user-defined networks, network attachments and VirtualMachines")
    .option("--focus-workload <name>", "only pairs with this workload, as name or namespace/name; repeatable", collect, [])
    .option("--focus-peer <name>", "with --focus-workload: only pairs with this other side; repeatable", collect, [])
    .option("--focus-direction <direction>", "with --focus-workload: ingress or egress")
    .option("--focus-conn <port>", "only pairs that may use this port, as tcp-80")
    .option("--explain", "say for each pair which policies and rules decide")
    .option("--explain-only <half>", "with --explain: allow or deny")
    .action((dirs: readonly string[], options: Options) => {
      outcome.code = connectivityCommand(io, dirs, options);
    });
}

function connectivityCommand(io: Io, dirs: readonly string[], options: Options): Outcome["code"] {
  const render = FORMATS[options.output];
  if (!render) return badInput(io, [problem("USAGE", "--output", `"${options.output}" is none of ${Object.keys(FORMATS).join(", ")}.`)]);
  const focus = readFocus(options);
  if (typeof focus === "string") return badInput(io, [problem("USAGE", "", focus)]);
  const world = readManifests(io, dirs, options);
  if (!world.ok) return badInput(io, world.problems);
  if (options.explain) return explainCommand(io, world.value, focus, options);
  const listing = listConnectivity(world.value, focus, options.multipleNetworks ?? false);
  warn(io, [...world.value.warnings, ...listing.warnings]);
  io.out(render(listing));
  return 0;
}

function explainCommand(io: Io, world: World, focus: Focus, options: Options): Outcome["code"] {
  const half = options.explainOnly;
  if (half !== undefined && half !== "allow" && half !== "deny")
    return badInput(io, [problem("USAGE", "--explain-only", `"${half}" is neither allow nor deny.`)]);
  const scenes = explainConnectivity(world, focus, half);
  warn(io, [...world.warnings, ...listWarnings(world, scenes.map(({ scene }) => scene))]);
  io.out(renderExplainText(scenes, focus));
  return 0;
}

function readFocus(options: Options): Focus | string {
  const { focusDirection: direction } = options;
  const conn = options.focusConn === undefined ? undefined : parseOnePort(options.focusConn);
  if (options.focusConn !== undefined && !conn) return `--focus-conn: "${options.focusConn}" is no port such as tcp-80.`;
  if (direction !== undefined && direction !== "ingress" && direction !== "egress")
    return `--focus-direction: "${direction}" is neither ingress nor egress.`;
  return {
    workloads: options.focusWorkload,
    peers: options.focusPeer,
    ...(direction ? { direction } : {}),
    ...(conn ? { conn } : {}),
  };
}
