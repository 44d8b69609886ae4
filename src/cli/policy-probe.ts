import type { Command } from "commander";
import { ok, problem, refuseAll, type Result } from "../domain/problem.ts";
import { type Expectations, readExpectations } from "../policy/probe/expectations.ts";
import { type Poked, runProbes } from "../policy/probe/run.ts";
import { type Document, readDocuments } from "../wire/documents.ts";
import { badInput, type Outcome } from "./action.ts";
import type { ExitCode, Io } from "./io.ts";
import { READ_OPTIONS } from "./policy-input.ts";
import { doorLines } from "./policy-reasons.ts";

type Options = { readonly expectations: string; readonly test: readonly string[]; readonly output: string };

type Run = { readonly test: string; readonly poked: readonly Poked[] };

/** Adds `signet policy probe`: pokes with expected results, and changes between them. */
export function addProbe(policy: Command, io: Io, outcome: Outcome): void {
  policy
    .command("probe")
    .description("check expected connections against manifests and changes of them (exit 0: all as expected, 1: not)")
    .argument("<dir>", "folder that the manifests named in the expectations are relative to")
    .requiredOption("--expectations <file>", "the expectations, as JSON or YAML")
    .option(
      "--test <name>",
      "only this test; repeatable",
      (name: string, before: readonly string[]) => [...before, name],
      [],
    )
    .option("-o, --output <format>", "text or json", "text")
    .action((dir: string, options: Options) => {
      outcome.code = probeCommand(io, dir, options);
    });
}

function probeCommand(io: Io, dir: string, options: Options): ExitCode {
  const expectations = readExpectationsFile(io, options.expectations);
  if (!expectations.ok) return badInput(io, expectations.problems);
  const { tests, baseManifests } = expectations.value;
  const chosen = options.test.length === 0 ? tests : tests.filter(({ name }) => options.test.includes(name));
  if (chosen.length === 0) return badInput(io, [problem("NOT_FOUND", "--test", "The expectations hold no such test.")]);
  const runs: Run[] = [];
  for (const test of chosen) {
    const documents = readAll(
      io,
      [...baseManifests, ...test.manifests].map((path) => `${dir}/${path}`),
    );
    const poked = documents.ok ? runProbes(documents.value, test, READ_OPTIONS) : documents;
    if (!poked.ok) return badInput(io, poked.problems);
    runs.push({ test: test.name, poked: poked.value });
  }
  io.out(options.output === "json" ? renderJson(runs) : renderText(runs));
  return runs.every(({ poked }) => poked.every(({ agrees }) => agrees)) ? 0 : 1;
}

const renderJson = (runs: readonly Run[]): string =>
  `${JSON.stringify(
    runs.flatMap(({ test, poked }) =>
      poked.map(({ step, poke, verdict }) => ({
        test,
        step,
        from: poke.from,
        to: poke.to,
        port: `${poke.port.protocol} ${poke.port.port}`,
        expected: poke.expect,
        allowed: verdict.allowed,
      })),
    ),
    null,
    2,
  )}\n`;

function renderText(runs: readonly Run[]): string {
  const good = (poked: readonly Poked[]): number => poked.filter(({ agrees }) => agrees).length;
  const lines = runs.flatMap(({ test, poked }) => [
    `${good(poked) === poked.length ? "ok  " : "FAIL"} ${test}: ${good(poked)} of ${poked.length} probes\n`,
    ...poked.filter(({ agrees }) => !agrees).map(wrongText),
  ]);
  const all = runs.flatMap(({ poked }) => poked);
  return `${lines.join("")}${good(all)} of ${all.length} probes as expected\n`;
}

const wrongText = ({ step, poke, verdict }: Poked): string =>
  [
    `  ${step}`,
    `    ${poke.from} => ${poke.to} on ${poke.port.protocol} ${poke.port.port}: expected ${poke.expect ? "allowed" : "denied"}`,
    ...doorLines(verdict.egress, "egress").map((line) => `    egress:  ${line}`),
    ...doorLines(verdict.ingress, "ingress").map((line) => `    ingress: ${line}`),
    "",
  ].join("\n");

function readExpectationsFile(io: Io, path: string): Result<Expectations> {
  const documents = readAll(io, [path]);
  return documents.ok ? readExpectations(documents.value[0]?.value) : documents;
}

function readAll(io: Io, paths: readonly string[]): Result<readonly Document[]> {
  const files = io.readInputs(paths);
  if (!files.ok) return files;
  const read = files.value.map((file) => readDocuments(file.text, file.name));
  const problems = read.flatMap((one) => (one.ok ? [] : one.problems));
  return problems.length > 0 ? refuseAll(problems) : ok(read.flatMap((one) => (one.ok ? one.value : [])));
}
