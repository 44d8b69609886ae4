import type { Command } from "commander";
import { type ApprovalEntry, isServiceAccount } from "../domain/approvals.ts";
import { formatInstant } from "../domain/instant.ts";
import type { PatchOperation } from "../domain/json-patch.ts";
import { ok, problem, type Problem, refuse, refuseAll, type Result } from "../domain/problem.ts";
import { entryJson } from "../reconcile/approvals/status-patch.ts";
import { type Approvable, readApprovable } from "../wire/definitions/approvable.ts";
import { readApiObject } from "../wire/objects.ts";
import { badInput, type Outcome } from "./action.ts";
import { APPROVABLE_KINDS, type ApprovableKind } from "./approvable-kinds.ts";
import type { ExitCode, Io } from "./io.ts";
import type { KubeAccess, KubeChoice, KubeName, OpenKube } from "./kube-access.ts";
import { printable, specDiff } from "./spec-diff.ts";

type Options = KubeChoice & {
  readonly namespace: string;
  readonly generation?: string;
  readonly reason?: string;
  readonly segment?: string;
};

/** What is said of a generation; each is an entry at the end of `status.approvals`. */
export type Verb = "approve" | "withdraw" | "deny";

const SUMMARIES: Readonly<Record<Verb, string>> = {
  approve: "bring its newest generation into force",
  withdraw: "take it out of force",
  deny: "say no to its newest generation; an older one stays in force",
};

/** What the user wants said about an object, and of which generation. */
type Wish = {
  readonly kind: ApprovableKind;
  readonly name: KubeName;
  readonly verb: Verb;
  readonly generation: number | undefined;
  readonly reason: string | undefined;
  readonly segment: string | undefined;
};

/** Adds `signet segment approve|withdraw|deny NAME`, and the same for each kind that is approved. */
export const addApproveCommands =
  (open: OpenKube) =>
  (program: Command, io: Io, outcome: Outcome): void => {
    for (const kind of APPROVABLE_KINDS) {
      const command = program.commands.find((each) => each.name() === kind.word) ?? groupCommand(program, kind);
      for (const verb of ["approve", "withdraw", "deny"] as const)
        addVerb(command, { kind, word: verb, verb, path: `${kind.word} ${verb}` }, async (name, options) => {
          outcome.code = await decide(io, open, kind, { verb, name, options });
        });
    }
  };

/** Other verbs may stand under the same word already. */
const groupCommand = (program: Command, { kind, word }: ApprovableKind): Command =>
  program.command(word).summary(`approve or withdraw a ${kind.kind}`);

/** A verb as it stands on the command line: its word there may be another. */
type Spoken = { readonly kind: ApprovableKind; readonly word: string; readonly verb: Verb; readonly path: string };

/** Adds the command by which a verb is said of an object. */
export function addVerb(
  parent: Command,
  { kind: { kind }, word, verb, path }: Spoken,
  run: (name: string, options: Options) => Promise<void>,
): void {
  const command = parent
    .command(word)
    .summary(SUMMARIES[verb])
    .argument("<name>", `name of the ${kind.kind}`)
    .option("--generation <n>", "only if this is its newest generation");
  if (verb === "deny") command.requiredOption("--reason <text>", "why; stands beside your name");
  else command.option("--reason <text>", "why; stands beside your name");
  if (verb === "approve" && kind.kind === "SegmentException")
    command.option("--segment <name>", "the segment that you speak for, where it crosses a fence");
  command
    .option("--kubeconfig <file>", "the cluster's kubeconfig [KUBECONFIG]")
    .option("--context <name>", "context of the kubeconfig");
  if (kind.scope === "Namespaced") command.option("-n, --namespace <name>", "its namespace", "default");
  command.addHelpText(
    "after",
    `\nExample:\n  $ signet ${path} NAME --generation 3 --reason "SHOP-412"\n\nExit codes: 0 done, or it was so already; 2 bad input; 3 not yours to ${word}, or refused by the cluster.\n`,
  );
  command.action(run);
}

type Asked = { readonly verb: Verb; readonly name: string; readonly options: Options };

/** Says what was asked of one object, in the caller's own name, and prints what it changes. */
export async function decide(io: Io, open: OpenKube, kind: ApprovableKind, asked: Asked): Promise<ExitCode> {
  const wish = wishOf(kind, asked);
  if (!wish.ok) return badInput(io, wish.problems);
  const kube = await open(asked.options);
  if (!kube.ok) return badInput(io, kube.problems);
  const me = await kube.value.whoAmI();
  if (!me.ok) return badInput(io, me.problems);
  const found = await read(kube.value, wish.value);
  if (!found.ok) return badInput(io, found.problems);
  io.out(heading(wish.value, found.value));
  const done = await write(io, kube.value, wish.value, { me: me.value, seen: found.value });
  if (done.ok) io.out(`${done.value}\n`);
  else badInput(io, done.problems);
  return done.ok ? 0 : 3;
}

function wishOf(kind: ApprovableKind, { verb, name, options }: Asked): Result<Wish> {
  const { generation, namespace, reason, segment } = options;
  if (generation !== undefined && !/^[1-9]\d{0,15}$/.test(generation))
    return refuse("USAGE", "--generation", `"${generation}" is not a generation.`, "Write a whole number from 1 on.");
  return ok({
    kind,
    name: kind.resource.namespaced ? { namespace, name } : { name },
    verb,
    generation: generation === undefined ? undefined : Number(generation),
    reason,
    segment,
  });
}

async function read(kube: KubeAccess, { kind, name }: Wish): Promise<Result<Approvable>> {
  const raw = await kube.get(kind.resource, name);
  if (!raw.ok) return raw;
  const object = readApiObject(raw.value, `${kind.kind.kind} ${name.name}`);
  return object.ok ? ok(readApprovable(object.value, kind.kind.scope)) : object;
}

/** What is about to be decided on: the generation, who edited it, and what it changes. */
function heading({ kind, name }: Wish, { generation, editors, approved, spec }: Approvable): string {
  const by = editors.length > 0 ? `, edited by ${editors.map(printable).join(", ")}` : "";
  const since = approved ? `against generation ${approved.generation}, approved` : "nothing of it was approved before";
  const changes = approved?.generation === generation ? [] : specDiff(approved?.spec, spec);
  const lines = changes.length > 0 ? [`  changes (${since}):`, ...changes.map((line) => `    ${line}`)] : [];
  return `${[`${kind.kind.kind} ${name.name}, generation ${generation}${by}`, ...lines].join("\n")}\n`;
}

/** How often a write is tried again where the object changed, but not its spec. */
const TRIES = 5;

type Writer = { readonly me: string; readonly seen: Approvable };

/** Appends the entry to exactly what was seen; where only the status changed meanwhile it is tried again. */
async function write(io: Io, kube: KubeAccess, wish: Wish, { me, seen }: Writer): Promise<Result<string>> {
  let now = seen;
  let refused: readonly Problem[] = [];
  for (let tries = 0; tries < TRIES; tries++) {
    const stale = staleness(wish, seen, now);
    if (stale) return refuseAll([stale]);
    const said = answerWithoutWriting(wish, me, now);
    if (said) return said;
    const entry = entryOf(io, wish, me, now);
    const written = await kube.patchStatus(wish.kind.resource, wish.name, appending(now, entry));
    if (written.ok) return ok(`${DONE[wish.verb]} by ${me}. ${NEXT[wish.verb]}`);
    refused = written.problems;
    const again = await read(kube, wish);
    if (!again.ok) return again;
    if (again.value.object.resourceVersion === now.object.resourceVersion) break;
    now = again.value;
  }
  return refuseAll(refused);
}

const DONE: Readonly<Record<Verb, string>> = { approve: "Approved", withdraw: "Withdrawn", deny: "Denied" };

const NEXT: Readonly<Record<Verb, string>> = {
  withdraw: "Signet takes it out of force; `signet approvals` shows where it stands.",
  approve: "Signet brings it into force when enough people have; `signet approvals` shows where it stands.",
  deny: "It stays out of force until somebody approves it after all, or edits it.",
};

/** An approval is for the newest generation; what is withdrawn is the one in force, or the newest. */
function staleness({ generation, verb }: Wish, seen: Approvable, now: Approvable): Problem | undefined {
  const wanted = generation ?? seen.generation;
  const known = verb === "withdraw" && wanted === now.approved?.generation;
  if ((known || now.generation === wanted) && now.object.uid === seen.object.uid) return undefined;
  return problem(
    "APPROVAL_STALE",
    "metadata.generation",
    `Its newest generation is ${now.generation}, not ${wanted}.`,
    "Look at what changed with `signet approvals`, and approve that generation.",
  );
}

/** What need not, or must not, be written. The API server would refuse the latter too. */
function answerWithoutWriting({ verb, segment }: Wish, me: string, now: Approvable): Result<string> | undefined {
  const last = now.approvals.findLastIndex(
    (entry) => (entry.withdraw || entry.deny) && entry.generation === now.generation,
  );
  const since = now.approvals.slice(last + 1).filter((entry) => entry.generation === now.generation);
  if (verb === "deny") return denial(now, last);
  if (verb === "withdraw") {
    const gone = now.approved === undefined && last !== -1 && since.length === 0;
    return gone ? ok("It is withdrawn already.") : undefined;
  }
  const why = hindrance(me, now);
  if (why !== undefined)
    return refuse("APPROVAL_NOT_YOURS", "status.approvals", why, "Ask somebody else with the verb approve.");
  const waits = now.conditions.some(({ type, status }) => type === "NamespacesApproved" && status === "False");
  const said = since.some((entry) => entry.by === me && (segment === undefined || entry.segment === segment));
  return said && !waits ? ok(`You, ${me}, have approved it already.`) : undefined;
}

/** What is in force is not denied but withdrawn. */
function denial(now: Approvable, last: number): Result<string> | undefined {
  if (now.approved?.generation === now.generation)
    return refuse(
      "APPROVAL_STALE",
      "metadata.generation",
      `Generation ${now.generation} is in force already.`,
      "Take it out of force with the verb withdraw.",
    );
  return last !== -1 && last === now.approvals.length - 1 ? ok("It is denied or withdrawn already.") : undefined;
}

function hindrance(me: string, { editors, generation }: Approvable): string | undefined {
  if (isServiceAccount(me)) return `${me} is a service account; these do not approve.`;
  if (editors.length === 0) return `Who edited generation ${generation} is not known; edit its spec once more.`;
  return editors.includes(me) ? `You, ${me}, edited generation ${generation} yourself.` : undefined;
}

const entryOf = (io: Io, wish: Wish, me: string, now: Approvable): ApprovalEntry => ({
  generation: wish.generation ?? (wish.verb === "withdraw" ? now.approved?.generation : undefined) ?? now.generation,
  by: me,
  at: formatInstant(io.now()),
  ...(wish.reason === undefined ? {} : { reason: wish.reason }),
  ...(wish.segment === undefined ? {} : { segment: wish.segment }),
  withdraw: wish.verb === "withdraw",
  ...(wish.verb === "deny" ? { deny: true } : {}),
});

/** One entry at the end of the list, and nothing where the object is no longer as it was seen. */
function appending({ object, present }: Approvable, entry: ApprovalEntry): readonly PatchOperation[] {
  const test: PatchOperation = { op: "test", path: "/metadata/resourceVersion", value: object.resourceVersion };
  const value = entryJson(entry);
  if (!present.status) return [test, { op: "add", path: "/status", value: { approvals: [value] } }];
  if (!present.approvals) return [test, { op: "add", path: "/status/approvals", value: [value] }];
  return [test, { op: "add", path: "/status/approvals/-", value }];
}
