import { type Command, Option } from "commander";
import { badInput, type Outcome } from "./action.ts";
import { APPROVABLE_KINDS } from "./approvable-kinds.ts";
import { addVerb, decide, type Verb } from "./approve.ts";
import { approvalText } from "./definition-views.ts";
import { extend, type ExtendOptions } from "./exception-extend.ts";
import { type ListedException, listExceptions } from "./exception-list.ts";
import { request, type RequestOptions } from "./exception-request.ts";
import type { ExitCode, Io } from "./io.ts";
import type { KubeChoice, OpenKube } from "./kube-access.ts";
import { outputOption } from "./options.ts";
import { table } from "./table.ts";

/** Adds what is done about exceptions in a cluster below `signet exceptions`: list, request, approve, deny, extend, end. */
export const addExceptionCommands =
  (open: OpenKube) =>
  (program: Command, io: Io, outcome: Outcome): void => {
    const parent = program.commands.find((each) => each.name() === "exceptions");
    if (!parent) throw new TypeError("signet exceptions comes first");
    // Options that stand behind a verb are the verb's.
    parent.enablePositionalOptions();
    addList(parent).action(async (options: KubeChoice & { readonly output: string }) => {
      outcome.code = await list(io, open, options);
    });
    addRequest(parent).action(async (name: string, options: RequestOptions) => {
      outcome.code = await request(io, open, name, options);
    });
    addVerbs(parent, io, open, outcome);
    addExtend(parent).action(async (name: string, options: ExtendOptions) => {
      outcome.code = await extend(io, open, name, options);
    });
  };

const cluster = (command: Command): Command =>
  command
    .option("--kubeconfig <file>", "the cluster's kubeconfig [KUBECONFIG]")
    .option("--context <name>", "context of the kubeconfig");

const EXIT = "Exit codes: 0 done, 2 bad input, 3 refused.";

const addList = (parent: Command): Command =>
  cluster(parent.command("list").summary("list those of a cluster, and who asked for them"))
    .addOption(outputOption(["text", "json"]))
    .addHelpText("after", `\nExample:\n  $ signet exceptions list\n\n${EXIT}\n`);

const endOptions = (command: Command): Command =>
  command
    .addOption(new Option("--expires <time>", "when it ends, for example 2027-01-31T00:00:00Z").conflicts("for"))
    .option("--for <span>", "how long from now on: 14d, 72h")
    .option("--ticket <id>", "where it was decided");

const addRequest = (parent: Command): Command =>
  endOptions(
    cluster(parent.command("request").summary("ask for one"))
      .description("Writes a SegmentException. It grants nothing until somebody else has approved it.")
      .argument("<name>", "name of the exception")
      .requiredOption("-n, --namespace <name>", "namespace of the workload")
      .requiredOption("--role <name>", "role of the workload")
      .option("--permit <check>", "what is permitted: hostNetwork, hostPath:/srv/import, capability:NET_ADMIN …")
      .option("--sentence <text>", "the connection that is permitted: 'role:web -> role:orders-db on tcp/5432'")
      .requiredOption("--reason <text>", "why it is needed"),
  )
    .option("--not-before <time>", "from when on it counts")
    .option("--print", "print the object instead of writing it, for a pull request")
    .addHelpText(
      "after",
      `\nExamples:\n  $ signet exceptions request legacy-import -n payments --role orders-db --permit hostPath:/srv/import --for 14d --reason "the old importer" --ticket SHOP-412\n  $ signet exceptions request legacy-import -n payments --role orders-db --permit hostPID --for 72h --reason debugging --print\n\n${EXIT}\n`,
    );

/** What is said of an exception in words of its own, and the verb that it is for every kind. */
const VERBS: readonly (readonly [string, Verb])[] = [
  ["approve", "approve"],
  ["deny", "deny"],
  ["end", "withdraw"],
];

function addVerbs(parent: Command, io: Io, open: OpenKube, outcome: Outcome): void {
  const kind = APPROVABLE_KINDS.find((each) => each.word === "exception");
  if (!kind) throw new TypeError("exceptions are approved");
  for (const [word, verb] of VERBS)
    addVerb(parent, { kind, word, verb, path: `exceptions ${word}` }, async (name, options) => {
      outcome.code = await decide(io, open, kind, { verb, name, options });
    });
}

const addExtend = (parent: Command): Command =>
  endOptions(
    cluster(parent.command("extend").summary("ask for a later end"))
      .description(
        "Writes a later end: a new generation, which somebody else approves. The old one counts to its own end.",
      )
      .argument("<name>", "name of the exception")
      .requiredOption("-n, --namespace <name>", "its namespace"),
  ).addHelpText("after", `\nExample:\n  $ signet exceptions extend legacy-import -n payments --for 14d\n\n${EXIT}\n`);

async function list(io: Io, open: OpenKube, options: KubeChoice & { readonly output: string }): Promise<ExitCode> {
  const kube = await open(options);
  if (!kube.ok) return badInput(io, kube.problems);
  const listed = await listExceptions(kube.value, io.now());
  if (!listed.ok) return badInput(io, listed.problems);
  io.out(options.output === "json" ? `${JSON.stringify(listed.value, null, 2)}\n` : textOf(listed.value));
  return 0;
}

const HEADINGS = ["NAMESPACE", "NAME", "PERMITS", "ROLE", "STATE", "LEFT", "REQUESTED BY", "APPROVAL", "TICKET"];

const textOf = (listed: readonly ListedException[]): string =>
  listed.length === 0 ? "There are no exceptions.\n" : table([HEADINGS, ...listed.map(rowOf)]);

const rowOf = (one: ListedException): readonly string[] => [
  one.namespace,
  one.name,
  one.permits,
  one.role,
  one.state,
  one.left,
  one.requestedBy.join(",") || "-",
  approvalText(one.approval),
  one.ticket ?? "-",
];
