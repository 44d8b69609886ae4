import type { Command } from "commander";
import { type Problem, problem } from "../domain/problem.ts";
import { explainConnectivity } from "../policy/analysis/explain.ts";
import { type ExposureReport, exposureOf } from "../policy/analysis/exposure.ts";
import { type Focus, NO_FOCUS, parseOnePort } from "../policy/analysis/focus.ts";
import { type Listing, listConnectivity } from "../policy/analysis/listing.ts";
import type { World } from "../policy/model/world.ts";
import { badInput, type Outcome } from "./action.ts";
import type { Io } from "./io.ts";
import { renderExplainJson } from "./policy-explain-json.ts";
import { renderExplainText } from "./policy-explain-text.ts";
import { exposureJson, exposureTable, focusedReport, renderExposureText } from "./policy-exposure-formats.ts";
import { effectiveListing } from "./policy-effective.ts";
import { readManifests, warn } from "./policy-input.ts";
import { renderListDot, renderListMermaid, renderListSvg } from "./policy-listing-graphs.ts";
import { renderListHtml } from "./policy-listing-html.ts";
import { renderListCsv, renderListJson, renderListMarkdown, rowsOf } from "./policy-listing-tables.ts";
import { renderListText } from "./policy-listing-text.ts";

type Options = {
  readonly output: string;
  readonly multipleNetworks?: boolean;
  readonly focusWorkload: readonly string[];
  readonly focusPeer: readonly string[];
  readonly focusDirection?: string;
  readonly focusConn?: string;
  readonly exposure?: boolean;
  readonly explain?: boolean;
  readonly explainOnly?: string;
  readonly catalogue?: string;
};

/** What a format makes of a list, and of the exposure where that was asked for. */
type Format = {
  readonly list: (listing: Listing, world: World) => string;
  readonly exposed?: (listing: Listing, report: ExposureReport) => string;
};

const FORMATS: Readonly<Record<string, Format>> = {
  text: {
    list: renderListText,
    exposed: (listing, report) => joined(renderListText(listing), renderExposureText(report, listing.focus)),
  },
  json: { list: renderListJson, exposed: (listing, report) => exposureJson(rowsOf(listing), report, listing.focus) },
  csv: {
    list: renderListCsv,
    exposed: (listing, report) => joined(renderListCsv(listing), exposureTable(report, listing.focus, "csv")),
  },
  md: {
    list: renderListMarkdown,
    exposed: (listing, report) => joined(renderListMarkdown(listing), exposureTable(report, listing.focus, "md")),
  },
  dot: { list: renderListDot },
  svg: { list: renderListSvg },
  mermaid: { list: renderListMermaid },
  html: { list: renderListHtml },
};

const joined = (first: string, second: string): string => (first === "" ? second : `${first}\n${second}`);

/** Adds `signet policy connectivity`. */
export function addConnectivity(policy: Command, io: Io, outcome: Outcome): void {
  const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];
  policy
    .command("connectivity")
    .description("list who may reach whom under the policies of a folder")
    .argument("<dir...>", "folders or files of manifests")
    .option("-o, --output <format>", "text, json, csv, md, dot, svg, mermaid or html (a page to look at)", "text")
    .option("-c, --catalogue <dir>", "also count the sentences, guardrails and segments of this folder")
    .option("--multiple-networks", "count user-defined networks, network attachments and VirtualMachines")
    .option(
      "--focus-workload <name>",
      "only pairs with this workload, as name or namespace/name; repeatable",
      collect,
      [],
    )
    .option("--focus-peer <name>", "with --focus-workload: only pairs with this other side; repeatable", collect, [])
    .option("--focus-direction <direction>", "with --focus-workload: ingress or egress")
    .option("--focus-conn <port>", "only pairs that may use this port, as tcp-80")
    .option("--exposure", "also list what workloads are exposed to beyond the input")
    .option("--explain", "say for each pair which policies and rules decide (text or json)")
    .option("--explain-only <half>", "with --explain: allow or deny")
    .action((dirs: readonly string[], options: Options) => {
      outcome.code = connectivityCommand(io, dirs, options);
    });
}

function connectivityCommand(io: Io, dirs: readonly string[], options: Options): Outcome["code"] {
  const focus = readFocus(options);
  const wrong = usageProblems(options);
  if (wrong.length > 0 || "code" in focus) return badInput(io, [...wrong, ...("code" in focus ? [focus] : [])]);
  if (options.catalogue !== undefined) return effectiveCommand(io, dirs, focus, options);
  const world = readManifests(io, dirs, options);
  if (!world.ok) return badInput(io, world.problems);
  const listing = listConnectivity(world.value, focus, options.multipleNetworks ?? false);
  warn(io, [...world.value.warnings, ...listing.warnings]);
  const report = options.exposure ? exposureReport(world.value, focus) : undefined;
  io.out(
    options.explain ? explained(world.value, focus, options, report) : rendered(listing, world.value, options, report),
  );
  return 0;
}

/** The same list under our own kinds too. */
function effectiveCommand(io: Io, dirs: readonly string[], focus: Focus, options: Options): Outcome["code"] {
  const effective = effectiveListing(io, dirs, focus, options);
  if (!effective.ok) return badInput(io, effective.problems);
  warn(io, effective.value.world.warnings);
  io.out(rendered(effective.value.listing, effective.value.world, options, undefined));
  return 0;
}

function rendered(listing: Listing, world: World, options: Options, report: ExposureReport | undefined): string {
  const format = FORMATS[options.output];
  return (report ? format?.exposed?.(listing, report) : format?.list(listing, world)) ?? "";
}

function explained(world: World, focus: Focus, options: Options, report: ExposureReport | undefined): string {
  const half = options.explainOnly === "allow" || options.explainOnly === "deny" ? options.explainOnly : undefined;
  const scenes = explainConnectivity(world, focus, half);
  if (options.output === "json") return renderExplainJson(scenes);
  const text = renderExplainText(scenes, focus);
  return report ? joined(text, renderExposureText(report, focus)) : text;
}

/** Exposure looks at the whole list, whatever part of it is shown. */
function exposureReport(world: World, focus: Focus): ExposureReport | undefined {
  const [section] = listConnectivity(world, NO_FOCUS, false).sections;
  return section && focusedReport(exposureOf(section.scene, section.connections), focus);
}

const catalogueProblems = ({ catalogue, explain, exposure }: Options): readonly Problem[] =>
  catalogue === undefined || (!explain && !exposure)
    ? []
    : [
        problem(
          "USAGE",
          "--catalogue",
          "It cannot be combined with --explain or --exposure; ask `signet policy allows`.",
        ),
      ];

function usageProblems(options: Options): readonly Problem[] {
  const formats = options.explain
    ? ["text", "json"]
    : Object.keys(FORMATS).filter((name) => !options.exposure || FORMATS[name]?.exposed);
  const half = options.explainOnly;
  return [
    ...(formats.includes(options.output)
      ? []
      : [problem("USAGE", "--output", `"${options.output}" is none of ${formats.join(", ")}.`)]),
    ...(half === undefined || half === "allow" || half === "deny"
      ? []
      : [problem("USAGE", "--explain-only", `"${half}" is neither allow nor deny.`)]),
    ...catalogueProblems(options),
    ...(options.exposure && options.multipleNetworks
      ? [problem("USAGE", "--exposure", "Exposure cannot be combined with --multiple-networks.")]
      : []),
  ];
}

function readFocus(options: Options): Focus | Problem {
  const { focusDirection: direction } = options;
  const conn = options.focusConn === undefined ? undefined : parseOnePort(options.focusConn);
  if (options.focusConn !== undefined && !conn)
    return problem("USAGE", "--focus-conn", `"${options.focusConn}" is no port such as tcp-80.`);
  if (direction !== undefined && direction !== "ingress" && direction !== "egress")
    return problem("USAGE", "--focus-direction", `"${direction}" is neither ingress nor egress.`);
  return {
    workloads: options.focusWorkload,
    peers: options.focusPeer,
    ...(direction ? { direction } : {}),
    ...(conn ? { conn } : {}),
  };
}
