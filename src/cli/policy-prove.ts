import { type Command, InvalidArgumentError, Option } from "commander";
import { formatInstant, type Instant } from "../domain/instant.ts";
import { type Problem, problem, refuseAll, type Result, ok } from "../domain/problem.ts";
import type { GrantedSentence, Peer } from "../domain/sentences.ts";
import { type OutsideParts, outsideParts } from "../policy/effective/outside.ts";
import { rulingText } from "../policy/intent/line.ts";
import { lineText } from "../policy/intent/words.ts";
import { passagesOfAll } from "../policy/intent/passages.ts";
import { breakMustNot, crossFence, type Ground, type Way } from "../policy/reach/proof.ts";
import { intersect } from "../policy/sets/intervals.ts";
import { badInput, type Outcome } from "./action.ts";
import { type Inventory, readInventory } from "./inventory.ts";
import { type InventoryReach, inventoryReach, openBetween, type Step, stepBetween } from "./inventory-reach.ts";
import type { ExitCode, Io } from "./io.ts";
import { parseMustNot } from "./must-not.ts";
import { atOption, catalogueOption, EXIT_CODES, outputOption, withExamples } from "./options.ts";
import { painter } from "./paint.ts";
import { warn } from "./policy-input.ts";

type Options = {
  readonly catalogue?: string;
  readonly mustNot: readonly string[];
  readonly hops: number;
  readonly at?: Instant;
  readonly output: string;
};

/** One claim, and either its proof or a way that breaks it. */
type Claim = {
  readonly kind: "fence" | "must-not";
  readonly text: string;
  readonly by: string;
  readonly holds: boolean;
  readonly way: readonly Step[];
};

const MORE = `Every fence of the catalogue's guardrails is a claim; --must-not adds others. A claim holds if no way breaks it, direct or
through any number of other workloads (--hops limits them); a port is that of the last hop. What is perhaps meant is meant.

${EXIT_CODES}`;

/** Adds `signet policy prove`. */
export function addProve(policy: Command, io: Io, outcome: Outcome): void {
  const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];
  const command = policy
    .command("prove")
    .summary("prove fences, or show a way across (exit 3: a claim does not hold)")
    .description("Proves over all workloads of the files that nothing crosses a fence, or shows a way that does.")
    .argument("<path...>", "files or folders of manifests, or - for standard input")
    .addOption(catalogueOption())
    .option("--must-not <claim>", "for example 'role:web -> role:orders-db on tcp/5432'; repeatable", collect, [])
    .addOption(
      new Option("--hops <n>", "look at ways of at most so many hops")
        .argParser(readHops)
        .default(Number.POSITIVE_INFINITY, "all"),
    )
    .addOption(atOption())
    .addOption(outputOption(["text", "json"]))
    .action((paths: readonly string[], options: Options) => {
      outcome.code = runProve(io, paths, options);
    });
  withExamples(
    command,
    [
      "policy prove deploy/ --catalogue policy/",
      "policy prove deploy/ -c policy/ --must-not 'role:web -> role:orders-db on tcp/5432'",
      "policy prove deploy/ -c policy/ --must-not 'outside -> classification:pci' --hops 1",
    ],
    MORE,
  );
}

/** Reads `--hops`. */
export function readHops(text: string): number {
  const hops = Number(text);
  if (Number.isInteger(hops) && hops >= 1) return hops;
  throw new InvalidArgumentError("Write a number from 1.");
}

function runProve(io: Io, paths: readonly string[], options: Options): ExitCode {
  const inventory = readInventory(io, paths, options);
  if (!inventory.ok) return badInput(io, inventory.problems);
  const mustNots = readMustNots(inventory.value, options.mustNot);
  if (!mustNots.ok) return badInput(io, mustNots.problems);
  warn(io, inventory.value.world.warnings);
  const now = options.at ?? io.now();
  const known = inventoryReach(inventory.value, now);
  const claims = proveAll(known, mustNots.value, options.hops);
  if (claims.length === 0)
    return badInput(io, [
      problem(
        "USAGE",
        "",
        "There is nothing to prove.",
        "Write a fence in a Guardrail, or name a claim with --must-not.",
      ),
    ]);
  const workloads = known.names.length;
  io.out(
    options.output === "json"
      ? `${JSON.stringify({ at: formatInstant(now), workloads, claims }, null, 2)}\n`
      : `${claims.map((claim) => claimText(io, claim)).join("")}\nOver ${workloads} workloads, as of ${formatInstant(now)}.\n`,
  );
  return claims.every(({ holds }) => holds) ? 0 : 3;
}

/** A claim about a name that nobody defined would hold, and mean nothing: it is refused. */
function readMustNots(inventory: Inventory, texts: readonly string[]): Result<readonly GrantedSentence[]> {
  const read = texts.map((text) => {
    const parsed = parseMustNot(text);
    if (!parsed.ok) return parsed;
    const unknown = [parsed.value.from, parsed.value.to].flatMap((peer) => unknownName(inventory, peer, text));
    return unknown.length > 0 ? refuseAll(unknown) : parsed;
  });
  const problems = read.flatMap((each) => (each.ok ? [] : each.problems));
  return problems.length > 0 ? refuseAll(problems) : ok(read.flatMap((each) => (each.ok ? [each.value] : [])));
}

function unknownName(inventory: Inventory, peer: Peer, text: string): readonly Problem[] {
  if (!("name" in peer) || peer.by === "fqdn" || peer.by === "entity") return [];
  if (knownNames(inventory, peer.by).has(peer.name)) return [];
  return [problem("NOT_FOUND", `--must-not "${text}"`, `There is no ${peer.by} ${peer.name}.`, "Correct the name.")];
}

type NamedBy = "role" | "segment" | "environment" | "classification" | "namespace";

function knownNames({ catalogue, members }: Inventory, by: NamedBy): ReadonlySet<string> {
  if (by === "role") return new Set(catalogue.roles.keys());
  if (by === "segment") return new Set(catalogue.segments.keys());
  if (by === "namespace") return new Set(members.map(({ end }) => end.namespace));
  return new Set([...catalogue.segments.values()].flatMap((segment) => segment[by] ?? []));
}

function proveAll(known: InventoryReach, mustNots: readonly GrantedSentence[], hops: number): readonly Claim[] {
  const { intent, world } = known.inventory;
  const outside: OutsideParts = outsideParts(intent, world);
  const ground: Ground = { reach: known.reach, outside, openBetween: (pair) => openBetween(known, pair), hops };
  return [
    ...intent.fences.map((fence): Claim => {
      const way = crossFence(ground, fence.dimension);
      return { kind: "fence", text: fence.dimension, by: rulingText(fence), holds: !way, way: stepsOf(known, way) };
    }),
    ...mustNots.map((claim): Claim => {
      const way = breakMustNot(ground, claim);
      return {
        kind: "must-not",
        text: lineText(claim),
        by: "--must-not",
        holds: !way,
        way: stepsOf(known, way, claim),
      };
    }),
  ];
}

/** The steps of a way; the last shows only the ports that the claim is about. */
function stepsOf(known: InventoryReach, way: Way | undefined, claim?: GrantedSentence): readonly Step[] {
  return (way ?? []).slice(1).flatMap((to, index) => {
    const from = way?.[index];
    if (!from) return [];
    const open = openBetween(known, [from, to]);
    const isLast = index === (way?.length ?? 0) - 2;
    return [stepBetween(known, [from, to], claim && isLast ? intersect(open, passagesOfAll(claim.on, to.end)) : open)];
  });
}

function claimText(io: Io, { kind, text, by, holds, way }: Claim): string {
  const paint = painter(io.color);
  const what = kind === "fence" ? `${text} fence of ${by}` : `must not: ${text}`;
  if (holds) return `${paint("green", "PROVED")}  ${what}\n`;
  const steps = way.map(
    (step) =>
      `        ${step.from} -> ${step.to} on ${step.on}\n${step.by.map((rule) => `            ${rule}\n`).join("")}`,
  );
  return `${paint("red", "FAILED")}  ${what}\n${steps.join("")}`;
}
