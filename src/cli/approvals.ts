import { type Command, Option } from "commander";
import { isServiceAccount } from "../domain/approvals.ts";
import type { Instant } from "../domain/instant.ts";
import { ok, refuseAll, type Result } from "../domain/problem.ts";
import { approvalConditions } from "../reconcile/approvals/conditions.ts";
import { type ApprovalSnapshot, approvalStandings, type Standing } from "../reconcile/approvals/decide.ts";
import { readDefinitions } from "../wire/definitions.ts";
import { type KubeObject, readApiObject } from "../wire/objects.ts";
import { badInput, type Outcome } from "./action.ts";
import { APPROVABLE_KINDS, NAMESPACES } from "./approvable-kinds.ts";
import type { ExitCode, Io } from "./io.ts";
import type { KubeAccess, KubeChoice, KubeResource, OpenKube } from "./kube-access.ts";
import { printable, specDiff } from "./spec-diff.ts";

type Options = KubeChoice & { readonly output: string; readonly mine?: boolean };

const EXAMPLES = `
Examples:
  $ signet approvals
  $ signet approvals --mine
  $ signet approvals -o json

Exit codes: 0 done, 2 bad input.
`;

/** Adds `signet approvals`. */
export const addApprovalsCommand =
  (open: OpenKube) =>
  (program: Command, io: Io, outcome: Outcome): void => {
    program
      .command("approvals")
      .summary("list what waits for approval, and for whom")
      .description(
        "Lists every definition whose newest generation is not in force: who edited it, what it needs, what it changes.",
      )
      .option("--mine", "only what you may approve yourself")
      .addOption(new Option("-o, --output <format>", "form of the output").choices(["text", "json"]).default("text"))
      .option("--kubeconfig <file>", "the cluster's kubeconfig [KUBECONFIG]")
      .option("--context <name>", "context of the kubeconfig")
      .addHelpText("after", EXAMPLES)
      .action(async (options: Options) => {
        outcome.code = await run(io, open, options);
      });
  };

async function run(io: Io, open: OpenKube, options: Options): Promise<ExitCode> {
  const kube = await open(options);
  if (!kube.ok) return badInput(io, kube.problems);
  const [me, snapshot] = await Promise.all([kube.value.whoAmI(), readSnapshot(kube.value)]);
  if (!me.ok) return badInput(io, me.problems);
  if (!snapshot.ok) return badInput(io, snapshot.problems);
  const waiting = waitingIn(snapshot.value, me.value, io.now()).filter((each) => options.mine !== true || each.yours);
  io.out(
    options.output === "json"
      ? `${JSON.stringify(waiting, null, 2)}\n`
      : waiting.map(textOf).join("") + summary(waiting),
  );
  return 0;
}

/** Everything that approval depends on. An object that cannot be read is shown, and stands for nothing. */
export async function readSnapshot(kube: KubeAccess): Promise<Result<ApprovalSnapshot>> {
  const resources = [NAMESPACES, ...APPROVABLE_KINDS.map(({ resource }) => resource)];
  const lists = await Promise.all(resources.map((resource) => listOf(kube, resource)));
  const problems = lists.flatMap((list) => (list.ok ? [] : list.problems));
  if (problems.length > 0) return refuseAll(problems);
  const objects = lists.flatMap((list) => (list.ok ? list.value : []));
  const definitions = readDefinitions(objects.filter((object) => readDefinitions([object]).ok));
  return definitions.ok ? ok({ objects, definitions: definitions.value }) : definitions;
}

async function listOf(kube: KubeAccess, resource: KubeResource): Promise<Result<readonly KubeObject[]>> {
  const listed = await kube.list(resource);
  if (!listed.ok) return listed;
  const read = listed.value.items.map((raw) => readApiObject(raw, resource.plural));
  const problems = read.flatMap((each) => (each.ok ? [] : each.problems));
  return problems.length > 0 ? refuseAll(problems) : ok(read.flatMap((each) => (each.ok ? [each.value] : [])));
}

/** One definition that waits, as `--output json` prints it. */
export type Waiting = {
  readonly kind: string;
  /** Empty for objects of the cluster. */
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  /** The generation in force meanwhile. */
  readonly inForce: number | null;
  readonly editors: readonly string[];
  /** How many people it needs. */
  readonly needs: number;
  readonly approvedBy: readonly string[];
  /** Whether the caller is one of those it waits for, as far as names tell; the verb is the cluster's to check. */
  readonly yours: boolean;
  /** One sentence, the same as in the condition Approved. */
  readonly why: string;
  /** What the newest generation changes, one line a field. */
  readonly changes: readonly string[];
};

const waitingIn = (snapshot: ApprovalSnapshot, me: string, now: Instant): readonly Waiting[] =>
  approvalStandings(snapshot, now)
    .filter(({ approvable, decision }) => decision.outcome.inForce?.generation !== approvable.generation)
    .map((standing) => waitingOf(standing, me, now));

/** As far as names tell: neither an editor nor a service account, not among those who did already, and nothing in the way. */
const mayApprove = (me: string, { approvable, tally, decision }: Standing): boolean =>
  approvable.editors.length > 0 &&
  ![...approvable.editors, ...(tally?.counted ?? [])].includes(me) &&
  !isServiceAccount(me) &&
  decision.outcome.obstacle === undefined;

function waitingOf(standing: Standing, me: string, now: Instant): Waiting {
  const { approvable, tally, decision } = standing;
  const { object, generation, editors, spec } = approvable;
  const { inForce } = decision.outcome;
  return {
    kind: object.kind,
    namespace: object.namespace,
    name: object.name,
    generation,
    inForce: inForce?.generation ?? null,
    editors,
    needs: tally?.needs.by === "people" ? tally.needs.people : 0,
    approvedBy: tally?.counted ?? [],
    yours: mayApprove(me, standing),
    why: approvalConditions(decision.outcome, now)[0]?.message ?? "",
    changes: specDiff(inForce?.spec, spec),
  };
}

function textOf(waiting: Waiting): string {
  const { kind, namespace, name, generation, inForce, changes, why, yours } = waiting;
  const meanwhile = inForce === null ? "nothing of it is in force" : `generation ${inForce} is in force meanwhile`;
  const word = APPROVABLE_KINDS.find((each) => each.kind.kind === kind)?.word ?? kind;
  const where = namespace === "" ? "" : ` -n ${namespace}`;
  const lines = [
    `${kind} ${namespace === "" ? "" : `${namespace}/`}${name}, generation ${generation}; ${meanwhile}`,
    `  ${printable(why)}`,
    ...changes.map((line) => `    ${line}`),
    ...(yours ? [`  You may: signet ${word} approve ${name}${where} --generation ${generation}`] : []),
  ];
  return `${lines.join("\n")}\n\n`;
}

function summary(waiting: readonly Waiting[]): string {
  const yours = waiting.filter((each) => each.yours).length;
  return waiting.length === 0 ? "Nothing waits.\n" : `${waiting.length} waiting, ${yours} of them for you.\n`;
}
