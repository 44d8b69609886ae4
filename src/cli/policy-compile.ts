import { type Command, InvalidArgumentError, Option } from "commander";
import { formatInstant, type Instant, parseInstant } from "../domain/instant.ts";
import { ok, refuseAll, type Result } from "../domain/problem.ts";
import { scenesOf } from "../policy/analysis/scene.ts";
import { type Compilation, compile } from "../policy/compile/compile.ts";
import { lossCodeOf } from "../domain/loss-codes.ts";
import { WAIVED_BY_NAME, type Waiver } from "../domain/sentences.ts";
import { LOSSES } from "../policy/compile/loss.ts";
import { TARGET_NAMES, type TargetName } from "../policy/compile/targets.ts";
import { unwaived, waiversIn } from "../policy/compile/waiver.ts";
import { yamlStream } from "../wire/yaml-text.ts";
import { badInput, type Outcome } from "./action.ts";
import { readInventory } from "./inventory.ts";
import type { ExitCode, Io } from "./io.ts";
import { cataloguePath, noCatalogue } from "./load-catalogue.ts";
import { atOption, catalogueOption, EXIT_CODES, outputOption, withExamples } from "./options.ts";
import { lossReport } from "./policy-losses.ts";
import { readPodNetworks, siteOfInventory } from "./policy-site.ts";
import { warn } from "./policy-input.ts";

type Options = {
  readonly catalogue?: string;
  readonly target: readonly TargetName[];
  readonly podCidr: readonly string[];
  readonly waive: readonly Waiver[];
  readonly at?: Instant;
  readonly output: string;
};

const MORE = `Files may hold workloads, which the result is judged over, and policies of others, which stay beside it. Without files it
is judged over one imagined Pod for each role and namespace. Nothing is printed to standard output if the targets together
would let more through between workloads than the sentences mean, unless --waive takes that loss upon itself.

${EXIT_CODES}`;

/** Adds `signet policy compile`. */
export function addCompile(policy: Command, io: Io, outcome: Outcome): void {
  const command = policy
    .command("compile")
    .summary("sentences as rules of data planes (exit 3: they would let through too much)")
    .description("Compiles sentences to rules of data planes, and says what each of them loses.")
    .argument("[path...]", "files or folders of workloads and of policies that are not ours")
    .addOption(catalogueOption())
    .addOption(targetOption())
    .option("--pod-cidr <cidr>", "addresses that Pods have: never outside; repeatable", collectTexts, [])
    .addOption(waiveOption())
    .addOption(atOption())
    .addOption(outputOption(["yaml", "json"]))
    .action((paths: readonly string[], options: Options) => {
      outcome.code = runCompile(io, paths, options);
    });
  withExamples(
    command,
    [
      "policy compile --catalogue policy/ --pod-cidr 10.244.0.0/16",
      "policy compile deploy/ -c policy/ --target networkpolicy --output json",
      "policy compile deploy/ -c policy/ --waive HOSTNETWORK_UNSELECTED=2027-01-31T00:00:00Z",
    ],
    MORE,
  );
}

/** A repeatable option's texts. */
export const collectTexts = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** `--target`: names with commas between them. */
export const targetOption = (): Option =>
  new Option("--target <names>", `data planes: ${TARGET_NAMES.join(", ")}`)
    .argParser(readTargets)
    .default(["networkpolicy"], "networkpolicy");

function readTargets(text: string): readonly TargetName[] {
  const names = text.split(",").map((name) => name.trim());
  const known = TARGET_NAMES.filter((name) => names.includes(name));
  if (known.length === new Set(names).size) return known;
  throw new InvalidArgumentError(`Write names out of ${TARGET_NAMES.join(", ")}, with commas.`);
}

/** `--waive`: a kind of loss, or of one rule alone, and an end. */
export const waiveOption = (): Option =>
  new Option("--waive <loss=time>", "take a loss, as CODE or CODE:RULE, upon yourself until then; repeatable")
    .argParser((text: string, before: readonly Waiver[]) => [...before, readWaiver(text)])
    .default([], "none");

function readWaiver(text: string): Waiver {
  const [, name = "", rule, end = ""] = /^([^:=]*)(?::(.*))?=([^=]*)$/s.exec(text) ?? [];
  const code = lossCodeOf(name);
  const until = parseInstant(end, "--waive");
  if (code && until.ok && (rule !== undefined || !WAIVED_BY_NAME.has(code)))
    return { code, until: until.value, ...(rule === undefined ? {} : { rule }) };
  throw new InvalidArgumentError(
    'Write a code and an end, for example HOSTNETWORK_UNSELECTED=2027-01-31T00:00:00Z; of FOREIGN_UNREAD also what you looked at, as the report names it: "FOREIGN_UNREAD:CiliumNetworkPolicy shop/open=2027-01-31T00:00:00Z".',
  );
}

function runCompile(io: Io, paths: readonly string[], options: Options): ExitCode {
  const now = options.at ?? io.now();
  const compiled = compileInventory(io, paths, options, now);
  if (!compiled.ok) return badInput(io, compiled.problems);
  const { compilation, waivers } = compiled.value;
  const blocking = unwaived(compilation.widening, [...options.waive, ...waivers], now);
  const objects = blocking.length > 0 ? [] : [...compilation.compiled.values()].flat();
  if (options.output === "json") io.out(`${JSON.stringify(jsonOf(compilation, objects, blocking, now), null, 2)}\n`);
  else {
    io.out(yamlStream(objects));
    io.err(lossReport(compilation, blocking));
  }
  return blocking.length > 0 ? 3 : 0;
}

type Compiled = { readonly compilation: Compilation; readonly waivers: readonly Waiver[] };

function compileInventory(io: Io, paths: readonly string[], options: Options, now: Instant): Result<Compiled> {
  if (cataloguePath(io, options.catalogue) === undefined) return noCatalogue();
  const inventory = readInventory(io, paths, options);
  const podNetworks = readPodNetworks(options.podCidr);
  if (!inventory.ok || !podNetworks.ok)
    return refuseAll([inventory, podNetworks].flatMap((each) => (each.ok ? [] : each.problems)));
  const { world, intent, members } = inventory.value;
  warn(io, paths.length > 0 ? world.warnings : []);
  const foreign = scenesOf(world)[0]?.policies ?? [];
  const site = siteOfInventory(inventory.value, podNetworks.value);
  const compilation = compile({
    intent,
    site,
    targets: options.target,
    foreign,
    unevaluated: world.unevaluated,
    members,
    now,
  });
  return compilation.ok ? ok({ compilation: compilation.value, waivers: waiversIn(intent) }) : compilation;
}

const jsonOf = (
  { losses, nextChange }: Compilation,
  objects: readonly unknown[],
  blocking: Compilation["widening"],
  now: Instant,
) => ({
  at: formatInstant(now),
  ...(nextChange === undefined ? {} : { nextChange: formatInstant(nextChange) }),
  objects,
  losses: losses.map((loss) => ({ ...loss, ...LOSSES[loss.code] })),
  blocking,
});
