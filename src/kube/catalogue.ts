import { createHash } from "node:crypto";
import { type Catalogue, makeCatalogue } from "../domain/catalogue.ts";
import { withGrants } from "../domain/grants.ts";
import type { Labels } from "../domain/label-selector.ts";
import { supersededStamps } from "../identity/stamp.ts";
import type { GrantSet } from "../wire/grant.ts";
import { KINDS } from "../wire/kinds.ts";
import { GROUP, VERSION } from "../wire/kinds/kind.ts";
import type { KubeObject } from "../wire/objects.ts";
import { type Raw, rawAt } from "../wire/read-object.ts";
import type { KubeClient } from "./client.ts";
import { DefinitionStore, type Unreadable } from "./definition-store.ts";
import { liveObject } from "./live-object.ts";
import { reasonOf } from "./log.ts";
import type { WatchStatus } from "./mirror.ts";
import { isLater, uidOf, versionOf } from "./object-cache.ts";
import type { ObjectName, Resource } from "./resources.ts";
import { SupersededStamps } from "./superseded-stamps.ts";
import { Reflector, type WatchMeans, type WatchTable } from "./watch.ts";

/** What a live catalogue needs: the means to watch, and a client for reading one object live. */
export type CatalogueMeans = WatchMeans & {
  readonly client: Pick<KubeClient, "get">;
  /** Called with each new snapshot; must not block. */
  readonly onSnapshot?: (catalogue: Catalogue) => void;
  /** What is granted by signature beside what the API server holds. */
  readonly grants?: () => GrantSet;
};

/** How long changes are gathered before a snapshot is made of them. */
const GATHER_MS = 5;

const NAMESPACES: WatchTable = {
  resource: { group: "", version: "v1", plural: "namespaces", kind: "Namespace", namespaced: false },
  strip: ({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata: namespaceMetadata(metadata as Raw) }),
};

const namespaceMetadata = ({ name, uid, resourceVersion, deletionTimestamp, labels }: Raw): Raw => ({
  name,
  uid,
  resourceVersion,
  ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
  ...(labels === undefined ? {} : { labels }),
});

/** kubectl writes the whole object again into this annotation. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

function withoutLastApplied(object: Raw): Raw {
  const metadata = rawAt(object, "metadata");
  const { [LAST_APPLIED]: _applied, ...annotations } = rawAt(metadata, "annotations");
  return { ...object, metadata: { ...metadata, annotations } };
}

/** All that a catalogue is made of: Signet's kinds, and namespaces for what their guarded labels say. */
export const CATALOGUE_WATCHES: readonly WatchTable[] = [
  ...KINDS.map(({ kind, plural, scope }) => ({
    resource: { group: GROUP, version: VERSION, plural, kind, namespaced: scope === "Namespaced" },
    strip: withoutLastApplied,
  })),
  NAMESPACES,
];

/** The catalogue of a cluster: one frozen snapshot after the other, made of what the API server says. */
export class LiveCatalogue {
  readonly #means: CatalogueMeans;
  readonly #store = new DefinitionStore();
  readonly #reflectors: readonly Reflector[];
  readonly #superseded: SupersededStamps;
  #current: Catalogue | undefined;
  #planned: (() => void) | undefined;

  constructor(means: CatalogueMeans) {
    this.#means = means;
    this.#superseded = new SupersededStamps(() => means.clock.monotonic());
    this.#reflectors = CATALOGUE_WATCHES.map((table) => this.#reflector(table));
  }

  start(): void {
    for (const reflector of this.#reflectors) reflector.start();
  }

  async stop(): Promise<void> {
    this.#planned?.();
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
  }

  /** The newest snapshot; undefined until every collection was seen once. */
  current(): Catalogue | undefined {
    return this.#current;
  }

  /** The labels of a stamp that an earlier snapshot gave, by its annotation; undefined where none did of late. */
  superseded(stamp: string): Labels | undefined {
    return this.#superseded.labelsOf(stamp);
  }

  /** Collections that were never seen whole; empty when the catalogue is ready. */
  missing(): readonly string[] {
    return this.status()
      .filter(({ synced }) => !synced)
      .map(({ resource }) => resource);
  }

  /** How each watch is doing, by the resource's plural name. */
  status(): readonly (WatchStatus & { readonly resource: string; readonly failures: number })[] {
    return this.#reflectors.map((each) => ({ resource: each.resource.plural, ...each.status() }));
  }

  /** The highest resource version seen of each resource: a stamp made from a newer object is not yet known here. */
  freshness(): ReadonlyMap<string, string> {
    return new Map(this.status().map(({ resource, version }) => [resource, version ?? ""]));
  }

  /** Every object that is watched, as last seen, for those who read more of it than a catalogue holds. */
  objects(): readonly KubeObject[] {
    return this.#reflectors.flatMap(({ objects }) => [...objects.values()].map(liveObject));
  }

  /** Objects of ours that cannot be read, and what counts instead. */
  unreadable(): readonly Unreadable[] {
    return this.#store.unreadable();
  }

  /**
   * Reads one object live and gives the snapshot with it: for a review that lacks what it must have. Throws where the API
   * server cannot be asked.
   */
  async lookLive(kind: string, object: ObjectName): Promise<Catalogue | undefined> {
    const reflector = this.#reflectors.find(({ resource }) => resource.kind === kind);
    if (!reflector) throw new TypeError(`${kind} is not watched`);
    const found = await this.#means.client.get(reflector.resource, object);
    if (found.ok && !seenDeleted(reflector, found.value)) {
      this.#store.put(found.value);
      this.#build();
    }
    return this.#current;
  }

  /** Signed grants have changed: makes the snapshot anew. */
  remake(): void {
    this.#build();
  }

  #reflector(table: WatchTable): Reflector {
    const { resource } = table;
    const reflector: Reflector = new Reflector(table, this.#means, {
      changed: ({ type, object }) => {
        if (type === "removed") this.#store.remove(object);
        else this.#store.put(object);
        this.#plan();
      },
      settled: () => this.#settled(resource, reflector),
    });
    return reflector;
  }

  /** After a listing the store holds what the listing held, even where a restored server counts from a lower version. */
  #settled(resource: Resource, reflector: Reflector): void {
    this.#store.replaceKind(resource.kind, [...reflector.objects.values()]);
    this.#plan();
  }

  #plan(): void {
    this.#planned ??= this.#means.clock.after(GATHER_MS, () => this.#build());
  }

  #build(): void {
    this.#planned?.();
    this.#planned = undefined;
    const grants = this.#means.grants?.();
    const revision = revisionOf(this.#store, grants);
    if (this.#current?.revision === revision || this.missing().length > 0) return;
    try {
      const written = this.#store.definitions();
      const next = makeCatalogue(grants ? withGrants(written, grants) : written, revision);
      if (this.#current) this.#superseded.add(supersededStamps(this.#current, next));
      this.#current = next;
      this.#means.onSnapshot?.(next);
    } catch (fault) {
      this.#means.log.error({ reason: reasonOf(fault) }, "a snapshot could not be made; the last one stays");
    }
  }
}

/** Replicas that see the same objects and hold the same grants have the same revision. */
const revisionOf = (store: DefinitionStore, grants: GrantSet | undefined): string =>
  grants ? createHash("sha256").update(`${store.revision()} ${grants.text}`).digest("hex") : store.revision();

/** A watch that is already past the object's version, and does not have it, has seen it go. */
const seenDeleted = (reflector: Reflector, object: Raw): boolean =>
  !isLater(versionOf(object), reflector.status().version ?? "") && !reflector.objects.has(uidOf(object));
