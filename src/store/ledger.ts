import type { Worker } from "node:worker_threads";
import type { Instant } from "../domain/instant.ts";
import type { Entry } from "./chain.ts";
import type { StoredSnapshot } from "./ledger-file.ts";
import { LedgerQueue } from "./ledger-queue.ts";
import type { FromWorker, WorkerData } from "./ledger-worker.ts";
import { startThread } from "./thread.ts";

/** Figures of the ledger since it was opened. */
export type LedgerFigures = {
  readonly queued: number;
  readonly written: number;
  readonly dropped: number;
  readonly failures: number;
  /** Why nothing can be written at present; absent while the last write was good. */
  readonly failing?: string;
};

/** The ledger as the server writes it. */
export type Ledger = {
  /** Takes an entry without waiting. When too many wait, it is dropped, counted, and the gap is written down. */
  readonly offer: (entry: Entry) => void;
  /** Resolves when the entries are durable; rejects where they could not be written. */
  readonly append: (entries: readonly Entry[]) => Promise<void>;
  /** Stores a catalogue's text once, before any verdict that was given by it. */
  readonly remember: (snapshot: StoredSnapshot, at: Instant) => void;
  readonly figures: () => LedgerFigures;
  /** Writes what waits, then closes. */
  readonly close: () => Promise<void>;
};

/** How much may wait, how long entries are gathered for one commit, and how long after a failure the next try is. */
export type LedgerLimits = {
  readonly records: number;
  readonly bytes: number;
  readonly gatherMs: number;
  readonly retryMs: number;
};

const LIMITS: LedgerLimits = { records: 50_000, bytes: 16 * 1024 * 1024, gatherMs: 100, retryMs: 1000 };

/** Where and how a ledger is opened. `failed` hears of each write that did not succeed. */
export type LedgerSettings = {
  readonly path: string;
  readonly version: string;
  readonly now: () => Instant;
  readonly failed: (reason: string) => void;
  readonly limits?: Partial<LedgerLimits>;
};

/**
 * Opens the ledger in a thread of its own, so that neither hashing nor the disk is ever in admission's way. Rejects with the
 * reason where another process holds it or the file is no ledger.
 */
export async function openLedger(settings: LedgerSettings): Promise<Ledger> {
  const { path, version, now } = settings;
  const data: WorkerData = { path, version, now: now() };
  const worker = startThread("ledger-worker", import.meta.url, {
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 4 },
  });
  await opened(worker);
  return new LedgerQueue(worker, { ...settings, limits: { ...LIMITS, ...settings.limits } }).ledger();
}

const opened = (worker: Worker): Promise<void> =>
  new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (answer: FromWorker) => {
      worker.off("error", reject);
      if ("refused" in answer) reject(new Error(answer.refused));
      else resolve();
    });
  });
