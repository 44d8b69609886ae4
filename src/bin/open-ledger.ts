import { join } from "node:path";
import type { LedgerView } from "../cli/ledger.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { LedgerReader } from "../store/ledger-reader.ts";

/** Opens the ledger of a state folder for reading; a server may be writing it. */
export function openLedgerOf(state: string): Result<LedgerView> {
  const path = join(state, "ledger.db");
  try {
    const reader = new LedgerReader(path);
    return ok({
      verify: () => reader.verify(),
      records: (filter) => reader.records(filter),
      lastVerdict: (subject, at) => reader.lastVerdict(subject, at),
      snapshot: (digest) => reader.snapshot(digest),
      close: () => reader.close(),
    });
  } catch (fault) {
    const reason = fault instanceof Error ? fault.message : String(fault);
    return refuse(
      "FILE_UNREADABLE",
      "--state",
      `There is no ledger to read at ${path} (${reason}).`,
      "Name the server's state folder with --state DIR.",
    );
  }
}
