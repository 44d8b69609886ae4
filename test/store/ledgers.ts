import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Entry } from "../../src/store/chain.ts";
import { type Ledger, type LedgerSettings, openLedger } from "../../src/store/ledger.ts";
import type { Verification } from "../../src/store/chain-walk.ts";
import { LedgerFile } from "../../src/store/ledger-file.ts";
import { LedgerReader } from "../../src/store/ledger-reader.ts";

/** The moment at which the tests' ledgers are written. */
export const NOON = Date.parse("2026-11-23T12:00:00Z");

/** A path for a ledger in a folder that is gone after the test. */
export function ledgerPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "signet-ledger-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "ledger.db");
}

/** A verdict as far as the ledger cares. */
export const entry = (name: string, at = NOON): Entry => ({
  kind: "verdict",
  subject: `Pod shop/${name}`,
  at,
  body: JSON.stringify({ name }),
});

/** Writes chains to a ledger, one start for each list of names, and closes it. */
export function writeChains(path: string, chains: readonly (readonly string[])[]): void {
  for (const names of chains) {
    const file = new LedgerFile(path, "1.2.3", NOON);
    for (const name of names) file.write({ entries: [entry(name)], snapshots: [] });
    file.close();
  }
}

/** Reads a ledger and lets go of it. */
export function reading<T>(path: string, use: (reader: LedgerReader) => T): T {
  const reader = new LedgerReader(path);
  try {
    return use(reader);
  } finally {
    reader.close();
  }
}

/** What `verify` finds in the file. */
export const verified = (path: string): Verification => reading(path, (reader) => reader.verify());

/** A ledger as the server opens it, closed after the test; `failures` collects what went wrong. */
export async function opened(path: string, settings: Partial<LedgerSettings> = {}) {
  const failures: string[] = [];
  const failed = (reason: string): void => void failures.push(reason);
  const ledger: Ledger = await openLedger({ path, version: "1.2.3", now: () => NOON, failed, ...settings });
  onTestFinished(() => ledger.close());
  return { ledger, failures };
}
