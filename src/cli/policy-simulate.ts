import type { Command } from "commander";
import { makeCatalogue } from "../domain/catalogue.ts";
import { type FlowEnd, passageText } from "../domain/flow.ts";
import type { Instant } from "../domain/instant.ts";
import { ok, problem, refuseAll, type Result } from "../domain/problem.ts";
import type { FlowEdge, FlowLine } from "../domain/seen-flow.ts";
import { parseOnePort } from "../policy/analysis/focus.ts";
import { compileIntent, type Intent } from "../policy/intent/intent.ts";
import { passageAt } from "../policy/intent/passages.ts";
import { verdictOn } from "../policy/intent/verdict.ts";
import { endWithRole, reasonText } from "../policy/intent/words.ts";
import { parseAddress } from "../policy/sets/address-set.ts";
import { portKey } from "../policy/sets/port-set.ts";
import { readFlowLine } from "../wire/flows/read-line.ts";
import { badInput, type Outcome } from "./action.ts";
import { flowLines, withFlows } from "./flows.ts";
import { findMember, type Inventory, readInventory } from "./inventory.ts";
import type { ExitCode, Io } from "./io.ts";
import { cataloguePath, noCatalogue } from "./load-catalogue.ts";
import { DEFAULT_STATE } from "./ledger.ts";
import { catalogueOption, sinceOption, withExamples } from "./options.ts";
import { table } from "./table.ts";

type Options = {
  readonly catalogue?: string;
  readonly flows?: string;
  readonly state: string;
  readonly since?: Instant;
};

/** Flows that were seen between two ends as our kinds know them. */
type Seen = { readonly from: FlowEnd; readonly to: FlowEnd; readonly port: string; readonly count: number };

const MORE = `Without --flows those are judged that \`signet flows import\` took. Only what was forwarded can break. Segments in observe,
simulate and canary are taken as in force.

Exit codes: 0 nothing would break, 2 bad input, 3 something would.`;

/** Adds `signet policy simulate`. */
export function addSimulate(policy: Command, io: Io, outcome: Outcome): void {
  const command = policy
    .command("simulate")
    .summary("which flows would break if every segment were in force (exit 3: some would)")
    .description("Judges flows that were seen as if every segment were in force, and lists by owner what would break.")
    .argument("<path...>", "files or folders of workloads")
    .option("--flows <file>", "JSON lines of flows as `signet flows import` reads them, or - for standard input")
    .option("--state <dir>", "the folder of imported flows", DEFAULT_STATE)
    .addOption(sinceOption())
    .addOption(catalogueOption())
    .action(async (paths: readonly string[], options: Options) => {
      outcome.code =
        options.flows === undefined
          ? await simulateStored(io, paths, options)
          : simulate(io, paths, options, options.flows);
    });
  withExamples(
    command,
    [
      "policy simulate deploy/ --catalogue policy/ --flows flows.jsonl",
      "policy simulate deploy/ --catalogue policy/ --since 2027-01-31T00:00:00Z",
    ],
    MORE,
  );
}

function readUnder(io: Io, paths: readonly string[], options: Options): Result<Inventory> {
  const named = cataloguePath(io, options.catalogue) === undefined ? noCatalogue() : ok(undefined);
  return named.ok ? readInventory(io, paths, options) : named;
}

/** Every end of a file has to be known; so that nobody takes what was not judged for what would not break. */
function simulate(io: Io, paths: readonly string[], options: Options, file: string): ExitCode {
  const inventory = readUnder(io, paths, options);
  if (!inventory.ok) return badInput(io, inventory.problems);
  const flows = readFlows(io, file, inventory.value);
  return flows.ok ? told(io, inventory.value, flows.value) : badInput(io, flows.problems);
}

/** Of what was imported some may be gone: it is named, and the rest is judged. */
async function simulateStored(io: Io, paths: readonly string[], options: Options): Promise<ExitCode> {
  const inventory = readUnder(io, paths, options);
  if (!inventory.ok) return badInput(io, inventory.problems);
  return withFlows(io, options.state, { readOnly: true }, (view) => {
    const edges = view.edges(options.since ?? 0).filter(({ verdict }) => verdict === "forwarded");
    const { seen, unknown } = endsOf(inventory.value, edges);
    for (const [name, count] of [...unknown].sort(([a], [b]) => (a < b ? -1 : 1)))
      io.err(`signet: ${count} flows were not judged: ${name} is no one workload of the input [WORKLOAD_UNKNOWN]\n`);
    if (seen.length > 0) return told(io, inventory.value, seen, countOf(edges) - countOf(seen));
    return badInput(io, [NOTHING_JUDGED]);
  });
}

const countOf = (flows: readonly { readonly count: number }[]): number =>
  flows.reduce((sum, { count }) => sum + count, 0);

/** Nobody shall take that for "nothing would break". */
const NOTHING_JUDGED = problem(
  "WORKLOAD_UNKNOWN",
  "",
  "No flow was judged: none was seen since then, or none is between workloads of the input.",
  "Look at `signet flows list`, and give the manifests of what runs there.",
);

/** The flows whose ends the input has, and how many name each end that it has not. */
function endsOf(inventory: Inventory, edges: readonly FlowEdge[]) {
  const unknown = new Map<string, number>();
  const seen = edges.flatMap(({ from, to, port, count }): readonly Seen[] => {
    const ends = [from, to].map((name) => ({ name, read: readEnd(inventory, name) }));
    const [source, destination] = ends.flatMap(({ read }) => (read.ok ? [read.value] : []));
    if (source && destination) return [{ from: source, to: destination, port, count }];
    for (const { name, read } of ends) if (!read.ok) unknown.set(name, (unknown.get(name) ?? 0) + count);
    return [];
  });
  return { seen, unknown };
}

function told(io: Io, { intent }: Inventory, flows: readonly Seen[], unjudged = 0): ExitCode {
  const rows = broken(asInForce(intent), flows, io.now());
  const rest = unjudged === 0 ? "" : ` ${unjudged} more were not judged.`;
  io.out(
    rows.length === 0
      ? `Nothing would break of ${countOf(flows)} flows.${rest}\n`
      : table([["OWNER", "FROM", "TO", "ON", "FLOWS", "WHY"], ...rows]),
  );
  return rows.length === 0 ? 0 : 3;
}

/** The intent with every segment enforced. */
function asInForce({ catalogue: { definitions, revision } }: Intent): Intent {
  const segments = definitions.segments.map((segment) => ({ ...segment, mode: "enforce" as const }));
  return compileIntent(makeCatalogue({ ...definitions, segments }, revision));
}

/** One row for each pair and port that would be denied, with the owner who would write the sentence. */
function broken(intent: Intent, flows: readonly Seen[], now: number): readonly (readonly string[])[] {
  const rows = new Map<string, { count: number; row: readonly string[] }>();
  for (const { from, to, port, count } of flows) {
    const asked = parseOnePort(port);
    if (!asked) continue;
    const passage = passageAt(portKey(asked.protocol, asked.port));
    const verdict = verdictOn(intent, { from, to, passage }, now);
    if (verdict.allowed) continue;
    const row = [
      ownerOf(intent, to, from),
      endWithRole(from),
      endWithRole(to),
      passageText(passage),
      reasonText(verdict.reason),
    ];
    const key = row.join("\n");
    rows.set(key, { count: (rows.get(key)?.count ?? 0) + count, row });
  }
  return [...rows.values()]
    .map(({ count, row: [owner = "", from = "", to = "", on = "", why = ""] }) => [
      owner,
      from,
      to,
      on,
      String(count),
      why,
    ])
    .sort((a, b) => (a.join() < b.join() ? -1 : 1));
}

/** The owner of the destination's segment, or of the source's where nobody owns the destination. */
function ownerOf({ catalogue }: Intent, ...ends: readonly FlowEnd[]): string {
  const [owner] = ends.flatMap((end) =>
    end.kind === "workload" && end.segment !== undefined ? (catalogue.segments.get(end.segment)?.owner ?? []) : [],
  );
  return owner ?? "nobody";
}

/** Reads all flows of files, or says of each line that cannot be read why. */
function readFlows(io: Io, path: string, inventory: Inventory): Result<readonly Seen[]> {
  const files = io.readInputs([path]);
  if (!files.ok) return files;
  const read = files.value.flatMap(({ name, text }) =>
    flowLines({ name, text }).map(({ line, at }) => seenIn(readFlowLine(line, at), at, inventory)),
  );
  const problems = read.flatMap((each) => (each.ok ? [] : each.problems));
  return problems.length > 0 ? refuseAll(problems) : ok(read.flatMap((each) => (each.ok ? each.value : [])));
}

function seenIn(line: Result<FlowLine>, at: string, inventory: Inventory): Result<readonly Seen[]> {
  if (!line.ok) return line;
  if (line.value.kind !== "flow" || line.value.flow.verdict === "dropped") return ok([]);
  const { from, to, port, count } = line.value.flow;
  const ends = [from, to].map((name) => readEnd(inventory, name));
  const problems = ends.flatMap((each) => (each.ok ? [] : each.problems.map((one) => ({ ...one, path: at }))));
  const [source, destination] = ends.flatMap((each) => (each.ok ? [each.value] : []));
  return source && destination ? ok([{ from: source, to: destination, port, count }]) : refuseAll(problems);
}

function readEnd(inventory: Inventory, name: string): Result<FlowEnd> {
  const block = parseAddress(name);
  if (!block) {
    const member = findMember(inventory, name);
    return member.ok ? ok(member.value.end) : member;
  }
  const first = BigInt(block.range[0]);
  return ok({ kind: "outside", addresses: { family: block.family, first, last: first } });
}
