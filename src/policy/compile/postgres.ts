import { isActive } from "../../domain/sentences.ts";
import type { Line } from "../intent/line.ts";
import { both, eachBit, hasBit, noBits } from "../reach/bits.ts";
import { areasOf } from "../reach/rectangles.ts";
import { blockedIn } from "./blocked.ts";
import {
  accessStatements,
  type Caller,
  type DatabaseAccess,
  hbaText,
  identText,
  PRIVILEGES,
  type TableGrant,
} from "./database-access.ts";
import type { Doors } from "./doors.ts";
import { metadataOf, type Rendered } from "./rendered.ts";

/** The name of the target PostgreSQL: grants, and who may log in as whom. */
export const POSTGRES = "postgres";

/**
 * For each role that `data: {protocol: postgres}` opens: the grants of those who may call it, and lines for pg_hba.conf and
 * pg_ident.conf that let a certificate's holder in as the database role of its own name and no other; as text, for whoever
 * applies it by hand.
 */
export const postgresGrants = (doors: Doors): readonly Rendered[] =>
  [...serversIn(doors)].map(([server, calls]) => {
    const access = accessOf(doors, calls);
    return {
      apiVersion: "database.signet.dev/v1",
      kind: "PostgresGrants",
      metadata: metadataOf(POSTGRES, server, undefined, calls),
      spec: {
        sql: ["BEGIN;", ...accessStatements(access), "COMMIT;", ""].join("\n"),
        hba: hbaText(access.callers.map(({ role }) => role)),
        ident: identText(access.callers),
      },
    };
  });

/**
 * Who may do what on each database server, by its role. Denials, fences and quarantines are taken out. A line without tables
 * grants nothing, as which are meant is not guessed; nor does one with an end, as grants have none.
 */
export const databaseAccess = (doors: Doors): ReadonlyMap<string, DatabaseAccess> =>
  new Map([...serversIn(doors)].map(([server, calls]) => [server, accessOf(doors, calls)]));

function serversIn(doors: Doors): ReadonlyMap<string, readonly Call[]> {
  const servers = new Map<string, Call[]>();
  for (const call of callsIn(doors)) servers.set(call.server, [...(servers.get(call.server) ?? []), call]);
  return new Map([...servers].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A line that lets a role call a server. */
type Call = { readonly server: string; readonly caller: string; readonly line: Line };

function callsIn({ intent, cells, selecting, now }: Doors): readonly Call[] {
  const blocked = blockedIn(intent, cells, now);
  const areas = areasOf(
    intent,
    cells.map(({ end }) => end),
  );
  const calls = new Map<string, Call>();
  const lines = intent.lines.filter((line) => line.kind !== "deny" && line.data?.protocol === "postgres");
  for (const line of lines.filter((one) => isActive(one, now)))
    for (const [from, to] of areas(line))
      eachBit(both(to, selecting.sure(line.to)), (place) => {
        const server = cells[place]?.role;
        if (server === undefined || hasBit(blocked.cut, place)) return;
        for (const left of blocked.leave(line, place, "ingress", both(from, selecting.sure(line.from))))
          eachBit(left.on.length > 0 ? left.peers : noBits(0), (far) => {
            const caller = cells[far]?.role;
            if (caller !== undefined)
              calls.set(JSON.stringify([server, caller, line.object, line.path]), { server, caller, line });
          });
      });
  return [...calls.values()];
}

function accessOf(doors: Doors, calls: readonly Call[]): DatabaseAccess {
  const roles = [...new Set(calls.map(({ caller }) => caller))].sort();
  const grants = new Map(calls.flatMap(grantsOf).map((grant) => [JSON.stringify(grant), grant]));
  const callers = roles.flatMap((role) => callerOf(doors, role) ?? []);
  const may = new Set(callers.map(({ role }) => role));
  return { callers, grants: [...grants.values()].filter(({ role }) => may.has(role)) };
}

function grantsOf({ caller, line: { data, expires } }: Call): readonly TableGrant[] {
  if (expires !== undefined) return [];
  const words = data?.operations?.map((one) => one.toUpperCase()) ?? PRIVILEGES;
  const privileges = PRIVILEGES.filter((one) => words.includes(one));
  return (data?.tables ?? []).flatMap((written) => {
    const [first = "", ...rest] = written.split(".");
    const [schema, table] = rest.length === 0 ? ["public", first] : [first, rest.join(".")];
    return privileges.map((privilege) => ({ role: caller, schema, table, privilege }));
  });
}

/**
 * A certificate names account and namespace; one name for each account of a role in each of its namespaces. Undefined where
 * all of them are under quarantine.
 */
function callerOf(doors: Doors, role: string): Caller | undefined {
  const { catalogue } = doors.intent;
  const spaces = [...catalogue.namespaces.values()].filter(({ roles }) => roles.some(({ name }) => name === role));
  const accounts = catalogue.roles.get(role)?.match.serviceAccounts ?? [];
  const all = accounts.flatMap((account) => spaces.map(({ name }) => ({ account, namespace: name })));
  const free = all.filter((one) => !isCutOff(doors, { ...one, role }));
  if (free.length === 0 && all.length > 0) return undefined;
  return { role, certificates: free.map(({ account, namespace }) => `${account}.${namespace}`) };
}

type Account = { readonly role: string; readonly namespace: string; readonly account: string };

/** By the account's identity; or by one Pod that runs under it, since a certificate does not tell that from the others. */
function isCutOff(
  { intent, cells, site: { quarantined = [] } }: Doors,
  { role, namespace, account }: Account,
): boolean {
  const cell = cells.find((one) => one.namespace === namespace && one.role === role);
  const identity = `spiffe://${intent.catalogue.trustDomain}/ns/${namespace}/sa/${account}`;
  return (
    (cell !== undefined && intent.quarantineOf({ ...cell.end, identity }) !== undefined) ||
    quarantined.some((one) => one.namespace === namespace && one.role === role)
  );
}
