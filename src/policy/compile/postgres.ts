import type { Line } from "../intent/line.ts";
import { isActive } from "../../domain/sentences.ts";
import type { Doors } from "./doors.ts";
import { metadataOf, type Rendered } from "./rendered.ts";

/** The name of the target PostgreSQL: grants, and who may log in as whom. */
export const POSTGRES = "postgres";

/** What PostgreSQL grants on a table; a clause without operations means all of these. */
const PRIVILEGES = ["select", "insert", "update", "delete"] as const;

/**
 * For each role that `data: {protocol: postgres}` opens: the grants of those who may call it, and lines for pg_hba.conf and
 * pg_ident.conf that let a certificate's holder in as the database role of its own name and no other. A line without tables
 * grants nothing here: which tables are meant is not guessed.
 */
export function postgresGrants(doors: Doors): readonly Rendered[] {
  const servers = new Map<string, Line[]>();
  for (const line of doors.intent.lines)
    if (
      line.kind !== "deny" &&
      line.data?.protocol === "postgres" &&
      line.to.by === "role" &&
      isActive(line, doors.now)
    )
      servers.set(line.to.name, [...(servers.get(line.to.name) ?? []), line]);
  return [...servers].sort(([a], [b]) => (a < b ? -1 : 1)).map(([server, lines]) => serverOf(doors, server, lines));
}

function serverOf(doors: Doors, server: string, lines: readonly Line[]): Rendered {
  const callers = [...new Set(lines.flatMap(({ from }) => (from.by === "role" ? [from.name] : [])))].sort();
  return {
    apiVersion: "database.signet.dev/v1",
    kind: "PostgresGrants",
    metadata: metadataOf(
      POSTGRES,
      server,
      undefined,
      lines.map((line) => ({ line })),
    ),
    spec: { sql: sqlOf(callers, lines), hba: hbaOf(callers), ident: identOf(doors, callers) },
  };
}

/** Database roles are made where they are missing, lose everything, and get what the lines say. */
function sqlOf(callers: readonly string[], lines: readonly Line[]): string {
  const made = callers.map(
    (caller) =>
      `DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${literal(caller)}) THEN CREATE ROLE ${quoted(caller)} LOGIN; END IF; END $$;`,
  );
  const revoked = callers.map((caller) => `REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ${quoted(caller)};`);
  const granted = lines.flatMap(({ from, data, expires }) => {
    if (from.by !== "role" || !data?.tables || expires !== undefined) return [];
    const words = (data.operations ?? PRIVILEGES).map((one) => one.toLowerCase());
    const privileges = PRIVILEGES.filter((one) => words.includes(one)).map((one) => one.toUpperCase());
    return privileges.length === 0
      ? []
      : [`GRANT ${privileges.join(", ")} ON ${data.tables.map(quoted).join(", ")} TO ${quoted(from.name)};`];
  });
  return ["BEGIN;", ...made, ...revoked, ...granted, "COMMIT;", ""].join("\n");
}

/** Certificates alone, over TLS alone; whoever is not named falls through to whatever stands below. */
const hbaOf = (callers: readonly string[]): string =>
  callers.map((caller) => `hostssl all ${quoted(caller)} all cert map=signet\n`).join("") +
  callers.map((caller) => `host all ${quoted(caller)} all reject\n`).join("");

/** The certificate's common name is the workload's account and namespace; one map line for each account of a role. */
const identOf = ({ intent: { catalogue } }: Doors, callers: readonly string[]): string =>
  callers
    .flatMap((caller) => {
      const role = catalogue.roles.get(caller);
      const namespaces = [...catalogue.namespaces.values()].filter(({ roles }) =>
        roles.some(({ name }) => name === caller),
      );
      return (role?.match.serviceAccounts ?? []).flatMap((account) =>
        namespaces.map(({ name }) => `signet ${quoted(`${account}.${name}`)} ${quoted(caller)}\n`),
      );
    })
    .join("");

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
