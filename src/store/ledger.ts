import { Worker } from "node:worker_threads";
import type { Instant } from "../domain/instant.ts";
import type { Entry } from "./chain.ts";
import type { StoredSnapshot } from "./ledger-file.ts";
import type { FromWorker, ToWorker, WorkerData } from "./ledger-worker.ts";

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
    resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 8 },
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

/** An entry that waits; one that was appended has somebody waiting for it too. */
type Waiting = { readonly entry: Entry; readonly asked?: Asked };
type Asked = { readonly done: () => void; readonly failed: (reason: Error) => void };

/** Groups what is written: while one batch is on its way to the disk, the next gathers. */
class Writer {
  readonly #worker: Worker;
  readonly #settings: LedgerSettings;
  readonly #limits: LedgerLimits;
  #waiting: Waiting[] = [];
  #snapshots: StoredSnapshot[] = [];
  #flying: { readonly batch: Waiting[]; readonly snapshots: StoredSnapshot[] } | undefined;
  #bytes = 0;
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
        this.#snapshots.push(snapshot);
        const body = JSON.stringify({ digest: snapshot.digest, bytes: snapshot.text.length });
        this.#enqueue({ entry: { kind: "catalogue", subject: snapshot.digest, at, body } }, 0);
      },
      figures: () => ({ ...this.#figures, queued: this.#waiting.length + (this.#flying?.batch.length ?? 0) }),
      close: () => this.#close(),
    };
  }

  #offer(entry: Entry): void {
    const full = this.#waiting.length >= this.#limits.records || this.#bytes >= this.#limits.bytes;
    if (full || this.#dead) this.#drop(1);
    else this.#enqueue({ entry }, this.#limits.gatherMs);
  }

  #drop(count: number): void {
    if (this.#gap.dropped === 0) this.#gap = { dropped: 0, since: this.#settings.now() };
    this.#gap = { ...this.#gap, dropped: this.#gap.dropped + count };
    this.#figures.dropped += count;
  }

  #append(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return Promise.resolve();
    if (this.#dead) return Promise.reject(new Error("the ledger is closed"));
    return new Promise((done, failed) => {
      const last = entries.length - 1;
      for (const [index, entry] of entries.entries())
        this.#enqueue({ entry, asked: { done: index === last ? done : () => undefined, failed } }, 0);
    });
  }

  #enqueue(waiting: Waiting, delayMs: number): void {
    this.#waiting.push(waiting);
    this.#bytes += waiting.entry.body.length;
    this.#schedule(delayMs);
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
    if (this.#flying || this.#dead || this.#waiting.length === 0) return;
    if (this.#gap.dropped > 0) this.#writeGap();
    const batch = this.#waiting;
    this.#flying = { batch, snapshots: this.#snapshots };
    this.#waiting = [];
    this.#snapshots = [];
    this.#worker.ref();
    this.#post({ write: { entries: batch.map(({ entry }) => entry), snapshots: this.#flying.snapshots } });
  }

  #writeGap(): void {
    const body = JSON.stringify(this.#gap);
    this.#waiting.unshift({ entry: { kind: "gap", subject: "", at: this.#settings.now(), body } });
    this.#bytes += body.length;
    this.#gap = { dropped: 0, since: 0 };
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #answered(answer: FromWorker): void {
    if ("closed" in answer) return this.#closed?.();
    const flown = this.#flying;
    this.#flying = undefined;
    if (!flown) return;
    if (!this.#closed) this.#worker.unref();
    if ("written" in answer) this.#wroteAll(flown.batch);
    else if ("failed" in answer) this.#failedWrite(flown.batch, flown.snapshots, answer.failed);
    if (this.#closed && this.#waiting.length === 0) this.#post({ close: true });
  }

  #wroteAll(batch: readonly Waiting[]): void {
    this.#figures.written += batch.length;
    for (const { entry, asked } of batch) {
      this.#bytes -= entry.body.length;
      asked?.done();
    }
    if (this.#waiting.length > 0) this.#schedule(this.#isAsked() ? 0 : this.#limits.gatherMs);
  }

  #isAsked(): boolean {
    return this.#waiting.some(({ asked }) => asked !== undefined);
  }

  /** Who waits is told; what was only offered is tried again, ahead of what came since. */
  #failedWrite(batch: readonly Waiting[], snapshots: readonly StoredSnapshot[], reason: string): void {
    this.#figures.failures += 1;
    this.#settings.failed(reason);
    const kept = batch.filter(({ asked }) => asked === undefined);
    for (const { entry, asked } of batch) {
      if (asked) this.#bytes -= entry.body.length;
      asked?.failed(new Error(reason));
    }
    this.#waiting = [...kept, ...this.#waiting];
    this.#snapshots = [...snapshots, ...this.#snapshots];
    if (this.#closed) this.#waiting = [];
    else this.#timer = setTimeout(() => this.#send(), this.#limits.retryMs);
  }

  #died(reason: string): void {
    if (this.#dead) return;
    this.#dead = true;
    clearTimeout(this.#timer);
    const lost = [...(this.#flying?.batch ?? []), ...this.#waiting];
    this.#flying = undefined;
    this.#waiting = [];
    for (const { asked } of lost) asked?.failed(new Error(reason));
    this.#drop(lost.filter(({ asked }) => !asked).length);
    if (!this.#closed) this.#settings.failed(reason);
    this.#closed?.();
  }

  async #close(): Promise<void> {
    if (this.#dead) return;
    const closed = new Promise<void>((resolve) => {
      this.#closed = resolve;
    });
    this.#worker.ref();
    this.#enqueue({ entry: { kind: "stop", subject: "", at: this.#settings.now(), body: "{}" } }, 0);
    await closed;
    this.#dead = true;
    await this.#worker.terminate();
  }
}
