import { isRaw, type Raw, rawAt, textAt } from "../wire/read-object.ts";
import type { KubeClient } from "./client.ts";
import { servedPlurals } from "./discovery.ts";
import { isLater, uidOf, versionOf } from "./object-cache.ts";
import type { Resource } from "./resources.ts";
import { reviewOwnAccess } from "./reviews.ts";
import { Reflector, type WatchMeans, type WatchTable } from "./watch.ts";

/** What following policies needs, and whom it wakes. */
export type PolicyMeans = WatchMeans & {
  readonly client: Pick<KubeClient, "call" | "create">;
  readonly tables: readonly WatchTable[];
  /** Called after each change; must not block. */
  readonly onChange: () => void;
};

/** A write whose effect a watch has still to bring: the version that it brought, or undefined for a deletion. */
export type Awaited = { readonly resource: Resource; readonly uid: string; readonly version?: string };

/** The kinds that are served and followed, and what is served and may not be read. */
export type Served = { readonly kinds: ReadonlySet<string>; readonly unread: readonly Resource[] };

/** Policies of data planes, and what else publishing looks at, of whatever kinds the cluster serves. */
export class LivePolicies {
  readonly #means: PolicyMeans;
  readonly #reflectors = new Map<string, Reflector>();

  constructor(means: PolicyMeans) {
    this.#means = means;
  }

  /** Asks which kinds are served and may be read, and begins to follow those that are new. */
  async look(): Promise<Served> {
    const { client, tables } = this.#means;
    const versions = [...new Set(tables.map(({ resource }) => versionPath(resource)))];
    const served = new Map(
      await Promise.all(versions.map(async (path) => [path, await servedPlurals(client, path)] as const)),
    );
    const known = tables.filter(({ resource }) => served.get(versionPath(resource))?.has(resource.plural));
    const readable = await Promise.all(known.map(({ resource }) => mayFollow(client, resource)));
    const there = known.filter((_table, index) => readable[index]);
    for (const table of there) this.#follow(table);
    return {
      kinds: new Set(there.map(({ resource }) => resource.kind)),
      unread: known.filter((_table, index) => !readable[index]).map(({ resource }) => resource),
    };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#reflectors.values()].map((each) => each.stop()));
  }

  /** Whether every kind that is followed was seen whole. */
  synced(): boolean {
    return [...this.#reflectors.values()].every((each) => each.status().synced);
  }

  /** The objects of some kinds, as last seen. */
  objects(resources: Iterable<Resource>): readonly Raw[] {
    return [...resources].flatMap((each) => [...(this.#reflectors.get(groupKey(each))?.objects.values() ?? [])]);
  }

  /** Whether the watches have brought what was written. */
  hasSeen(written: readonly Awaited[]): boolean {
    return written.every(({ resource, uid, version }) => {
      const found = this.#reflectors.get(groupKey(resource))?.objects.get(uid);
      return version === undefined ? !found : found !== undefined && !isLater(version, versionOf(found));
    });
  }

  #follow(table: WatchTable): void {
    const key = groupKey(table.resource);
    if (this.#reflectors.has(key)) return;
    const { onChange } = this.#means;
    const reflector = new Reflector(table, this.#means, { changed: onChange, settled: onChange });
    this.#reflectors.set(key, reflector);
    reflector.start();
  }
}

/** What an API server answered to a write, to be waited for. */
export const awaited = (resource: Resource, answer: Raw): Awaited => ({
  resource,
  uid: uidOf(answer),
  version: versionOf(answer),
});

/** What is to be waited for after a deletion; the API server answers with a Status that names the object, or with the object. */
export const awaitedGone = (resource: Resource, answer: Raw): Awaited => ({
  resource,
  uid: textAt(rawAt(answer, "details"), "uid") ?? uidOf(answer),
});

/** Data planes write into the status of policies; nothing is read of it here. */
export function withoutStatus({ status: _status, metadata, ...rest }: Raw): Raw {
  const { managedFields: _fields, ...kept } = isRaw(metadata) ? metadata : {};
  return { ...rest, metadata: kept };
}

const mayFollow = async (client: Pick<KubeClient, "create">, { group, plural }: Resource): Promise<boolean> => {
  const asked = ["list", "watch"].map((verb) => reviewOwnAccess(client, { verb, group, resource: plural }));
  return (await Promise.all(asked)).every(Boolean);
};

/** Groups have kinds of the same name. */
const groupKey = ({ group, kind }: Resource): string => `${group} ${kind}`;

const versionPath = ({ group, version }: Resource): string =>
  group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
