import { parentPort, workerData } from "node:worker_threads";
import { LedgerFile, type StoredSnapshot } from "./ledger-file.ts";
import { unpack } from "./packed-entries.ts";

/** What the worker is started with. */
export type WorkerData = { readonly path: string; readonly version: string; readonly now: number };

/** Asks for one durable write, or for the end. */
export type ToWorker = { readonly write: PackedBatch } | { readonly close: true };

/** What one commit writes; its buffer is handed over. */
export type PackedBatch = { readonly packed: Uint8Array; readonly snapshots: readonly StoredSnapshot[] };

/** The worker's answers: one `opened` or `refused`, then one `written` or `failed` for each write, in order. */
export type FromWorker =
  | { readonly opened: true }
  | { readonly refused: string }
  | { readonly written: number }
  | { readonly failed: string }
  | { readonly closed: true };

const say = (answer: FromWorker): void => parentPort?.postMessage(answer);

const reasonOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));

function open({ path, version, now }: WorkerData): LedgerFile | undefined {
  try {
    const file = new LedgerFile(path, version, now);
    say({ opened: true });
    return file;
  } catch (fault) {
    say({ refused: reasonOf(fault) });
    return undefined;
  }
}

function serve(file: LedgerFile, asked: ToWorker): void {
  if ("close" in asked) {
    file.close();
    say({ closed: true });
    parentPort?.close();
    return;
  }
  try {
    const entries = unpack(asked.write.packed);
    file.write({ entries, snapshots: asked.write.snapshots });
    say({ written: entries.length });
  } catch (fault) {
    say({ failed: reasonOf(fault) });
  }
}

const file = open(workerData as WorkerData);
if (file) parentPort?.on("message", (asked: ToWorker) => serve(file, asked));
