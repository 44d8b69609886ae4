import { Worker } from "node:worker_threads";
import type { Instant } from "../domain/instant.ts";
import type { Entry } from "./chain.ts";
import type { StoredSnapshot } from "./ledger-file.ts";
import type { FromWorker, ToWorker, WorkerData } from "./ledger-worker.ts";
import { PackedEntries, type Place } from "./packed-entries.ts";

/** Figures of the ledger since it was opened. */
export type LedgerFigures = {
  readonly queued: number;
  readonly written: number;
  readonly dropped: number;
  readonly failures: number;
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
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const worker = new Worker(new URL(`./ledger-worker.${extension}`, import.meta.url), {
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 4 },
  });
  await opened(worker);
  return new Writer(worker, settings).ledger();
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

/** An entry that somebody waits for, and where it lies among those that wait. */
type Asked = { readonly place: Place; readonly done: () => void; readonly failed: (reason: Error) => void };

/** What gathers, or is on its way: offered entries and asked ones, in their order. */
type Batch = { entries: PackedEntries; asked: Asked[]; snapshots: StoredSnapshot[] };

const emptyBatch = (): Batch => ({ entries: new PackedEntries(), asked: [], snapshots: [] });

/** Groups what is written: while one batch is on its way to the disk, the next gathers. */
class Writer {
  readonly #worker: Worker;
  readonly #settings: LedgerSettings;
  readonly #limits: LedgerLimits;
  #waiting = emptyBatch();
  #flying: Batch | undefined;
  #timer: NodeJS.Timeout | undefined;
  #gap = { dropped: 0, since: 0 };
  #figures = { written: 0, dropped: 0, failures: 0 };
  #closed: (() => void) | undefined;
  #dead = false;

  constructor(worker: Worker, settings: LedgerSettings) {
    this.#worker = worker;
    this.#settings = settings;
    this.#limits = { ...LIMITS, ...settings.limits };
    worker.on("message", (answer: FromWorker) => this.#answered(answer));
    worker.on("error", (fault) => this.#died(String(fault)));
    worker.on("exit", () => this.#died("the ledger's thread ended"));
    worker.unref();
  }

  ledger(): Ledger {
    return {
      offer: (entry) => this.#offer(entry),
      append: (entries) => this.#append(entries),
      remember: (snapshot, at) => {
        this.#waiting.snapshots.push(snapshot);
        const body = JSON.stringify({ digest: snapshot.digest, bytes: snapshot.text.length });
        this.#enqueue({ kind: "catalogue", subject: snapshot.digest, at, body });
        this.#schedule(0);
      },
      figures: () => ({ ...this.#figures, queued: this.#waiting.entries.count + (this.#flying?.entries.count ?? 0) }),
      close: () => this.#close(),
    };
  }

  #offer(entry: Entry): void {
    const { count, bytes } = this.#waiting.entries;
    if (this.#dead || count >= this.#limits.records || bytes >= this.#limits.bytes) return this.#drop(1);
    this.#enqueue(entry);
    this.#schedule(this.#limits.gatherMs);
  }

  #drop(count: number): void {
    if (this.#gap.dropped === 0) this.#gap = { dropped: 0, since: this.#settings.now() };
    this.#gap = { ...this.#gap, dropped: this.#gap.dropped + count };
    this.#figures.dropped += count;
  }

  /** The gap stands before what comes after it. */
  #enqueue(entry: Entry): Place {
    const { entries } = this.#waiting;
    if (this.#gap.dropped > 0) {
      entries.add({ kind: "gap", subject: "", at: this.#settings.now(), body: JSON.stringify(this.#gap) });
      this.#gap = { dropped: 0, since: 0 };
    }
    return entries.add(entry);
  }

  #append(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return Promise.resolve();
    if (this.#dead) return Promise.reject(new Error("the ledger is closed"));
    return new Promise((resolve, failed) => {
      const last = entries.length - 1;
      for (const [index, entry] of entries.entries()) {
        const done = index === last ? resolve : () => undefined;
        this.#waiting.asked.push({ place: this.#enqueue(entry), done, failed });
      }
      this.#schedule(0);
    });
  }

  #schedule(delayMs: number): void {
    if (this.#flying || this.#dead) return;
    if (delayMs === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      queueMicrotask(() => this.#send());
    } else this.#timer ??= setTimeout(() => this.#send(), delayMs);
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#flying || this.#dead || this.#waiting.entries.count === 0) return;
    this.#flying = this.#waiting;
    this.#waiting = emptyBatch();
    this.#worker.ref();
    const packed = this.#flying.entries.copy();
    this.#post({ write: { packed, snapshots: this.#flying.snapshots } }, [packed.buffer]);
  }

  #post(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #answered(answer: FromWorker): void {
    if ("closed" in answer) return this.#closed?.();
    const flown = this.#flying;
    this.#flying = undefined;
    if (!flown) return;
    if (!this.#closed) this.#worker.unref();
    if ("written" in answer) this.#wroteAll(flown);
    else if ("failed" in answer) this.#failedWrite(flown, answer.failed);
    if (this.#closed && this.#waiting.entries.count === 0) this.#post({ close: true });
  }

  #wroteAll({ entries, asked }: Batch): void {
    this.#figures.written += entries.count;
    for (const { done } of asked) done();
    if (this.#waiting.entries.count > 0) this.#schedule(this.#waiting.asked.length > 0 ? 0 : this.#limits.gatherMs);
  }

  /** Who waits is told; what was only offered is tried again, ahead of what came since. */
  #failedWrite({ entries, asked, snapshots }: Batch, reason: string): void {
    this.#figures.failures += 1;
    this.#settings.failed(reason);
    for (const { failed } of asked) failed(new Error(reason));
    if (this.#closed) {
      this.#lose(this.#waiting, reason);
      this.#waiting = emptyBatch();
    } else {
      this.#waiting = joined(entries.without(asked.map(({ place }) => place)), snapshots, this.#waiting);
      this.#timer = setTimeout(() => this.#send(), this.#limits.retryMs);
    }
  }

  #died(reason: string): void {
    if (this.#dead) return;
    this.#dead = true;
    clearTimeout(this.#timer);
    const lost = [...(this.#flying ? [this.#flying] : []), this.#waiting];
    this.#flying = undefined;
    this.#waiting = emptyBatch();
    for (const batch of lost) this.#lose(batch, reason);
    if (!this.#closed) this.#settings.failed(reason);
    this.#closed?.();
  }

  #lose({ entries, asked }: Batch, reason: string): void {
    for (const { failed } of asked) failed(new Error(reason));
    this.#drop(entries.count - asked.length);
  }

  async #close(): Promise<void> {
    if (this.#dead) return;
    const closed = new Promise<void>((resolve) => {
      this.#closed = resolve;
    });
    this.#worker.ref();
    this.#enqueue({ kind: "stop", subject: "", at: this.#settings.now(), body: "{}" });
    this.#schedule(0);
    await closed;
    this.#dead = true;
    await this.#worker.terminate();
  }
}

/** What was to be written before, and behind it what came since. */
function joined(before: PackedEntries, snapshots: readonly StoredSnapshot[], since: Batch): Batch {
  const moved = before.addPacked(since.entries.copy(), since.entries.count);
  const asked = since.asked.map(({ place: { from, to }, ...rest }) => ({
    ...rest,
    place: { from: from + moved, to: to + moved },
  }));
  return { entries: before, asked, snapshots: [...snapshots, ...since.snapshots] };
}
