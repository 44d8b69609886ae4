import type { Command } from "commander";
import { formatInstant, type Instant } from "../domain/instant.ts";
import { ok, refuseAll, type Result } from "../domain/problem.ts";
import type { FlowEdge, FlowLine } from "../domain/seen-flow.ts";
import { type Gathered, gatherFlows } from "../learn/flows/gather.ts";
import { readFlowLine } from "../wire/flows/read-line.ts";
import { badInput, type Outcome } from "./action.ts";
import type { ExitCode, Io, TextFile } from "./io.ts";
import { DEFAULT_STATE } from "./ledger.ts";
import { outputOption, sinceOption, withExamples } from "./options.ts";
import { table } from "./table.ts";

/** What a command may ask of imported flows; bin/ provides it. */
export type FlowsView = {
  /** Adds what a file says, unless the same text was added before: then false. */
  readonly add: (batch: { readonly text: string; readonly edges: Iterable<FlowEdge> }, now: Instant) => Result<boolean>;
  /** Those last seen at a moment or later, by name. */
  readonly edges: (since: Instant) => readonly FlowEdge[];
  readonly close: () => void;
};

/** Opens the flows of a state folder. */
export type OpenFlows = (state: string, how: { readonly readOnly: boolean }) => Promise<Result<FlowsView>>;

const SOURCES = `A line is a flow, {"from": "shop/web", "to": "payments/orders-db", "port": "TCP/5432"}, with "time", "verdict" (forwarded or
dropped) and "count" where they are known; or an event as \`hubble observe -o jsonpb\` and Hubble's exporter write it. An end is
a workload or a Pod by namespace/name, or an IP address. A file counts once, however often it is imported.`;

/** Adds `signet flows import` and `signet flows list`. */
export function addFlowsCommand(program: Command, io: Io, outcome: Outcome): void {
  const flows = program
    .command("flows")
    .summary("flows that were seen: import and list them")
    .description(
      "Flows that were seen are the evidence for `signet policy simulate`: what would break, and whose it is.",
    );
  const importing = flows
    .command("import")
    .summary("add flows from JSON lines")
    .description(
      "Adds up flows by both ends, port and verdict in the state folder. A line that cannot be read refuses its file whole.",
    )
    .argument("<file...>", "JSON lines, or - for standard input")
    .option("--state <dir>", "the folder that they are kept in", DEFAULT_STATE)
    .action(async (paths: readonly string[], { state }: { readonly state: string }) => {
      outcome.code = await withFlows(io, state, { readOnly: false }, (view) => importAll(io, view, paths));
    });
  withExamples(importing, ["flows import flows.jsonl", "flows import - < /var/run/cilium/hubble/events.log"], SOURCES);
  const listing = flows
    .command("list")
    .summary("what was imported")
    .description("Lists who was seen to connect to whom, on which port, how often, and when last.")
    .option("--state <dir>", "the folder that they are kept in", DEFAULT_STATE)
    .addOption(sinceOption())
    .addOption(outputOption(["text", "json"]))
    .action(async ({ state, since, output }: Listed) => {
      outcome.code = await withFlows(io, state, { readOnly: true }, (view) => list(io, view.edges(since ?? 0), output));
    });
  withExamples(listing, ["flows list", "flows list --since 2027-01-31T00:00:00Z -o json"]);
}

type Listed = { readonly state: string; readonly since?: Instant; readonly output: string };

/** Opens the flows of a folder, uses them, and closes them whatever happens. */
export async function withFlows(
  io: Io,
  state: string,
  how: { readonly readOnly: boolean },
  use: (view: FlowsView) => ExitCode,
): Promise<ExitCode> {
  if (!io.openFlows) throw new Error("this command line was built without flows");
  const opened = await io.openFlows(state, how);
  if (!opened.ok) return badInput(io, opened.problems);
  try {
    return use(opened.value);
  } finally {
    opened.value.close();
  }
}

/** The lines of a text that say something, each with its place. */
export const flowLines = ({ name, text }: TextFile): readonly { readonly line: string; readonly at: string }[] =>
  text.split("\n").flatMap((line, index) => (line.trim() === "" ? [] : [{ line, at: `${name}:${index + 1}` }]));

function readAll(file: TextFile): Result<readonly FlowLine[]> {
  const read = flowLines(file).map(({ line, at }) => readFlowLine(line, at));
  const problems = read.flatMap((each) => (each.ok ? [] : each.problems));
  return problems.length > 0 ? refuseAll(problems) : ok(read.flatMap((each) => (each.ok ? [each.value] : [])));
}

function importAll(io: Io, view: FlowsView, paths: readonly string[]): ExitCode {
  const files = io.readInputs(paths);
  if (!files.ok) return badInput(io, files.problems);
  let code: ExitCode = 0;
  for (const file of files.value) {
    const lines = readAll(file);
    if (!lines.ok) code = badInput(io, lines.problems.slice(0, 10));
    else {
      const gathered = gatherFlows(lines.value, io.now());
      const added = view.add({ text: file.text, edges: gathered.edges }, io.now());
      if (!added.ok) return badInput(io, added.problems);
      io.out(
        `${file.name}: ${added.value ? gatheredText(gathered) : "imported before; nothing of it is counted again."}\n`,
      );
    }
  }
  return code;
}

function gatheredText({ edges, flows, lost, leftOut }: Gathered): string {
  const passed = [...leftOut].map(([what, count]) => `${count} ${what}`).sort();
  return [
    `${flows} flows on ${edges.length} ways.`,
    ...(passed.length > 0 ? [`Left out: ${passed.join(", ")}.`] : []),
    ...(lost > 0 ? [`Its source lost ${lost} events.`] : []),
  ].join(" ");
}

function list(io: Io, edges: readonly FlowEdge[], output: string): ExitCode {
  if (output === "json") {
    const rows = edges.map((edge) => ({ ...edge, first: formatInstant(edge.first), last: formatInstant(edge.last) }));
    io.out(`${JSON.stringify(rows)}\n`);
    return 0;
  }
  const rows = edges.map(({ from, to, port, verdict, count, first, last }) => [
    from,
    to,
    port.toLowerCase(),
    verdict,
    String(count),
    formatInstant(first),
    formatInstant(last),
  ]);
  io.out(table([["FROM", "TO", "ON", "VERDICT", "FLOWS", "FIRST", "LAST"], ...rows]));
  return 0;
}
