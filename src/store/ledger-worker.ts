import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import type { Entry } from "./chain.ts";
import { entriesOf } from "./groups.ts";
import { LedgerFile, type StoredSnapshot } from "./ledger-file.ts";
import { type Lent, unpack } from "./packed-entries.ts";

/** What the worker is started with. */
export type WorkerData = { readonly path: string; readonly version: string; readonly now: number };

/** Asks for one durable write, or for the end. */
export type ToWorker = { readonly write: PackedBatch } | { readonly close: true };

/** What one commit writes; its memory is handed over. `sift`: leave out what is refused. */
export type PackedBatch = {
  readonly packed: Lent;
  readonly snapshots: readonly StoredSnapshot[];
  readonly sift: boolean;
};

/**
 * The worker's answers: one `opened` or `refused`, then one `written` (with the places of entries that were left out) or
 * `failed` for each write, in order, with the memory given back. `unsealed` may come at any time.
 */
export type FromWorker =
  | { readonly opened: true }
  | { readonly refused: string }
  | { readonly written: readonly number[]; readonly packed: Lent }
  | { readonly failed: string; readonly packed: Lent }
  | { readonly unsealed: string }
  | { readonly closed: true };

/** How long a record may stand before a signed head covers it. */
const SEAL_MS = 1000;

/** A thread that yields to the one that answers reviews; Linux counts niceness by thread. */
const NICENESS = 5;

const say = (answer: FromWorker, transfer: readonly ArrayBuffer[] = []): void =>
  parentPort?.postMessage(answer, transfer);

const reasonOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));

function open({ path, version, now }: WorkerData): LedgerFile | undefined {
  try {
    setPriority(0, NICENESS);
    const file = new LedgerFile(path, version, now);
    say({ opened: true });
    return file;
  } catch (fault) {
    say({ refused: reasonOf(fault) });
    return undefined;
  }
}

let sealing: NodeJS.Timeout | undefined;

function serve(file: LedgerFile, asked: ToWorker): void {
  if ("close" in asked) return close(file);
  const { packed } = asked.write;
  try {
    const written = write(file, asked.write);
    sealing ??= setTimeout(() => seal(file), SEAL_MS);
    say({ written, packed }, [packed.buffer]);
  } catch (fault) {
    say({ failed: reasonOf(fault), packed }, [packed.buffer]);
  }
}

function write(file: LedgerFile, { packed, snapshots, sift }: PackedBatch): readonly number[] {
  if (sift) return file.writeSifted({ entries: ungrouped(packed), snapshots });
  file.write({ entries: unpack(packed), snapshots });
  return [];
}

/** Each entry as a record of its own, so that one that is refused is left out alone. */
function* ungrouped(packed: Lent): Generator<Entry> {
  for (const record of unpack(packed)) yield* entriesOf(record);
}

function seal(file: LedgerFile): void {
  sealing = undefined;
  attemptToSeal(() => file.seal());
}

/** A head that lags is no reason to refuse records; it is said. */
function attemptToSeal(run: () => void): void {
  try {
    run();
  } catch (fault) {
    say({ unsealed: `the signed head could not be written to the disk: ${reasonOf(fault)}` });
  }
}

function close(file: LedgerFile): void {
  clearTimeout(sealing);
  attemptToSeal(() => file.close());
  say({ closed: true });
  parentPort?.close();
}

const file = open(workerData as WorkerData);
if (file) parentPort?.on("message", (asked: ToWorker) => serve(file, asked));
