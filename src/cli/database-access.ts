import type { Result } from "../domain/problem.ts";
import type { StandingGrant, TableGrant } from "../policy/compile/database-access.ts";

/** What applying asks of a PostgreSQL. What it refuses is thrown. */
export type DatabaseDoor = {
  /** Runs `work` in a transaction, which stays only where that gives true. */
  readonly transaction: (work: () => Promise<boolean>) => Promise<void>;
  /** Roles of these names, and all that carry the comment; `ours`: it does. */
  readonly roles: (
    names: readonly string[],
    comment: string,
  ) => Promise<readonly { readonly role: string; readonly login: boolean; readonly ours: boolean }[]>;
  /** What was granted to these roles by name, on tables and on columns of theirs. */
  readonly granted: (roles: readonly string[]) => Promise<readonly StandingGrant[]>;
  /** What these roles may do on any table, whoever lets them. */
  readonly may: (roles: readonly string[]) => Promise<readonly TableGrant[]>;
  readonly run: (statement: string) => Promise<void>;
  readonly endSessions: (roles: readonly string[]) => Promise<void>;
  /** Changes pg_hba.conf and pg_ident.conf and has them read; gives whether anything changed. */
  readonly changeFiles: (hba: (text: string) => string, ident: (text: string) => string) => Promise<boolean>;
  readonly close: () => Promise<void>;
};

/** Opens the PostgreSQL that a file names; bin/ provides it. */
export type OpenDatabase = (file: string) => Promise<Result<DatabaseDoor>>;
