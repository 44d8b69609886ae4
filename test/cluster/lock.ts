import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Runs `work` while holding the lock file, waiting for whoever holds it now. The lock is the one the kernel keeps
 * on an open SQLite file, so it goes with its holder, however that one ends: no lock is ever stale.
 */
export async function whileLocked<T>(file: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file);
  try {
    if (!tryLock(database)) onWait();
    while (!tryLock(database)) await sleep(250);
    return await work();
  } finally {
    database.close();
  }
}

function tryLock(database: DatabaseSync): boolean {
  if (database.isTransaction) return true;
  try {
    database.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes("locked")) return false;
    throw error;
  }
}
