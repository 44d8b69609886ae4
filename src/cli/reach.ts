import { type Command, Option } from "commander";
import { formatInstant, type Instant } from "../domain/instant.ts";
import { problem, type Result } from "../domain/problem.ts";
import { badInput, type Outcome } from "./action.ts";
import { findMember, type Inventory, readInventory } from "./inventory.ts";
import { inventoryReach, shownEnd } from "./inventory-reach.ts";
import type { ExitCode, Io } from "./io.ts";
import { atOption, catalogueOption, outputOption, withExamples } from "./options.ts";
import { compareReach, type ReachComparison, type ReachReport, reachReport, type Side } from "./reach-report.ts";
import { warn } from "./policy-input.ts";
import { readHops } from "./policy-prove.ts";
import { table } from "./table.ts";

type Options = {
  readonly catalogue?: string;
  readonly compare?: string;
  readonly hops: number;
  readonly into?: boolean;
  readonly output: string;
  readonly at?: Instant;
};

/** Adds `signet reach`. */
export function addReachCommand(program: Command, io: Io, outcome: Outcome): void {
  const command = program
    .command("reach")
    .summary("show whom a workload can reach: its blast radius")
    .description(
      "Shows whom a workload can reach, directly and through others, under our own kinds and the network policies of the files together.",
    )
    .argument("<workload>", "name, namespace/name or kind/name")
    .argument("<path...>", "files or folders of manifests, or - for standard input")
    .addOption(catalogueOption())
    .addOption(new Option("--hops <n>", "list what is at most so many hops away").argParser(readHops).default(1))
    .option("--into", "show who can reach the workload instead")
    .option("--compare <dir>", "show what changes with this folder as the catalogue (exit 1: something does)")
    .addOption(atOption())
    .addOption(outputOption(["text", "json"]))
    .action((workload: string, paths: readonly string[], options: Options) => {
      outcome.code = runReach(io, workload, paths, options);
    });
  withExamples(command, [
    "reach frontend deploy/ --catalogue policy/ --hops 3",
    "reach payments/orders-db deploy/ --catalogue policy/ --into",
    "reach frontend deploy/ --catalogue policy/ --compare policy-next/",
  ]);
}

function runReach(io: Io, workload: string, paths: readonly string[], options: Options): ExitCode {
  const inventory = readInventory(io, paths, options);
  if (!inventory.ok) return badInput(io, inventory.problems);
  warn(io, inventory.value.world.warnings);
  const now = options.at ?? io.now();
  const side: Side = options.into ? "into" : "from";
  if (options.compare !== undefined) return runCompare(io, inventory.value, { workload, paths, options, now, side });
  const member = findMember(inventory.value, workload);
  if (!member.ok) return badInput(io, member.problems);
  const report = reachReport(inventoryReach(inventory.value, now), member.value, side, options.hops);
  io.out(
    options.output === "json" ? `${JSON.stringify({ at: formatInstant(now), ...report }, null, 2)}\n` : text(report),
  );
  return 0;
}

type Asked = {
  readonly workload: string;
  readonly paths: readonly string[];
  readonly options: Options;
  readonly now: Instant;
  readonly side: Side;
};

function runCompare(io: Io, before: Inventory, { workload, paths, options, now, side }: Asked): ExitCode {
  if (options.compare === options.catalogue)
    return badInput(io, [
      problem("USAGE", "--compare", "Both catalogues are the same folder.", "Name the changed one."),
    ]);
  const after = readInventory(io, paths, { ...options, catalogue: options.compare ?? "" });
  if (!after.ok) return badInput(io, after.problems);
  const name = nameIn([before, after.value], workload);
  if (!name.ok) return badInput(io, name.problems);
  const compared = compareReach(inventoryReach(before, now), inventoryReach(after.value, now), name.value, side);
  io.out(
    options.output === "json"
      ? `${JSON.stringify({ at: formatInstant(now), ...compared }, null, 2)}\n`
      : changes(compared),
  );
  return compared.changes.length > 0 ? 1 : 0;
}

/** A machine may be defined in one of the two catalogues alone. */
function nameIn([before, after]: readonly [Inventory, Inventory], workload: string): Result<string> {
  const old = findMember(before, workload);
  if (old.ok) return { ok: true, value: shownEnd(old.value) };
  const now = findMember(after, workload);
  return now.ok ? { ok: true, value: shownEnd(now.value) } : old;
}

const VERBS = {
  from: ["reaches", "within any number of hops"],
  into: ["is reached by", "through any number of hops"],
} as const;

function text(report: ReachReport): string {
  const who = report.role === null ? "no role" : `role ${report.role}, segment ${report.segment ?? "none"}`;
  const [verb, within] = VERBS[report.side];
  const head = `${report.workload} (${who}) ${verb} ${report.direct} of ${report.others} other workloads directly, ${report.reached} ${within}.\n`;
  const rows = report.rows.map(({ hops, workload, on, via, by }) => [
    String(hops),
    workload,
    on,
    hops === 1 ? "" : `via ${via}`,
    by.join(" and "),
  ]);
  const outside = report.outside.map(({ from, to, on, by }) => [
    report.side === "from" ? to : from,
    on,
    by.join(" and "),
  ]);
  return [
    head,
    rows.length > 0 ? `\n${table([["HOPS", "WORKLOAD", "ON", "VIA", "BY"], ...rows])}` : "",
    outside.length > 0 ? `\n${table([["OUTSIDE", "ON", "BY"], ...outside])}` : "",
  ].join("");
}

function changes({ workload, side, before, after, changes: all }: ReachComparison): string {
  const [verb, within] = VERBS[side];
  const head = `${workload} ${verb} ${before.direct} other workloads directly before and ${after.direct} after; ${before.reached} and ${after.reached} ${within}.\n`;
  if (all.length === 0) return `${head}\nNothing changes.\n`;
  const rows = all.map((change) => [change.workload, dash(change.gained), dash(change.lost)]);
  return `${head}\n${table([["WORKLOAD", "GAINED", "LOST"], ...rows])}`;
}

const dash = (passages: string): string => (passages === "nothing" ? "-" : passages);
