import { type Raw, rawAt } from "../wire/read-object.ts";
import type { Clock } from "./clock.ts";
import { type Log, reasonOf } from "./log.ts";
import { type Change, isLater, ObjectCache, uidOf, versionOf, withoutManagedFields } from "./object-cache.ts";
import { apiVersionOf, type Resource } from "./resources.ts";
import { faultOfEvent } from "./watch-fault.ts";
import type { WatchEvent } from "./watch-stream.ts";

/** How a watch is doing. */
export type WatchStatus = {
  /** Whether the whole collection was seen at least once. */
  readonly synced: boolean;
  readonly objects: number;
  /** The last version seen. */
  readonly version: string | undefined;
  /** Seconds since the server last proved that the copy is current. */
  readonly lastSyncAgeSeconds: number;
  readonly relists: number;
  readonly events: number;
  readonly handlerFaults: number;
};

/** Who is told of what happens to a collection. */
export type WatchListener = {
  readonly changed: (change: Change) => void;
  /** After each whole listing, its changes told. */
  readonly settled?: () => void;
};

/** Whom a mirror tells, and how it tells time. */
export type MirrorMeans = {
  readonly clock: Clock;
  readonly log: Log;
  readonly strip: (object: Raw) => Raw;
  readonly listener: WatchListener;
};

const END_OF_LIST = "k8s.io/initial-events-end";

/** The copy of one collection: what events and listings make of it, and from where to go on. Does no I/O. */
export class Mirror {
  readonly #resource: Resource;
  readonly #means: MirrorMeans;
  readonly #cache = new ObjectCache();
  /** A listing that the server streams, until its last object. */
  #listing: Map<string, Raw> | undefined;
  #version: string | undefined;
  #lost = true;
  #synced = false;
  #lastProof: number;
  #counts = { relists: 0, events: 0, handlerFaults: 0 };

  constructor(resource: Resource, means: MirrorMeans) {
    this.#resource = resource;
    this.#means = means;
    this.#lastProof = means.clock.monotonic();
  }

  get objects(): ReadonlyMap<string, Raw> {
    return this.#cache.objects;
  }

  /** Where to go on watching from; undefined: the collection must be listed. */
  get version(): string | undefined {
    return this.#lost ? undefined : this.#version;
  }

  status(): WatchStatus {
    return {
      synced: this.#synced,
      objects: this.#cache.objects.size,
      version: this.#version,
      lastSyncAgeSeconds: (this.#means.clock.monotonic() - this.#lastProof) / 1000,
      ...this.#counts,
    };
  }

  /** Forgets where to go on from, but not the objects. */
  lose(): void {
    this.#lost = true;
  }

  /** A new stream begins; without a version it is a listing. */
  begin(): void {
    this.#listing = this.#lost ? new Map() : undefined;
  }

  /** Takes one event in; throws WatchFault for an ERROR. */
  take(event: WatchEvent): void {
    if (event.type === "ERROR") throw faultOfEvent(event.object);
    this.#counts.events += 1;
    if (this.#listing) return this.#takeListed(event, this.#listing);
    this.#advance(versionOf(event.object));
    if (event.type !== "BOOKMARK") this.#tell(this.#apply(event.type, this.#clean(event.object)));
  }

  /** Takes a whole listing as the state of things. */
  replace(items: readonly Raw[], version: string): void {
    this.#tell(this.#cache.replace(new Map(items.map((item) => [uidOf(item), this.#clean(item)]))));
    this.#settle(version);
  }

  #takeListed(event: WatchEvent, listing: Map<string, Raw>): void {
    if (event.type === "DELETED") listing.delete(uidOf(event.object));
    else if (event.type !== "BOOKMARK") listing.set(uidOf(event.object), this.#clean(event.object));
    else if (endsListing(event.object)) {
      this.#listing = undefined;
      this.#tell(this.#cache.replace(listing));
      this.#settle(versionOf(event.object));
    }
  }

  #settle(version: string): void {
    this.#version = version;
    this.#lost = version === "";
    this.#synced = true;
    this.#counts.relists += 1;
    this.#lastProof = this.#means.clock.monotonic();
    this.#guard({}, () => this.#means.listener.settled?.());
  }

  /** Versions only go forward; an event that comes late leaves the place as it is. */
  #advance(version: string): void {
    if (version !== "" && isLater(version, this.#version ?? "")) this.#version = version;
    this.#lastProof = this.#means.clock.monotonic();
  }

  #apply(type: "ADDED" | "MODIFIED" | "DELETED", object: Raw): readonly Change[] {
    return type === "DELETED" ? this.#cache.remove(object) : this.#cache.put(object);
  }

  #clean(object: Raw): Raw {
    const typed = { apiVersion: apiVersionOf(this.#resource), kind: this.#resource.kind, ...object };
    return this.#means.strip(withoutManagedFields(typed));
  }

  #tell(changes: readonly Change[]): void {
    for (const change of changes)
      this.#guard({ uid: uidOf(change.object) }, () => this.#means.listener.changed(change));
  }

  /** A listener that throws must not end the watch. */
  #guard(about: object, tell: () => void): void {
    try {
      tell();
    } catch (fault) {
      this.#counts.handlerFaults += 1;
      const fields = { ...about, resource: this.#resource.plural, reason: reasonOf(fault) };
      this.#means.log.error(fields, "a listener failed on a change");
    }
  }
}

const endsListing = (bookmark: Raw): boolean =>
  rawAt(rawAt(bookmark, "metadata"), "annotations")[END_OF_LIST] === "true";
