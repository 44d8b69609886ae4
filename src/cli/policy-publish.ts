import { type Command, Option } from "commander";
import { ok, type Result } from "../domain/problem.ts";
import { changeOf, type PairChange } from "../policy/compile/change.ts";
import { doorsOf } from "../policy/compile/doors.ts";
import { fieldOf } from "../policy/compile/field.ts";
import { isEdited, saysTheSame, withDigest } from "../policy/compile/published.ts";
import { LINES_ANNOTATION, type Rendered } from "../policy/compile/rendered.ts";
import { unwaived, type Waiver } from "../policy/compile/waiver.ts";
import { objectKey, orderWrites, type Write } from "../reconcile/policies/order.ts";
import type { Raw } from "../wire/read-object.ts";
import { badInput, type Outcome } from "./action.ts";
import type { OpenDatabase } from "./database-access.ts";
import type { ExitCode, Io } from "./io.ts";
import type { KubeChoice } from "./kube-access.ts";
import { catalogueOption, EXIT_CODES, withExamples } from "./options.ts";
import { compiledOf, type Published, readPublished, resourceOf, type Wanted } from "./policy-cluster.ts";
import { collectTexts, targetOption, waiveOption } from "./policy-compile.ts";
import { applyToDatabase, type DatabaseOptions } from "./policy-database.ts";
import { lossReport } from "./policy-losses.ts";
import type { OpenPublishing, PublishAccess } from "./publish-access.ts";
import { table } from "./table.ts";

type Options = Omit<Wanted, "now"> & KubeChoice & { readonly waive: readonly Waiver[]; readonly dryRun?: boolean };

type ApplyOptions = Options & Partial<DatabaseOptions>;

/** Adds `signet policy apply` and `signet policy status`. */
export const addPublishCommands =
  (open: OpenPublishing, database: OpenDatabase) =>
  (program: Command, io: Io, outcome: Outcome): void => {
    const policy = program.commands.find((each) => each.name() === "policy");
    if (!policy) throw new TypeError("signet policy comes first");
    const apply = options(policy.command("apply"))
      .summary("publish what sentences mean (exit 3: it would let through too much)")
      .description(
        "Compiles for a cluster, shows the pairs that open and close, and writes in an order that nobody sees.",
      )
      .option("--dry-run", "show the pairs and the writes, and write nothing")
      .option("--database <file>", "grant in the PostgreSQL that the file names, and nothing in a cluster")
      .option("--server <role>", "the role of that PostgreSQL, where sentences open several")
      .option("--files", "write its pg_hba.conf and pg_ident.conf, which lie on this machine, too")
      .action(async ({ database: file, ...given }: ApplyOptions) => {
        outcome.code =
          file === undefined
            ? await withCluster(io, open, given, (access, published) => publish(io, access, published, given))
            : await applyToDatabase(io, { cluster: open, database }, { ...given, database: file });
      });
    withExamples(apply, [
      "policy apply --dry-run",
      "policy apply --catalogue policy/ --target networkpolicy",
      "policy apply --catalogue policy/ --database orders-db.yaml --server orders-db --files",
    ]);
    const status = options(policy.command("status"))
      .summary("what of the sentences is enforced, and what somebody changed (exit 3: something differs)")
      .description("Shows of each SegmentPolicy where it is active, and which compiled objects somebody changed.")
      .action(async (given: Options) => {
        outcome.code = await withCluster(io, open, given, (_access, published) =>
          Promise.resolve(report(io, published)),
        );
      });
    withExamples(status, ["policy status", "policy status --catalogue policy/"], EXIT_CODES);
  };

const options = (command: Command): Command =>
  command
    .addOption(catalogueOption().default(undefined, "the cluster's own"))
    .addOption(targetOption().default(undefined, "those that the cluster has"))
    .addOption(
      new Option("--pod-cidr <cidr>", "addresses that Pods have, beside those that nodes name; repeatable")
        .argParser(collectTexts)
        .default([], "none"),
    )
    .addOption(waiveOption())
    .option("--kubeconfig <file>", "the cluster's kubeconfig [KUBECONFIG]")
    .option("--context <name>", "context of the kubeconfig");

async function withCluster(
  io: Io,
  open: OpenPublishing,
  given: Options,
  run: (access: PublishAccess, published: Published) => Promise<ExitCode>,
): Promise<ExitCode> {
  const access = await open(given);
  if (!access.ok) return badInput(io, access.problems);
  const published = await readPublished(io, access.value, { ...given, now: io.now() });
  return published.ok ? run(access.value, published.value) : badInput(io, published.problems);
}

async function publish(io: Io, access: PublishAccess, published: Published, given: Options): Promise<ExitCode> {
  const { order, compilation, ours } = published;
  const blocking = unwaived(compilation.widening, given.waive, order.now);
  io.err(lossReport(compilation, blocking));
  if (blocking.length > 0) return 3;
  const pairs = pairsOf(published);
  if (!pairs.ok) return badInput(io, pairs.problems);
  const standing = ours.map(({ object }) => object);
  const writes = orderWrites(standing, [...compilation.compiled.values()].flat());
  io.out(pairsText(pairs.value));
  for (const object of standing.filter(isEdited)) io.out(`Somebody changed ${objectKey(object)}; it is mended.\n`);
  for (const write of writes) {
    io.out(`${write.verb} ${objectKey(write.object)} (${write.why})\n`);
    if (given.dryRun === true) continue;
    const done = await perform(access, write);
    if (!done.ok) return badInput(io, done.problems);
  }
  io.out(`${writes.length} writes${given.dryRun === true ? " would be made" : ""}.\n`);
  return 0;
}

function pairsOf({ order, compilation, ours }: Published): Result<readonly PairChange[]> {
  const doors = doorsOf(order.intent, order.site, order.now);
  const field = fieldOf(doors, order.site, order.members, order.foreign);
  return changeOf(compiledOf(ours), compilation.compiled, order.foreign, field);
}

function pairsText(changes: readonly PairChange[]): string {
  if (changes.length === 0) return "No pair opens or closes.\n";
  const dash = (text: string): string => (text === "nothing" ? "-" : text);
  const rows = changes.map(({ from, to, opens, closes }) => [from, to, dash(opens), dash(closes)]);
  return table([["FROM", "TO", "OPENS", "CLOSES"], ...rows]);
}

async function perform(access: PublishAccess, { verb, object }: Write): Promise<Result<Raw>> {
  const resource = resourceOf(object);
  if (!resource.ok) return resource;
  if (verb === "apply") return access.apply(resource.value, object.metadata, { ...withDigest(object) });
  const removed = await access.remove(resource.value, object.metadata);
  return removed.ok || removed.problems[0]?.code !== "NOT_FOUND" ? removed : ok({});
}

/** One row for each SegmentPolicy: its generation, where it is active, what it loses; then what differs. */
function report(io: Io, { order, compilation, ours }: Published): ExitCode {
  const wanted = [...compilation.compiled.values()].flat();
  const standing = new Map(ours.map(({ object }) => [objectKey(object), object]));
  const differs = wanted.filter((object) => {
    const live = standing.get(objectKey(object));
    return live === undefined || !saysTheSame(live, object);
  });
  const rows = order.intent.catalogue.definitions.policies.map(({ namespace, name, approval }) => {
    const own = `SegmentPolicy ${namespace}/${name},`;
    const objects = wanted.filter((object) => linesOf(object).some((line) => line.startsWith(own)));
    const active = objects.filter((object) => !differs.includes(object));
    const losses = compilation.losses.filter(({ rule, effect }) => rule.startsWith(own) && effect !== "exact");
    return [
      `${namespace}/${name}`,
      approval.state === "approved" ? String(approval.generation) : approval.state,
      `${active.length} of ${objects.length} objects`,
      losses.length === 0 ? "exact" : [...new Set(losses.map(({ code }) => code))].join(", "),
    ];
  });
  io.out(table([["SEGMENTPOLICY", "REVISION", "ACTIVE", "LOSSES"], ...rows]));
  const edited = ours.filter(({ object }) => isEdited(object));
  for (const { object } of edited) io.out(`${objectKey(object)}: somebody changed it since it was written.\n`);
  for (const object of differs)
    io.out(`${objectKey(object)}: ${standing.has(objectKey(object)) ? "is not what is meant now" : "is missing"}.\n`);
  return edited.length + differs.length > 0 ? 3 : 0;
}

const linesOf = ({ metadata }: Rendered): readonly string[] =>
  (metadata.annotations?.[LINES_ANNOTATION] ?? "").split("\n");
