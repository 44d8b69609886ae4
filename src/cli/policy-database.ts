import { ok, type Problem, problem, refuse, refuseAll, type Result } from "../domain/problem.ts";
import {
  accessStatements,
  type DatabaseAccess,
  gainsOf,
  hbaText,
  identText,
  lossesOf,
  missingFrom,
  OUR_ROLE,
  type StandingAccess,
  type TableGrant,
  withMoreOfOurs,
  withOurLines,
} from "../policy/compile/database-access.ts";
import type { Order } from "../policy/compile/compile.ts";
import { doorsOf } from "../policy/compile/doors.ts";
import { databaseAccess, POSTGRES } from "../policy/compile/postgres.ts";
import { standingLosses } from "../policy/compile/standing.ts";
import { NO_ADDRESSES } from "../policy/sets/address-set.ts";
import { badInput } from "./action.ts";
import type { DatabaseDoor, OpenDatabase } from "./database-access.ts";
import { readInventory } from "./inventory.ts";
import type { ExitCode, Io } from "./io.ts";
import type { KubeChoice } from "./kube-access.ts";
import { readPublished } from "./policy-cluster.ts";
import { lossText } from "./policy-losses.ts";
import { siteOfInventory } from "./policy-site.ts";
import type { OpenPublishing } from "./publish-access.ts";
import { table } from "./table.ts";

/** What `signet policy apply` is told for a database. */
export type DatabaseOptions = KubeChoice & {
  readonly database: string;
  readonly server?: string;
  readonly files?: boolean;
  readonly dryRun?: boolean;
  readonly catalogue?: string;
};

type Doors = { readonly cluster: OpenPublishing; readonly database: OpenDatabase };

/** Applies what sentences grant on one database server; exit 3 where its roles may do more than is meant, which undoes it. */
export async function applyToDatabase(io: Io, open: Doors, given: DatabaseOptions): Promise<ExitCode> {
  const order = await orderFor(io, open.cluster, given);
  if (!order.ok) return badInput(io, order.problems);
  const doors = doorsOf(order.value.intent, order.value.site, order.value.now);
  const wanted = serverOf(databaseAccess(doors), given.server);
  if (!wanted.ok) return badInput(io, wanted.problems);
  for (const loss of standingLosses(order.value, doors)) io.err(lossText(loss));
  const door = await open.database(given.database);
  if (!door.ok) return badInput(io, door.problems);
  const progress: Progress = { grants: "unmade" };
  try {
    return await converge({ io, door: door.value, given, progress }, wanted.value);
  } catch (fault) {
    return badInput(io, [
      problem(
        "DATABASE_REFUSED",
        "",
        `The database refused: ${fault instanceof Error ? fault.message : String(fault)}.`,
        AFTER[progress.grants],
      ),
    ]);
  } finally {
    await door.value.close();
  }
}

/** How far the grants of a run are: their transaction has not ended, is about to, or has. */
type Progress = { grants: "unmade" | "ending" | "made" };

/** What is left of a run that the database stopped. */
const AFTER: Readonly<Record<Progress["grants"], string>> = {
  unmade: "Nothing of this run's grants stays; mend that and run it again.",
  ending: "Whether this run's grants stay is not known; mend that and run it again.",
  made: "This run's grants stay, and what comes after them was not done: sessions that should end, and the files. Mend that and run it again.",
};

/** From the folder of definitions where one is named, else from the cluster's own. */
async function orderFor(io: Io, open: OpenPublishing, given: DatabaseOptions): Promise<Result<Order>> {
  if (given.catalogue === undefined) {
    const access = await open(given);
    if (!access.ok) return access;
    const published = await readPublished(io, access.value, { target: [POSTGRES], podCidr: [], now: io.now() });
    return published.ok ? ok(published.value.order) : published;
  }
  const inventory = readInventory(io, [], given);
  if (!inventory.ok) return inventory;
  const { intent, members } = inventory.value;
  const site = siteOfInventory(inventory.value, NO_ADDRESSES);
  return ok({ intent, members, site, targets: [POSTGRES], foreign: [], now: io.now() });
}

/** The access to the one server, or to the one that is named; to a server that no sentence opens there is none. */
function serverOf(servers: ReadonlyMap<string, DatabaseAccess>, name: string | undefined): Result<DatabaseAccess> {
  if (name !== undefined) return ok(servers.get(name) ?? { callers: [], grants: [] });
  const [only, second] = servers.values();
  if (only && !second) return ok(only);
  const names = [...servers.keys()].join(", ");
  return refuse(
    "USAGE",
    "--server",
    only ? `Sentences open several servers: ${names}.` : "No sentence opens a database.",
    "Say which role this server has with --server ROLE.",
  );
}

type Run = {
  readonly io: Io;
  readonly door: DatabaseDoor;
  readonly given: DatabaseOptions;
  readonly progress: Progress;
};

async function converge(run: Run, wanted: DatabaseAccess): Promise<ExitCode> {
  const { io, door, given } = run;
  const names = wanted.callers.map(({ role }) => role);
  const roles = await door.roles(names, OUR_ROLE);
  const taken = roles.filter(({ ours }) => !ours);
  if (taken.length > 0) return badInput(io, taken.map(takenProblem));
  const ours = roles.map(({ role }) => role);
  const wakeful = roles.filter(({ login }) => login).map(({ role }) => role);
  const isDry = given.dryRun === true;
  const changesFiles = given.files === true && !isDry;
  // Whoever has a role of ours has its lines: before it can log in, and until it cannot.
  const everybody = [...new Set([...names, ...wakeful])].sort();
  const widened = changesFiles && (await changeLines(door, everybody, wanted, withMoreOfOurs));
  const done = await changeGrants(run, { wanted, roles }, !isDry);
  if (!done.ok) {
    badInput(io, done.problems);
    return 3;
  }
  if (!isDry) await door.endSessions(ours.filter((role) => !names.includes(role)));
  const narrowed = changesFiles && (await changeLines(door, names, wanted, withOurLines));
  if (widened || narrowed) io.out("pg_hba.conf and pg_ident.conf are written, and read by the server.\n");
  io.out(`${done.value} statements${isDry ? " would be made" : ""}.\n`);
  return 0;
}

const changeLines = (
  door: DatabaseDoor,
  roles: readonly string[],
  { callers }: DatabaseAccess,
  identChange: typeof withOurLines,
): Promise<boolean> =>
  door.changeFiles(
    (file) => withOurLines(file, hbaText(roles)),
    (file) => identChange(file, identText(callers)),
  );

const takenProblem = ({ role }: { readonly role: string }): Problem =>
  problem(
    "DATABASE_ROLE_TAKEN",
    role,
    `The database has a role "${role}" that is not of our making.`,
    `Rename it; or hand it over: COMMENT ON ROLE "${role}" IS '${OUR_ROLE}'. What it was granted is then taken away.`,
  );

type Change = { readonly wanted: DatabaseAccess; readonly roles: StandingAccess["roles"] };

/** One transaction, looked at before it ends: where a role of ours may do more than is meant, nothing of it stays. */
async function changeGrants(
  { io, door, progress }: Run,
  { wanted, roles }: Change,
  keep: boolean,
): Promise<Result<number>> {
  let result: Result<number> = ok(0);
  await door.transaction(async () => {
    const names = [...new Set([...roles, ...wanted.callers].map(({ role }) => role))];
    const standing: StandingAccess = { roles, grants: await door.granted(names) };
    const statements = accessStatements(wanted, standing);
    io.out(changesText(gainsOf(standing, wanted.grants), lossesOf(standing, wanted.grants)));
    for (const statement of statements) {
      io.out(`${statement}\n`);
      await door.run(statement);
    }
    const more = missingFrom(wanted.grants, await door.may(names));
    result = more.length === 0 ? ok(statements.length) : refuseAll(more.map(widerProblem));
    const kept = keep && result.ok;
    if (kept) progress.grants = "ending";
    return kept;
  });
  if (progress.grants === "ending") progress.grants = "made";
  return result;
}

const widerProblem = ({ role, schema, table: name, privilege }: TableGrant): Problem =>
  problem(
    "DATABASE_WIDER",
    `${schema}.${name}`,
    `"${role}" may ${privilege} on ${schema}.${name} beside what is meant: by PUBLIC, by a role it is a member of, or as an owner.`,
    `Take that away, for example: REVOKE ${privilege} ON "${schema}"."${name}" FROM PUBLIC.`,
  );

function changesText(gains: readonly TableGrant[], loses: readonly TableGrant[]): string {
  const rows = new Map<string, { readonly first: TableGrant; readonly gains: string[]; readonly loses: string[] }>();
  const row = (one: TableGrant) => {
    const key = JSON.stringify([one.role, one.schema, one.table]);
    const known = rows.get(key) ?? { first: one, gains: [], loses: [] };
    rows.set(key, known);
    return known;
  };
  for (const one of gains) row(one).gains.push(one.privilege);
  for (const one of loses) row(one).loses.push(one.privilege);
  if (rows.size === 0) return "No grant changes.\n";
  const text = (words: readonly string[]): string => (words.length === 0 ? "-" : words.join(", "));
  const cells = [...rows.values()].map(({ first, ...each }) => [
    first.role,
    `${first.schema}.${first.table}`,
    text(each.gains),
    text(each.loses),
  ]);
  return table([["ROLE", "TABLE", "GAINS", "LOSES"], ...cells]);
}
