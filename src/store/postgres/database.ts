import { chownSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import pg from "pg";
import { clientConfig, type DatabaseSettings } from "./settings.ts";

/** One privilege of a role on a table. */
type Grant = { readonly role: string; readonly schema: string; readonly table: string; readonly privilege: string };

/** A role as it stands; `ours`: it carries our comment. */
type StandingRole = { readonly role: string; readonly login: boolean; readonly ours: boolean };

/** A change of a file of the server: its lines before and after. */
type FileChange = (text: string) => string;

const ROLES = `
  SELECT rolname AS role, rolcanlogin AS login, coalesce(shobj_description(oid, 'pg_authid') = $2, false) AS ours
  FROM pg_roles WHERE rolname = ANY($1) OR shobj_description(oid, 'pg_authid') = $2 ORDER BY rolname`;

/** Tables, views and the like, outside PostgreSQL's own schemas. */
const TABLES = `
  pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'`;

/** What was granted to roles by name, on tables and on columns. */
const GRANTED = `
  SELECT DISTINCT r.rolname AS role, n.nspname AS schema, c.relname AS table, acl.privilege_type AS privilege, acl.whole
  FROM ${TABLES} LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
  CROSS JOIN LATERAL (SELECT *, true AS whole FROM aclexplode(c.relacl)
    UNION ALL SELECT *, false AS whole FROM aclexplode(a.attacl)) acl
  JOIN pg_roles r ON r.oid = acl.grantee AND r.oid <> c.relowner WHERE r.rolname = ANY($1)
  ORDER BY 1, 2, 3, 4, 5`;

/** What roles may do, whoever lets them: by name, as members of others, as owners, or as everybody. */
const MAY = `
  SELECT r.rolname AS role, n.nspname AS schema, c.relname AS table, p.privilege
  FROM ${TABLES} JOIN pg_roles r ON r.rolname = ANY($1)
  CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p(privilege)
  WHERE has_schema_privilege(r.oid, n.oid, 'USAGE') AND (has_table_privilege(r.oid, c.oid, p.privilege)
    OR p.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') AND has_any_column_privilege(r.oid, c.oid, p.privilege))
  ORDER BY 1, 2, 3, 4`;

/** A PostgreSQL whose roles and grants are looked after; one transaction at a time. What it refuses is thrown. */
export class Database {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  /** Rejects where it cannot be reached. */
  static async open(settings: DatabaseSettings): Promise<Database> {
    const client = new pg.Client(clientConfig(settings));
    client.on("error", () => undefined);
    await client.connect();
    return new Database(client);
  }

  /** Runs `work` in a transaction, which stays only where that gives true. Two of ours come one after the other. */
  async transaction(work: () => Promise<boolean>): Promise<void> {
    await this.#client.query("BEGIN; SELECT pg_advisory_xact_lock(7368104)");
    let keep = false;
    try {
      keep = await work();
    } finally {
      await this.#client.query(keep ? "COMMIT" : "ROLLBACK");
    }
  }

  /** Roles of these names, and all that carry the comment. */
  async roles(names: readonly string[], comment: string): Promise<readonly StandingRole[]> {
    return (await this.#client.query<StandingRole>(ROLES, [names, comment])).rows;
  }

  /** What was granted to these roles by name; `whole`: on the table, and not on some of its columns. */
  async granted(roles: readonly string[]): Promise<readonly (Grant & { readonly whole: boolean })[]> {
    return (await this.#client.query<Grant & { readonly whole: boolean }>(GRANTED, [roles])).rows;
  }

  /** What these roles may do on any table, whoever lets them. */
  async may(roles: readonly string[]): Promise<readonly Grant[]> {
    return (await this.#client.query<Grant>(MAY, [roles])).rows;
  }

  async run(statement: string): Promise<void> {
    await this.#client.query(statement);
  }

  /** Ends the sessions of these roles. */
  async endSessions(roles: readonly string[]): Promise<void> {
    await this.#client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ANY($1)", [roles]);
  }

  /**
   * Changes pg_hba.conf and pg_ident.conf, which must lie on this machine, and has the server read them. A file that it would
   * not read is put back, and what it says of it thrown. Gives whether anything changed.
   */
  async changeFiles(hba: FileChange, ident: FileChange): Promise<boolean> {
    const changed = [
      await this.#changeFile("hba_file", "pg_hba_file_rules", hba),
      await this.#changeFile("ident_file", "pg_ident_file_mappings", ident),
    ];
    if (!changed.includes(true)) return false;
    await this.#client.query("SELECT pg_reload_conf()");
    return true;
  }

  async #changeFile(setting: string, view: string, change: FileChange): Promise<boolean> {
    const { rows } = await this.#client.query<{ readonly path: string }>("SELECT current_setting($1) AS path", [
      setting,
    ]);
    const path = rows[0]?.path ?? "";
    const was = readFileSync(path, "utf8");
    const is = change(was);
    if (is === was) return false;
    replaceFile(path, is);
    const wrong = await this.#client.query<{ readonly error: string }>(
      `SELECT line_number || ': ' || error AS error FROM ${view} WHERE error IS NOT NULL ORDER BY line_number`,
    );
    if (wrong.rows.length === 0) return true;
    replaceFile(path, was);
    throw new Error(`${path}, line ${wrong.rows.map(({ error }) => error).join(", line ")}`);
  }

  async close(): Promise<void> {
    await this.#client.end();
  }
}

/** At once or not at all, with the owner and the mode that it had. */
function replaceFile(path: string, text: string): void {
  const { mode, uid, gid } = statSync(path);
  const next = `${path}.signet`;
  writeFileSync(next, text, { mode });
  chownSync(next, uid, gid);
  renameSync(next, path);
}
