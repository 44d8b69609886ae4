import type { Worker } from "node:worker_threads";
import type { Entry } from "./chain.ts";
import type { Ledger, LedgerLimits, LedgerSettings } from "./ledger.ts";
import type { StoredSnapshot } from "./ledger-file.ts";
import type { FromWorker, ToWorker } from "./ledger-worker.ts";
import { type Lent, PackedEntries, type Place } from "./packed-entries.ts";

/** An entry that somebody waits for, and where it lies among those that wait. */
type Asked = { readonly place: Place; readonly done: () => void; readonly failed: (reason: Error) => void };

/** What gathers, or is on its way: offered entries and asked ones, in their order; and how often it was refused. */
type Batch = { entries: PackedEntries; asked: Asked[]; snapshots: StoredSnapshot[]; refused: number };

const emptyBatch = (memory?: ArrayBuffer): Batch => ({
  entries: new PackedEntries(memory),
  asked: [],
  snapshots: [],
  refused: 0,
});

/** A batch that was refused so often is sifted: one entry that can never be written does not hold the others up for ever. */
const SIFT_AFTER = 3;

/** Groups what is written: while one batch is on its way to the disk, the next gathers. */
export class LedgerQueue {
  readonly #worker: Worker;
  readonly #settings: LedgerSettings;
  readonly #limits: LedgerLimits;
  #spare: ArrayBuffer | undefined;
  #waiting = emptyBatch();
  #flying: Batch | undefined;
  #timer: NodeJS.Timeout | undefined;
  #gap = { dropped: 0, since: 0 };
  #figures = { written: 0, dropped: 0, failures: 0 };
  #failing: string | undefined;
  #closed: (() => void) | undefined;
  #dead = false;

  constructor(worker: Worker, settings: LedgerSettings & { readonly limits: LedgerLimits }) {
    this.#worker = worker;
    this.#settings = settings;
    this.#limits = settings.limits;
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
        this.#entries().add({ kind: "catalogue", subject: snapshot.digest, at, body });
        this.#schedule(0);
      },
      figures: () => ({
        ...this.#figures,
        queued: this.#waiting.entries.count + (this.#flying?.entries.count ?? 0),
        ...(this.#failing === undefined ? {} : { failing: this.#failing }),
      }),
      close: () => this.#close(),
    };
  }

  #offer(entry: Entry): void {
    const { count, bytes } = this.#waiting.entries;
    if (this.#dead || count >= this.#limits.records || bytes >= this.#limits.bytes) return this.#drop(1);
    this.#entries().group(entry);
    this.#schedule(this.#limits.gatherMs);
  }

  #drop(count: number): void {
    if (this.#gap.dropped === 0) this.#gap = { dropped: 0, since: this.#settings.now() };
    this.#gap = { ...this.#gap, dropped: this.#gap.dropped + count };
    this.#figures.dropped += count;
  }

  /** What waits, for one more entry: a gap stands before what comes after it. */
  #entries(): PackedEntries {
    const { entries } = this.#waiting;
    if (this.#gap.dropped > 0) {
      entries.add({ kind: "gap", subject: "", at: this.#settings.now(), body: JSON.stringify(this.#gap) });
      this.#gap = { dropped: 0, since: 0 };
    }
    return entries;
  }

  #append(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return Promise.resolve();
    if (this.#dead) return Promise.reject(new Error("the ledger is closed"));
    return new Promise((resolve, failed) => {
      const last = entries.length - 1;
      for (const [index, entry] of entries.entries()) {
        const done = index === last ? resolve : () => undefined;
        this.#waiting.asked.push({ place: this.#entries().add(entry), done, failed });
      }
      this.#schedule(0);
    });
  }

  #schedule(delayMs: number): void {
    if (this.#flying || this.#dead) return;
    if (delayMs === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      // What else this turn of the event loop brings goes into the same commit.
      setImmediate(() => this.#send());
    } else this.#timer ??= setTimeout(() => this.#send(), delayMs);
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#flying || this.#dead || this.#waiting.entries.count === 0) return;
    this.#flying = this.#waiting;
    this.#waiting = emptyBatch(this.#spare);
    this.#spare = undefined;
    this.#worker.ref();
    const { entries, snapshots, refused } = this.#flying;
    const packed = entries.lend();
    this.#post({ write: { packed, snapshots, sift: refused >= SIFT_AFTER } }, [packed.buffer]);
  }

  #post(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #answered(answer: FromWorker): void {
    if ("closed" in answer) return this.#closed?.();
    if ("unsealed" in answer) return this.#failed(answer.unsealed);
    const flown = this.#flying;
    if (!flown || !("packed" in answer)) return;
    this.#flying = undefined;
    if (!this.#closed) this.#worker.unref();
    if ("written" in answer) this.#wrote(flown, answer.written, answer.packed);
    else {
      flown.entries.takeBack(answer.packed);
      this.#failedWrite(flown, answer.failed);
    }
    if (this.#closed && this.#waiting.entries.count === 0) this.#post({ close: true });
  }

  #wrote({ entries, asked }: Batch, leftOut: readonly number[], packed: Lent): void {
    this.#failing = undefined;
    this.#figures.written += entries.count - leftOut.length;
    this.#figures.dropped += leftOut.length;
    const refused = new Set(leftOut);
    for (const { place, done, failed } of asked)
      if (refused.has(place.index)) failed(new Error("the ledger cannot hold this record"));
      else done();
    entries.takeBack(packed);
    this.#spare = entries.memory();
    if (this.#waiting.entries.count > 0) this.#schedule(this.#waiting.asked.length > 0 ? 0 : this.#limits.gatherMs);
  }

  #failed(reason: string): void {
    this.#figures.failures += 1;
    this.#settings.failed(reason);
  }

  /** Who waits is told; what was only offered is tried again, ahead of what came since. */
  #failedWrite(flown: Batch, reason: string): void {
    const { asked, entries, snapshots, refused } = flown;
    this.#failing = reason;
    this.#failed(reason);
    for (const { failed } of asked) failed(new Error(reason));
    if (this.#closed) {
      this.#lose(this.#waiting, reason);
      this.#waiting = emptyBatch();
    } else {
      const kept = entries.without(asked.map(({ place }) => place));
      this.#waiting = joined({ entries: kept, asked: [], snapshots, refused: refused + 1 }, this.#waiting);
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
    this.#entries().add({ kind: "stop", subject: "", at: this.#settings.now(), body: "{}" });
    this.#schedule(0);
    await closed;
    this.#dead = true;
    await this.#worker.terminate();
  }
}

/** What was to be written before, and behind it what came since. */
function joined(before: Batch, since: Batch): Batch {
  const moved = before.entries.addAll(since.entries);
  const asked = since.asked.map(({ place: { from, to, index }, ...rest }) => ({
    ...rest,
    place: { from: from + moved.bytes, to: to + moved.bytes, index: index + moved.entries },
  }));
  return { ...before, asked, snapshots: [...before.snapshots, ...since.snapshots] };
}
