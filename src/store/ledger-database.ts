import { DatabaseSync } from "node:sqlite";

/** SQLite locks a file for a moment where it is opened first, closed last or recovered (WAL, "Sometimes Queries Return SQLITE_BUSY"). */
const PATIENCE_MS = 5000;

/** Opens a ledger's file, and waits while somebody else opens or closes it. Throws where there is none to read. */
export const openLedgerDatabase = (path: string, { readOnly = false } = {}): DatabaseSync =>
  new DatabaseSync(path, { readOnly, timeout: PATIENCE_MS });
