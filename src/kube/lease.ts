import { type Clock, sleep } from "./clock.ts";
import type { LeaseEntry, LeaseRecord, LeaseStore } from "./lease-record.ts";
import { type Log, reasonOf } from "./log.ts";

/**
 * The times of an election, in milliseconds. `renewMs` must be well below `durationMs`: the difference is how much faster
 * one machine's clock may run than another's.
 */
export type LeaseTimes = {
  /** How long the others wait after the last renewal that they saw. */
  readonly durationMs: number;
  /** How long the holder counts on a renewal, from the moment it was sent. */
  readonly renewMs: number;
  readonly retryMs: number;
};

/** The times that Kubernetes' own controllers keep. */
export const DEFAULT_LEASE_TIMES: LeaseTimes = { durationMs: 15_000, renewMs: 10_000, retryMs: 2_000 };

/** A stretch of time in which this process, and no other, may write. */
export type Term = {
  /** Grows with every term of anybody while the Lease lives: a write may carry it, so that an older term's is told apart. */
  readonly fence: number;
  /** Aborts when the term ends. */
  readonly signal: AbortSignal;
  /** To be asked right before each write: a paused process does not see its timers. */
  readonly valid: () => boolean;
};

export type ElectorOptions = {
  readonly store: LeaseStore;
  /** Another for every start of a process: a name that comes again would take a dead one's term for its own. */
  readonly identity: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly times?: LeaseTimes;
  /** Called at the beginning of each term; must not block. */
  readonly onTerm: (term: Term) => void;
};

type Running = { readonly term: Term; readonly end: AbortController; until: number; wallUntil: number };

/**
 * Elects one writer among replicas by a Lease. No clock of another machine is read: the others wait from the moment they
 * saw a renewal, the holder counts from the moment it sent one. A Lease that is not there may have been deleted under its
 * holder, so it is waited out like a held one; the manifests bring one that nobody holds. Only writers need a term.
 */
export class Elector {
  readonly #options: ElectorOptions;
  readonly #times: LeaseTimes;
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;
  #seen: { readonly record: LeaseRecord; readonly at: number } | undefined;
  #current: Running | undefined;

  constructor(options: ElectorOptions) {
    this.#options = options;
    this.#times = options.times ?? DEFAULT_LEASE_TIMES;
  }

  /** Begins to stand for election. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends the term, if there is one, and gives the Lease back so that nobody has to wait. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    const held = this.#current?.term.valid() === true;
    this.#end("this process is stopping");
    if (held) await this.#release().catch((fault: unknown) => this.#tell("the lease was not given back", fault));
  }

  /** The term that this process is in, or undefined. */
  term(): Term | undefined {
    return this.#current?.term.valid() === true ? this.#current.term : undefined;
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    while (!this.#stopped.signal.aborted) {
      try {
        await (this.term() ? this.#renew() : this.#stand());
      } catch (fault) {
        this.#tell("the lease could not be asked for", fault);
      }
      this.#endWhenOver();
      await sleep(clock, this.#times.retryMs * (0.8 + random() * 0.4), this.#stopped.signal);
    }
  }

  async #renew(): Promise<void> {
    const { store, clock, identity } = this.#options;
    const { record } = this.#seen ?? {};
    if (!record) return;
    const sentAt = clock.monotonic();
    const renewed = await store.replace(record.version, this.#entry(identity, record.transitions));
    if (renewed.ok) return this.#extend(renewed.value, sentAt);
    const now = await store.read();
    if (now.ok && now.value.holder === identity && now.value.transitions === record.transitions) this.#see(now.value);
    else this.#end("the lease is another's");
  }

  async #stand(): Promise<void> {
    const { store, identity } = this.#options;
    const found = await store.read();
    if (found.ok) {
      this.#see(found.value);
      if (this.#free(found.value)) await this.#take(found.value);
      return;
    }
    if (found.problems[0]?.code !== "NOT_FOUND") throw new Error(found.problems[0]?.message ?? "no reason");
    const made = await store.create(this.#entry(`absent-${identity}`, this.#seen?.record.transitions ?? 0));
    if (made.ok) this.#see(made.value);
  }

  /** Free: given back, ours from before, or not renewed for its whole time as we measured it. */
  #free(record: LeaseRecord): boolean {
    if (record.holder === "" || record.holder === this.#options.identity) return true;
    const waitMs = Math.max(this.#times.durationMs, record.durationMs);
    return this.#seen !== undefined && this.#options.clock.monotonic() - this.#seen.at >= waitMs;
  }

  async #take(record: LeaseRecord): Promise<void> {
    const { store, clock, identity } = this.#options;
    const sentAt = clock.monotonic();
    const taken = await store.replace(record.version, this.#entry(identity, record.transitions + 1));
    if (!taken.ok) return;
    this.#begin(taken.value.transitions);
    this.#extend(taken.value, sentAt);
    const term = this.term();
    if (!term || this.#stopped.signal.aborted) return;
    this.#options.log.info({ fence: term.fence }, "this replica writes from now on");
    try {
      this.#options.onTerm(term);
    } catch (fault) {
      this.#tell("a writer failed to start", fault);
    }
  }

  #begin(fence: number): void {
    const end = new AbortController();
    const { clock } = this.#options;
    const running: Running = {
      end,
      until: 0,
      wallUntil: 0,
      term: {
        fence,
        signal: end.signal,
        valid: () => !end.signal.aborted && clock.monotonic() < running.until && clock.wall() < running.wallUntil,
      },
    };
    this.#current = running;
  }

  #extend(record: LeaseRecord, sentAt: number): void {
    this.#see(record);
    const { clock } = this.#options;
    const running = this.#current;
    if (!running) return;
    running.until = sentAt + this.#times.renewMs;
    const left = running.until - clock.monotonic();
    running.wallUntil = clock.wall() + left;
    clock.after(left, () => this.#endWhenOver());
  }

  #endWhenOver(): void {
    if (this.#current && !this.#current.term.valid()) this.#end("the lease could not be renewed in time");
  }

  #end(why: string): void {
    if (!this.#current) return;
    this.#options.log.warn({ fence: this.#current.term.fence, reason: why }, "this replica writes no more");
    this.#current.end.abort(new Error(why));
    this.#current = undefined;
  }

  async #release(): Promise<void> {
    const { record } = this.#seen ?? {};
    if (record)
      await this.#options.store.replace(record.version, { ...this.#entry("", record.transitions), durationMs: 1000 });
  }

  #see(record: LeaseRecord): void {
    if (this.#seen?.record.version === record.version) return;
    this.#seen = { record, at: this.#options.clock.monotonic() };
  }

  #entry(holder: string, transitions: number): LeaseEntry {
    return { holder, transitions, durationMs: this.#times.durationMs, now: this.#options.clock.wall() };
  }

  #tell(sentence: string, fault: unknown): void {
    this.#options.log.warn({ reason: reasonOf(fault) }, sentence);
  }
}
