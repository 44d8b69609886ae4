import type { Command } from "commander";
import { makeCatalogue } from "../domain/catalogue.ts";
import { type FlowEnd, passageText } from "../domain/flow.ts";
import { ok, problem, type Problem, refuseAll, type Result } from "../domain/problem.ts";
import { parseOnePort } from "../policy/analysis/focus.ts";
import { compileIntent, type Intent } from "../policy/intent/intent.ts";
import { passageAt } from "../policy/intent/passages.ts";
import { verdictOn } from "../policy/intent/verdict.ts";
import { endWithRole, reasonText } from "../policy/intent/words.ts";
import { parseAddress } from "../policy/sets/address-set.ts";
import { portKey } from "../policy/sets/port-set.ts";
import { badInput, type Outcome } from "./action.ts";
import { findMember, type Inventory, readInventory } from "./inventory.ts";
import type { ExitCode, Io } from "./io.ts";
import { cataloguePath, noCatalogue } from "./load-catalogue.ts";
import { catalogueOption, withExamples } from "./options.ts";
import { table } from "./table.ts";

type Options = { readonly catalogue?: string; readonly flows: string };

/** One flow that was seen, between ends as our kinds know them. */
type Seen = { readonly from: FlowEnd; readonly to: FlowEnd; readonly port: string };

const MORE = `Flows are JSON lines: {"from": "shop/web", "to": "payments/orders-db", "port": "TCP/5432"}; an end is a workload, a Pod, or an
IP address. Segments in observe, simulate and canary are taken as in force.

Exit codes: 0 nothing would break, 2 bad input, 3 something would.`;

/** Adds `signet policy simulate`. */
export function addSimulate(policy: Command, io: Io, outcome: Outcome): void {
  const command = policy
    .command("simulate")
    .summary("which flows would break if every segment were in force (exit 3: some would)")
    .description("Judges flows that were seen as if every segment were in force, and lists by owner what would break.")
    .argument("<path...>", "files or folders of workloads")
    .requiredOption("--flows <file>", "JSON lines of flows, or - for standard input")
    .addOption(catalogueOption())
    .action((paths: readonly string[], options: Options) => {
      outcome.code = simulate(io, paths, options);
    });
  withExamples(command, ["policy simulate deploy/ --catalogue policy/ --flows flows.json"], MORE);
}

function simulate(io: Io, paths: readonly string[], options: Options): ExitCode {
  const named = cataloguePath(io, options.catalogue) === undefined ? noCatalogue() : ok(undefined);
  if (!named.ok) return badInput(io, named.problems);
  const inventory = readInventory(io, paths, options);
  if (!inventory.ok) return badInput(io, inventory.problems);
  const flows = readFlows(io, options.flows, inventory.value);
  if (!flows.ok) return badInput(io, flows.problems);
  const rows = broken(asInForce(inventory.value.intent), flows.value, io.now());
  io.out(
    rows.length === 0
      ? `Nothing would break of ${flows.value.length} flows.\n`
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
  for (const { from, to, port } of flows) {
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
    rows.set(key, { count: (rows.get(key)?.count ?? 0) + 1, row });
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

/** Reads all flows, or says of each line that cannot be read why. */
function readFlows(io: Io, path: string, inventory: Inventory): Result<readonly Seen[]> {
  const files = io.readInputs([path]);
  if (!files.ok) return files;
  const lines = files.value.flatMap(({ name, text }) =>
    text.split("\n").flatMap((line, index) => (line.trim() === "" ? [] : [{ line, at: `${name}:${index + 1}` }])),
  );
  const read = lines.map(({ line, at }) => readFlow(line, at, inventory));
  const problems = read.flatMap((each) => (each.ok ? [] : each.problems));
  return problems.length > 0 ? refuseAll(problems) : ok(read.flatMap((each) => (each.ok ? [each.value] : [])));
}

function readFlow(line: string, at: string, inventory: Inventory): Result<Seen> {
  const fields = textsIn(line);
  const [from, to, port] = [fields?.["from"], fields?.["to"], fields?.["port"]];
  if (from === undefined || to === undefined || port === undefined || !parseOnePort(port))
    return refuseAll([unreadable(at)]);
  const ends = [from, to].map((name) => readEnd(inventory, name));
  const problems = ends.flatMap((each) => (each.ok ? [] : each.problems.map((one) => ({ ...one, path: at }))));
  const [source, destination] = ends.flatMap((each) => (each.ok ? [each.value] : []));
  return source && destination ? ok({ from: source, to: destination, port }) : refuseAll(problems);
}

const unreadable = (at: string): Problem =>
  problem("FIELD_INVALID", at, "This is no flow.", 'Write {"from": "shop/web", "to": "pay/db", "port": "TCP/5432"}.');

function readEnd(inventory: Inventory, name: string): Result<FlowEnd> {
  const block = parseAddress(name);
  if (!block) {
    const member = findMember(inventory, name);
    return member.ok ? ok(member.value.end) : member;
  }
  const first = BigInt(block.range[0]);
  return ok({ kind: "outside", addresses: { family: block.family, first, last: first } });
}

function textsIn(line: string): Readonly<Record<string, string>> | undefined {
  try {
    const read: unknown = JSON.parse(line);
    if (typeof read !== "object" || read === null) return undefined;
    return Object.fromEntries(
      Object.entries(read).flatMap(([key, value]: [string, unknown]) =>
        typeof value === "string" ? [[key, value]] : [],
      ),
    );
  } catch {
    return undefined;
  }
}
