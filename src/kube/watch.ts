import { isRaw, type Raw, rawAt, textAt } from "../wire/read-object.ts";
import { type Backoff, type BackoffLimits, DEFAULT_BACKOFF, makeBackoff } from "./backoff.ts";
import { itemsOf, type Selection } from "./client.ts";
import { type Clock, sleep } from "./clock.ts";
import type { Answer, Connection } from "./connection.ts";
import { type Log, reasonOf } from "./log.ts";
import { Mirror, type WatchListener, type WatchStatus } from "./mirror.ts";
import { isLater } from "./object-cache.ts";
import { collectionPath, type Resource, withQuery } from "./resources.ts";
import { makeWatchdog } from "./watchdog.ts";
import { faultOf, WatchFault } from "./watch-fault.ts";
import { readEvents } from "./watch-stream.ts";

/** One thing to watch, as data. `strip` takes away what need not be kept; `managedFields` goes in any case. */
export type WatchTable = {
  readonly resource: Resource;
  readonly selection?: Selection;
  readonly strip?: (object: Raw) => Raw;
};

/** What a reflector needs from outside. */
export type WatchMeans = {
  readonly connection: Pick<Connection, "call" | "open">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly limits?: Partial<WatchLimits>;
};

/** The times that a reflector keeps, in milliseconds unless they say seconds. */
export type WatchLimits = {
  /** The server ends a watch somewhere between; replicas then don't come back together. */
  readonly timeoutSeconds: readonly [number, number];
  /** Silence that ends a watch: the API server sends a bookmark each minute. */
  readonly idleMs: number;
  readonly backoff: BackoffLimits;
  readonly pageSize: number;
};

const DEFAULT_LIMITS: WatchLimits = {
  timeoutSeconds: [240, 300],
  idleMs: 75_000,
  backoff: DEFAULT_BACKOFF,
  pageSize: 500,
};

/** A watch that ends sooner was turned away, not ended by its time. */
const SHORT_WATCH_MS = 2_000;

type Query = Readonly<Record<string, string | number | undefined>>;

/**
 * A copy of one collection that follows the API server and never gives up: whatever breaks, it waits a little, lists
 * where it must, and goes on. While it is cut off it keeps what it had, and says how old that is.
 */
export class Reflector {
  readonly resource: Resource;
  readonly #table: WatchTable;
  readonly #means: WatchMeans;
  readonly #limits: WatchLimits;
  readonly #mirror: Mirror;
  readonly #backoff: Backoff;
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;
  /** Whether the server can stream a listing (WatchList); until it says no. */
  #streams = true;
  #lastChanged: string | undefined;
  #failures = 0;

  constructor(table: WatchTable, means: WatchMeans, listener: WatchListener) {
    const { clock, log } = means;
    const strip = table.strip ?? ((object) => object);
    this.resource = table.resource;
    this.#table = table;
    this.#means = means;
    this.#limits = { ...DEFAULT_LIMITS, ...means.limits };
    this.#mirror = new Mirror(table.resource, { clock, log, strip, listener });
    this.#backoff = makeBackoff(means.random, this.#limits.backoff);
  }

  /** Begins to watch. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends the watch; resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stopped.abort(new Error("the watch was stopped"));
    await this.#running;
  }

  /** The objects by UID, as last seen. */
  get objects(): ReadonlyMap<string, Raw> {
    return this.#mirror.objects;
  }

  /** How the copy is doing; `failures` counts watches that ended before their time. */
  status(): WatchStatus & { readonly failures: number } {
    return { ...this.#mirror.status(), failures: this.#failures };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const waitMs = await this.#attempt();
      if (waitMs > 0) await sleep(this.#means.clock, waitMs, signal);
    }
  }

  /** One watch, from connecting to its end. Gives the time to wait before the next; nothing escapes from here. */
  async #attempt(): Promise<number> {
    const began = this.#means.clock.monotonic();
    try {
      if (await this.#serverWentBack()) this.#mirror.lose();
      if (this.#mirror.version === undefined && !this.#streams) await this.#listPages();
      await this.#watch();
      return this.#means.clock.monotonic() - began < SHORT_WATCH_MS ? this.#backoff.next() : 0;
    } catch (fault) {
      return this.#stopped.signal.aborted ? 0 : this.#recover(fault);
    }
  }

  #recover(fault: unknown): number {
    const { plural } = this.resource;
    this.#failures += 1;
    this.#means.log.warn({ resource: plural, reason: reasonOf(fault) }, "a watch ended early");
    const { relist, waitMs, changed } = fault instanceof WatchFault ? fault.demand : {};
    if (relist === true) this.#mirror.lose();
    if (changed === "listing") this.#streams = false;
    const again = changed === undefined || changed === this.#lastChanged;
    this.#lastChanged = changed;
    return again ? Math.max(this.#backoff.next(), waitMs ?? 0) : 0;
  }

  /**
   * A server restored from a backup counts from a lower version. Watching it from ours would be answered with silence, so
   * its version is asked for before going on.
   */
  async #serverWentBack(): Promise<boolean> {
    const ours = this.#mirror.version;
    if (ours === undefined) return false;
    return isLater(ours, versionOfList(await this.#page({ limit: 1 })));
  }

  async #listPages(): Promise<void> {
    const items: Raw[] = [];
    let next: string | undefined;
    let version = "";
    do {
      const page = await this.#page({ limit: this.#limits.pageSize, continue: next });
      items.push(...itemsOf(this.resource, page));
      version = versionOfList(page);
      next = textAt(rawAt(page, "metadata"), "continue") || undefined;
    } while (next !== undefined);
    this.#mirror.replace(items, version);
  }

  async #page(query: Query): Promise<Raw> {
    const answer = await this.#means.connection.call({ method: "GET", path: this.#path(query) });
    if (answer.status !== 200 || !isRaw(answer.body)) throw faultOf(answer);
    return answer.body;
  }

  #path(query: Query): string {
    const { namespace, labelSelector, fieldSelector } = this.#table.selection ?? {};
    return withQuery(collectionPath(this.resource, namespace), { ...query, labelSelector, fieldSelector });
  }

  async #watch(): Promise<void> {
    const call = new AbortController();
    const stop = (): void => call.abort(this.#stopped.signal.reason);
    this.#stopped.signal.addEventListener("abort", stop, { once: true });
    const dog = makeWatchdog(this.#means.clock, this.#limits.idleMs, () => call.abort(this.#silence()));
    try {
      await this.#follow(call.signal, dog.heard);
    } catch (fault) {
      throw call.signal.aborted ? call.signal.reason : fault;
    } finally {
      dog.stop();
      this.#stopped.signal.removeEventListener("abort", stop);
    }
  }

  async #follow(signal: AbortSignal, heard: () => void): Promise<void> {
    this.#mirror.begin();
    const stream = await this.#means.connection.open(this.#watchPath(), signal);
    if (!("chunks" in stream)) throw this.#turnedAway(stream);
    for await (const events of readEvents(stream.chunks)) {
      heard();
      for (const event of events) this.#mirror.take(event);
      if (this.#mirror.version !== undefined) this.#healthy();
    }
  }

  #healthy(): void {
    this.#backoff.reset();
    this.#lastChanged = undefined;
  }

  #watchPath(): string {
    const [least, most] = this.#limits.timeoutSeconds;
    const timeoutSeconds = Math.round(least + this.#means.random() * (most - least));
    const common = { watch: "true", allowWatchBookmarks: "true", timeoutSeconds };
    const { version } = this.#mirror;
    if (version !== undefined) return this.#path({ ...common, resourceVersion: version });
    return this.#path({ ...common, sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" });
  }

  /** After silence the place may be wrong. A server that goes silent while it lists may not know how to stream a list. */
  #silence(): WatchFault {
    const listing = this.#mirror.version === undefined;
    const changed = listing && this.#streams ? { changed: "listing" as const } : {};
    return new WatchFault("nothing was heard for too long", { relist: true, ...changed });
  }

  /** A server that cannot stream a list calls the request invalid; from then on it is asked for pages. */
  #turnedAway(answer: Answer): WatchFault {
    const invalid = answer.status === 422 || answer.status === 400;
    if (!invalid || this.#mirror.version !== undefined || !this.#streams) return faultOf(answer);
    return new WatchFault("the API server streams no lists", { changed: "listing" });
  }
}

const versionOfList = (list: Raw): string => textAt(rawAt(list, "metadata"), "resourceVersion") ?? "";
