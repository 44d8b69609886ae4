import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CopiesView, LedgerView, Verified } from "../cli/ledger.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { LedgerReader } from "../store/ledger-reader.ts";
import { readHead } from "../store/sealed-head.ts";
import { readServerConfig } from "../wire/config.ts";

const reasonOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));

/** Opens the ledger of a state folder for reading; a server may be writing it. */
export function openLedgerOf(state: string): Result<LedgerView> {
  const path = join(state, "ledger.db");
  try {
    const reader = new LedgerReader(path);
    return ok({
      verify: (head) => verify(reader, head),
      records: (filter) => reader.records(filter),
      lastVerdict: (subject, at) => reader.lastVerdict(subject, at),
      snapshot: (digest) => reader.snapshot(digest),
      close: () => reader.close(),
    });
  } catch (fault) {
    return refuse(
      "FILE_UNREADABLE",
      "--state",
      `There is no ledger to read at ${path} (${reasonOf(fault)}).`,
      "Name the server's state folder with --state DIR.",
    );
  }
}

function verify(reader: LedgerReader, head: string | undefined): Result<Verified> {
  if (head === undefined) return ok(reader.verify());
  const kept = readHead(head);
  if (kept) return ok(reader.verify(kept));
  return refuse(
    "FILE_UNREADABLE",
    "--head",
    `"${head}" holds no signed head, or one that its key has not signed.`,
    "Name a copy of the ledger.db.head of a state folder.",
  );
}

/** Opens the copies of ledgers in the PostgreSQL that a server's configuration names. */
export async function openCopiesOf(path: string): Promise<Result<CopiesView>> {
  const text = textOf(path);
  if (!text.ok) return text;
  const config = readServerConfig({ name: path, text: text.value }, {});
  if (!config.ok) return config;
  const { database } = config.value;
  if (!database) return refuse("FIELD_MISSING", "database", `"${path}" names no database.`, "Add its part `database`.");
  const { CopyReader } = await import("../store/postgres/reader.ts");
  const { whyNot } = await import("../store/postgres/why-not.ts");
  try {
    return ok(await CopyReader.open(database));
  } catch (fault) {
    const { host, name } = database;
    return refuse(
      "DATABASE_UNREADABLE",
      "database",
      `The ledgers in the database ${name} at ${host} cannot be read: ${whyNot(fault, database)}.`,
      "Check that it runs, and that its part `database` of the configuration is right.",
    );
  }
}

function textOf(path: string): Result<string> {
  try {
    return ok(readFileSync(path, "utf8"));
  } catch {
    return refuse(
      "FILE_UNREADABLE",
      "--database",
      `"${path}" could not be read.`,
      "Check the path and its permissions.",
    );
  }
}
