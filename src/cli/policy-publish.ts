import { type Command, Option } from "commander";
import { ok, refuse, type Result } from "../domain/problem.ts";
import type { Waiver } from "../domain/sentences.ts";
import { changeText, type PairChange } from "../policy/compile/change.ts";
import { saysTheSame } from "../policy/compile/published.ts";
import { objectKey, type Write } from "../reconcile/policies/order.ts";
import { mendedBy, type Plan, planPublishing, standingAfter } from "../reconcile/policies/plan.ts";
import { POLICY_RESOURCES } from "../reconcile/policies/published-kinds.ts";
import { type PolicyStanding, standingsOf } from "../reconcile/policies/standing.ts";
import type { Raw } from "../wire/read-object.ts";
import { badInput, type Outcome } from "./action.ts";
import type { OpenDatabase } from "./database-access.ts";
import type { ExitCode, Io } from "./io.ts";
import type { KubeChoice } from "./kube-access.ts";
import { catalogueOption, EXIT_CODES, withExamples } from "./options.ts";
import { readPublished, type Wanted } from "./policy-cluster.ts";
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
            ? await withCluster(io, open, given, (access, plan) => publish(io, access, plan, given))
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
        outcome.code = await withCluster(io, open, given, (_access, plan) => Promise.resolve(report(io, plan)));
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
  run: (access: PublishAccess, plan: Plan) => Promise<ExitCode>,
): Promise<ExitCode> {
  const access = await open(given);
  if (!access.ok) return badInput(io, access.problems);
  const published = await readPublished(io, access.value, { ...given, now: io.now() });
  const plan = published.ok ? planPublishing(published.value, given.waive) : published;
  return plan.ok ? run(access.value, plan.value) : badInput(io, plan.problems);
}

async function publish(io: Io, access: PublishAccess, plan: Plan, given: Options): Promise<ExitCode> {
  const { published, blocking, pairs, writes, edited } = plan;
  io.err(lossReport(published.compilation, blocking));
  if (blocking.length > 0 && writes.length === 0) return 3;
  io.out(pairsText(pairs));
  for (const write of writes) {
    io.out(`${write.verb} ${objectKey(write.object)} (${write.why})\n`);
    if (given.dryRun === true) continue;
    const done = await perform(access, write);
    if (!done.ok) return badInput(io, done.problems);
  }
  const mended = mendedBy(plan, writes);
  for (const object of edited)
    io.out(`Somebody changed ${objectKey(object)}; it is ${mendedText(mended.has(object), given)}.\n`);
  io.out(`${writes.length} writes${given.dryRun === true ? " would be made" : ""}.\n`);
  return blocking.length > 0 ? 3 : 0;
}

const mendedText = (isMended: boolean, { dryRun }: Options): string =>
  isMended ? (dryRun === true ? "mended by apply" : "mended") : "not mended, for something keeps that back";

/** Pairs are written out one by one up to so many; beyond that those that change alike share a row. */
const SHOWN_PAIRS = 1_000;

function pairsText(changes: readonly PairChange[]): string {
  if (changes.length === 0) return "No pair opens or closes.\n";
  const count = changes.reduce((sum, { from, to }) => sum + from.length * to.length, 0);
  const rows = changes.flatMap(count <= SHOWN_PAIRS ? eachPair : alikePairs);
  return table([["FROM", "TO", "OPENS", "CLOSES"], ...rows]);
}

const eachPair = ({ from, to, opens, closes }: PairChange): readonly (readonly string[])[] =>
  from.flatMap((source) => to.map((target) => [source, target, changeText(opens), changeText(closes)]));

const alikePairs = ({ from, to, opens, closes }: PairChange): readonly (readonly string[])[] => [
  [namesText(from), namesText(to), changeText(opens), changeText(closes)],
];

const namesText = ([first = "", ...more]: readonly string[]): string =>
  more.length === 0 ? first : `${first} and ${more.length} more`;

async function perform(access: PublishAccess, { verb, object }: Write): Promise<Result<Raw>> {
  const resource = POLICY_RESOURCES.find(({ kind }) => kind === object.kind);
  if (!resource) return refuse("KIND_UNKNOWN", "kind", `${object.kind} is not published to a cluster.`);
  if (verb === "apply") return access.apply(resource, object);
  const removed = await access.remove(resource, object.metadata);
  return removed.ok || removed.problems[0]?.code !== "NOT_FOUND" ? removed : ok({});
}

/** One row for each SegmentPolicy: its generation, where it is active, what it loses; then what differs. */
function report(io: Io, plan: Plan): ExitCode {
  const { ours, compilation } = plan.published;
  const standing = standingAfter(
    ours.map(({ object }) => object),
    [],
  );
  const rows = [...standingsOf(plan, standing).values()].map(rowOf);
  io.out(table([["SEGMENTPOLICY", "APPROVED", "REVISION", "ACTIVE", "LOSSES"], ...rows]));
  const differs = [...compilation.compiled.values()].flat().filter((object) => {
    const live = standing.get(objectKey(object));
    return live === undefined || !saysTheSame(live, object);
  });
  for (const object of plan.edited) io.out(`${objectKey(object)}: somebody changed it since it was written.\n`);
  for (const object of differs)
    io.out(`${objectKey(object)}: ${standing.has(objectKey(object)) ? "is not what is meant now" : "is missing"}.\n`);
  const left = ours.map(({ object }) => object).filter((object) => plan.writes.some((write) => removes(write, object)));
  for (const object of left) io.out(`${objectKey(object)}: is no longer meant.\n`);
  for (const { code, rule } of plan.blocking)
    io.out(`${code} of ${rule}: nothing is published until that is mended or waived.\n`);
  return plan.edited.length + differs.length + left.length + plan.blocking.length > 0 ? 3 : 0;
}

const removes = ({ verb, object }: Write, other: Write["object"]): boolean =>
  verb === "delete" && objectKey(object) === objectKey(other);

function rowOf({ policy, revision, targets, losses }: PolicyStanding): readonly string[] {
  const { namespace, name, approval } = policy;
  const [active, objects] = (["active", "objects"] as const).map((key) =>
    targets.reduce((sum, one) => sum + one[key], 0),
  );
  return [
    `${namespace}/${name}`,
    approval.state === "approved" ? String(approval.generation) : approval.state,
    revision,
    `${active ?? 0} of ${objects ?? 0} objects`,
    losses.length === 0 ? "exact" : [...new Set(losses.map(({ code }) => code))].join(", "),
  ];
}
