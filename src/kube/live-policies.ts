import { isRaw, type Raw, rawAt, textAt } from "../wire/read-object.ts";
import type { KubeClient } from "./client.ts";
import { servedPlurals } from "./discovery.ts";
import { reasonOf } from "./log.ts";
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

/** What is served, followed and seen, and what is served of which nothing is known. */
export type Served = { readonly followed: readonly Resource[]; readonly unread: readonly Resource[] };

/** A kind that is only looked at is waited for so long; then it counts as unread until it was seen whole. */
const SLOW_MS = 10_000;

type Followed = { readonly reflector: Reflector; readonly since: number };

/** Policies of data planes, and what else publishing looks at, of whatever kinds the cluster serves. */
export class LivePolicies {
  readonly #means: PolicyMeans;
  readonly #followed = new Map<string, Followed>();
  /** What each version of a group was last known to serve. */
  readonly #plurals = new Map<string, ReadonlySet<string>>();

  constructor(means: PolicyMeans) {
    this.#means = means;
  }

  /**
   * Asks which kinds are served and may be read, and begins to follow those that are new. One that is only looked at, and
   * that the API server lists but does not show, is unread: an API server behind it may ask for more rights than ours.
   */
  async look(lookedAt: ReadonlySet<Resource> = new Set()): Promise<Served> {
    const { client, tables } = this.#means;
    const versions = [...Map.groupBy(tables, ({ resource }) => versionPath(resource))];
    const served = new Map(
      await Promise.all(
        versions.map(async ([path, all]) => {
          const dispensable = all.every(({ resource }) => lookedAt.has(resource));
          return [path, await this.#serves(path, dispensable)] as const;
        }),
      ),
    );
    const unknown = tables.filter(({ resource }) => served.get(versionPath(resource)) === undefined);
    const known = tables.filter(({ resource }) => served.get(versionPath(resource))?.has(resource.plural));
    const readable = await Promise.all(known.map(({ resource }) => mayFollow(client, resource)));
    const there = known.filter((_table, index) => readable[index]);
    for (const table of there) this.#follow(table);
    const seen = there.filter(({ resource }) => !(lookedAt.has(resource) && this.#isSlow(resource)));
    return {
      followed: seen.map(({ resource }) => resource),
      unread: [...unknown, ...known.filter((table) => !seen.includes(table))].map(({ resource }) => resource),
    };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#followed.values()].map(({ reflector }) => reflector.stop()));
  }

  /** Whether every object of a kind was seen. */
  synced(resource: Resource): boolean {
    return this.#of(resource)?.reflector.status().synced === true;
  }

  /** The objects of some kinds, as last seen. */
  objects(resources: Iterable<Resource>): readonly Raw[] {
    return [...resources].flatMap((each) => [...(this.#of(each)?.reflector.objects.values() ?? [])]);
  }

  /** Whether the watches have brought what was written. */
  hasSeen(written: readonly Awaited[]): boolean {
    return written.every(({ resource, uid, version }) => {
      const found = this.#of(resource)?.reflector.objects.get(uid);
      return version === undefined ? !found : found !== undefined && !isLater(version, versionOf(found));
    });
  }

  #of(resource: Resource): Followed | undefined {
    return this.#followed.get(groupKey(resource));
  }

  /**
   * What a version of a group serves: where the API server does not say, what it served before; undefined where that is not
   * known either, and nothing of it is indispensable.
   */
  async #serves(path: string, dispensable: boolean): Promise<ReadonlySet<string> | undefined> {
    try {
      const plurals = await servedPlurals(this.#means.client, path);
      this.#plurals.set(path, plurals);
      return plurals;
    } catch (fault) {
      const before = this.#plurals.get(path);
      if (before && before.size > 0) return before;
      if (!dispensable) throw fault;
      this.#means.log.warn(
        { path, reason: reasonOf(fault) },
        "What is served there is not known; it counts as unread.",
      );
      return undefined;
    }
  }

  #isSlow(resource: Resource): boolean {
    const followed = this.#of(resource);
    return (
      followed !== undefined && !this.synced(resource) && this.#means.clock.monotonic() >= followed.since + SLOW_MS
    );
  }

  #follow(table: WatchTable): void {
    if (this.#of(table.resource)) return;
    const { onChange, clock } = this.#means;
    const reflector = new Reflector(table, this.#means, { changed: onChange, settled: onChange });
    this.#followed.set(groupKey(table.resource), { reflector, since: clock.monotonic() });
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

/**
 * Data planes write into the status of policies; nothing is read of it here. Of the field managers the one stays that wrote
 * last of all but ourselves, for whoever is to be told of.
 */
export function withoutStatus({ status: _status, metadata, ...rest }: Raw): Raw {
  const { managedFields, ...kept } = isRaw(metadata) ? metadata : {};
  const manager = lastOther(managedFields);
  return { ...rest, metadata: { ...kept, ...(manager === undefined ? {} : { managedFields: [{ manager }] }) } };
}

/** Times of managedFields are whole seconds; of two that are the same the later entry counts. */
function lastOther(managedFields: unknown): string | undefined {
  const entries: readonly unknown[] = Array.isArray(managedFields) ? managedFields : [];
  const others = entries
    .filter(isRaw)
    .filter((one) => textAt(one, "manager") !== OURS && textAt(one, "subresource") === undefined);
  const last = others.reduce<Raw | undefined>(
    (latest, one) => (latest && (textAt(one, "time") ?? "") < (textAt(latest, "time") ?? "") ? latest : one),
    undefined,
  );
  return last && textAt(last, "manager");
}

/** The field manager that our compiled objects are written by. */
const OURS = "signet";

const mayFollow = async (client: Pick<KubeClient, "create">, { group, plural }: Resource): Promise<boolean> => {
  const asked = ["list", "watch"].map((verb) => reviewOwnAccess(client, { verb, group, resource: plural }));
  return (await Promise.all(asked)).every(Boolean);
};

/** Groups have kinds of the same name. */
const groupKey = ({ group, kind }: Resource): string => `${group} ${kind}`;

const versionPath = ({ group, version }: Resource): string =>
  group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
