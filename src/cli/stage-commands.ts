import { type Command, Option } from "commander";
import type { Mode, Segment } from "../domain/definitions.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { rawAt, textAt } from "../wire/read-object.ts";
import { badInput, type Outcome } from "./action.ts";
import { APPROVABLE_KINDS, NAMESPACES } from "./approvable-kinds.ts";
import type { ExitCode, Io } from "./io.ts";
import type { KubeAccess, KubeChoice, OpenKube } from "./kube-access.ts";
import { readRunning, type Running } from "./running.ts";
import { type Criteria, criteriaOf, type Stage, STAGES } from "./stage-criteria.ts";

type Options = KubeChoice & {
  readonly to?: Mode;
  readonly reason: string;
  readonly canaryNamespace?: readonly string[];
  readonly canaryWorkload?: readonly string[];
  readonly enrol?: boolean;
  readonly despite?: boolean;
  readonly dryRun?: boolean;
};

type Direction = "promote" | "demote";

/** Adds `signet segment promote|demote NAME`: what would be refused is shown first; then the mode is edited. */
export const addStageCommands =
  (open: OpenKube) =>
  (program: Command, io: Io, outcome: Outcome): void => {
    const parent = program.commands.find((each) => each.name() === "segment");
    if (!parent) throw new TypeError("signet segment comes first");
    for (const direction of ["promote", "demote"] as const)
      addDirection(parent, direction).action(async (name: string, options: Options) => {
        outcome.code = await move(io, open, { direction, name, options });
      });
  };

function addDirection(parent: Command, direction: Direction): Command {
  const command = parent
    .command(direction)
    .summary(direction === "promote" ? "move it to the next stage, criteria shown first" : "move it a stage back")
    .description(
      "Stages are observe, simulate, canary and enforce. An edit like any other: it needs approval, and is recorded with who and why.",
    )
    .argument("<name>", "name of the Segment")
    .addOption(new Option("--to <mode>", "the stage; left out: the next one").choices(STAGES))
    .requiredOption("--reason <text>", "why; stands in the Segment")
    .option("--dry-run", "only show the criteria")
    .option("--kubeconfig <file>", "the cluster's kubeconfig [KUBECONFIG]")
    .option("--context <name>", "context of the kubeconfig");
  if (direction === "promote")
    command
      .option("--canary-namespace <name...>", "for stage canary: namespaces that it binds")
      .option("--canary-workload <name...>", "for stage canary: workloads that it binds")
      .option("--enrol", "enrol its namespaces too")
      .option("--despite", "go on although something that runs would be refused");
  return command.addHelpText(
    "after",
    `\nExample:\n  $ signet segment ${direction} payments --reason "two weeks without a finding"\n\nExit codes: 0 done, 2 bad input, 3 criteria are not met, or refused by the cluster.\n`,
  );
}

type Asked = { readonly direction: Direction; readonly name: string; readonly options: Options };

async function move(io: Io, open: OpenKube, asked: Asked): Promise<ExitCode> {
  const kube = await open(asked.options);
  if (!kube.ok) return badInput(io, kube.problems);
  const running = await readRunning(kube.value);
  if (!running.ok) return badInput(io, running.problems);
  const planned = planOf(running.value, asked);
  if (!planned.ok) return badInput(io, planned.problems);
  const { segment, stage } = planned.value;
  const criteria = criteriaOf(running.value, segment, stage, io.now());
  io.out(textOf(segment, stage, criteria));
  if (isHindered(asked, stage, criteria)) return 3;
  if (asked.options.dryRun) return 0;
  const done = await write(kube.value, planned.value, criteria, asked);
  if (!done.ok) {
    badInput(io, done.problems);
    return 3;
  }
  io.out(done.value);
  return 0;
}

type Plan = { readonly segment: Segment; readonly stage: Stage };

function planOf({ catalogue }: Running, { direction, name, options }: Asked): Result<Plan> {
  const segment = catalogue.segments.get(name);
  if (!segment) return refuse("NOT_FOUND", "", `There is no Segment ${name}.`, "kubectl get segments lists them.");
  const from = STAGES.indexOf(segment.mode);
  const mode = options.to ?? STAGES[from + (direction === "promote" ? 1 : -1)];
  const forward = mode === undefined ? false : STAGES.indexOf(mode) > from;
  if (mode === undefined || mode === segment.mode || forward !== (direction === "promote"))
    return refuse("USAGE", "--to", `Segment ${name} is in mode ${segment.mode}.`, `Stages are ${STAGES.join(", ")}.`);
  const canary = canaryOf(segment, options);
  if (mode === "canary" && canary.namespaces.length + canary.workloads.length === 0)
    return refuse("USAGE", "--canary-namespace", "A canary is a named list.", "Name namespaces or workloads for it.");
  return ok({ segment, stage: { mode, canary } });
}

const canaryOf = ({ canary }: Segment, { canaryNamespace, canaryWorkload }: Options): Segment["canary"] =>
  canaryNamespace || canaryWorkload ? { namespaces: canaryNamespace ?? [], workloads: canaryWorkload ?? [] } : canary;

const isBinding = ({ mode }: Stage): boolean => mode === "canary" || mode === "enforce";

const isHindered = ({ direction, options }: Asked, stage: Stage, { refused }: Criteria): boolean =>
  direction === "promote" && isBinding(stage) && refused.length > 0 && options.despite !== true;

function textOf(segment: Segment, stage: Stage, { workloads, refused, notEnrolled }: Criteria): string {
  const when = isBinding(stage) ? "would be refused at the next start" : "would be refused in mode enforce";
  const lines = refused.map(({ object, found }) => {
    const [first] = found;
    return `  ${object.namespace}/${object.name}  ${first?.code ?? ""} ${first?.message ?? ""}`;
  });
  return [
    `Segment ${segment.name}: ${segment.mode} → ${stage.mode}`,
    `  ${workloads} workloads run in its namespaces, ${refused.length} ${when}.`,
    ...lines.map((line) => `  ${line}`),
    ...notEnrolled.map((name) => `  Namespace ${name} is not enrolled: nothing is refused there.`),
    "",
  ].join("\n");
}

async function write(
  kube: KubeAccess,
  { segment, stage }: Plan,
  criteria: Criteria,
  asked: Asked,
): Promise<Result<string>> {
  const resource = APPROVABLE_KINDS.find(({ word }) => word === "segment")?.resource;
  if (!resource) throw new TypeError("segments are approved");
  const { name, options } = asked;
  const found = await kube.get(resource, { name });
  if (!found.ok) return found;
  const resourceVersion = textAt(rawAt(found.value, "metadata"), "resourceVersion") ?? "";
  const canary = stage.mode === "canary" ? { canary: stage.canary } : {};
  const spec = { mode: stage.mode, modeWhy: options.reason, ...canary };
  const written = await kube.merge(resource, { name }, { metadata: { resourceVersion }, spec });
  if (!written.ok) return written;
  const enrolled = options.enrol ? await enrol(kube, criteria.notEnrolled) : ok(undefined);
  if (!enrolled.ok) return enrolled;
  return ok(
    `Written. Somebody else approves it: signet segment approve ${name}; until then it stays ${segment.mode}.\n`,
  );
}

async function enrol(kube: KubeAccess, namespaces: readonly string[]): Promise<Result<undefined>> {
  for (const name of namespaces) {
    const done = await kube.merge(NAMESPACES, { name }, { metadata: { labels: { "signet.dev/enrol": "true" } } });
    if (!done.ok) return done;
  }
  return ok(undefined);
}
