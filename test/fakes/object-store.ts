import { apiVersionOf, type Resource } from "../../src/kube/resources.ts";

/** An object as JSON holds it. */
export type Json = Readonly<Record<string, unknown>>;

export type StoredEvent = {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly resource: Resource;
  readonly object: Json;
  readonly version: number;
};

/** A refusal, as the API server's Status would tell it. */
export class Refusal extends Error {
  readonly status: number;
  readonly reason: string;
  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

type Key = { readonly resource: Resource; readonly namespace: string; readonly name: string };

const metadataOf = (object: Json): Json => (object["metadata"] ?? {}) as Json;

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** The objects of a cluster in memory, with the API server's rules for versions, generations and preconditions. */
export class ObjectStore {
  version: number;
  /** Events up to this version are forgotten. */
  compacted = 0;
  #events: StoredEvent[] = [];
  #objects = new Map<string, Json>();
  #uids = 0;
  readonly #listeners = new Set<(event: StoredEvent) => void>();
  readonly #now: () => number;

  constructor(now: () => number, version = 1000) {
    this.#now = now;
    this.version = version;
  }

  listen(listener: (event: StoredEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  events(resource: Resource, after: number): readonly StoredEvent[] {
    return this.#events.filter((event) => event.resource.plural === resource.plural && event.version > after);
  }

  list(resource: Resource, namespace?: string): readonly Json[] {
    const prefix = `${resource.group}/${resource.plural}/${namespace === undefined ? "" : `${namespace}/`}`;
    return [...this.#objects].filter(([key]) => key.startsWith(prefix)).map(([, object]) => object);
  }

  get(key: Key): Json {
    const found = this.#objects.get(keyText(key));
    if (!found) throw new Refusal(404, "NotFound", `${key.resource.plural} "${key.name}" not found`);
    return found;
  }

  create(resource: Resource, namespace: string, object: Json): Json {
    const metadata = metadataOf(object);
    const generated = `${textOf(metadata["generateName"])}${(++this.#uids).toString(36).padStart(5, "x")}`;
    const name = textOf(metadata["name"]) || generated;
    const key = { resource, namespace, name };
    if (this.#objects.has(keyText(key)))
      throw new Refusal(409, "AlreadyExists", `${resource.plural} "${name}" already exists`);
    const version = ++this.version;
    const made = {
      ...object,
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      metadata: {
        ...metadata,
        name,
        ...(resource.namespaced ? { namespace } : {}),
        uid: `00000000-0000-4000-8000-${String(++this.#uids).padStart(12, "0")}`,
        resourceVersion: String(version),
        generation: 1,
        creationTimestamp: new Date(this.#now()).toISOString(),
        managedFields: [{ manager: "test" }],
      },
    };
    return this.#keep(key, made, "ADDED", version);
  }

  update(key: Key, object: Json, subresource?: string): Json {
    const before = this.get(key);
    const was = metadataOf(before);
    const now = metadataOf(object);
    const given = textOf(now["resourceVersion"]);
    if (given !== "" && given !== was["resourceVersion"])
      throw new Refusal(
        409,
        "Conflict",
        "the object has been modified; please apply your changes to the latest version",
      );
    const uid = textOf(now["uid"]);
    if (uid !== "" && uid !== was["uid"])
      throw new Refusal(409, "Conflict", "Precondition failed: UID in precondition");
    const version = ++this.version;
    const changed = subresource === undefined ? { ...object, status: before["status"] } : { ...before };
    const edited = subresource === undefined && JSON.stringify(object["spec"]) !== JSON.stringify(before["spec"]);
    const generation = Number(was["generation"]) + (edited ? 1 : 0);
    const metadata = { ...(subresource === undefined ? now : was), ...kept(was) };
    const after = {
      ...changed,
      ...(subresource === "status" ? { status: object["status"] } : {}),
      apiVersion: before["apiVersion"],
      kind: before["kind"],
      metadata: { ...metadata, generation, resourceVersion: String(version) },
    };
    return this.#keep(key, after, "MODIFIED", version);
  }

  remove(key: Key, preconditions: Json = {}): Json {
    const before = this.get(key);
    for (const [field, value] of Object.entries(preconditions))
      if (value !== undefined && metadataOf(before)[field] !== value)
        throw new Refusal(409, "Conflict", `Precondition failed: ${field}`);
    const version = ++this.version;
    const gone = { ...before, metadata: { ...metadataOf(before), resourceVersion: String(version) } };
    this.#objects.delete(keyText(key));
    this.#publish({ type: "DELETED", resource: key.resource, object: gone, version });
    return gone;
  }

  /** What a restore from an old backup does: objects stay with lower versions, and all history is gone. */
  goBackTo(version: number): void {
    this.version = version;
    this.#events = [];
    this.compacted = 0;
    for (const [key, object] of this.#objects) {
      const resourceVersion = String(++this.version);
      this.#objects.set(key, { ...object, metadata: { ...metadataOf(object), resourceVersion } });
    }
  }

  /** Forgets history, as etcd's compaction does. */
  compact(): void {
    this.compacted = this.version;
    this.#events = [];
  }

  #keep(key: Key, object: Json, type: "ADDED" | "MODIFIED", version: number): Json {
    const plain = JSON.parse(JSON.stringify(object)) as Json;
    this.#objects.set(keyText(key), plain);
    this.#publish({ type, resource: key.resource, object: plain, version });
    return plain;
  }

  #publish(event: StoredEvent): void {
    this.#events.push(event);
    for (const listener of this.#listeners) listener(event);
  }
}

const keyText = ({ resource, namespace, name }: Key): string =>
  `${resource.group}/${resource.plural}/${namespace}/${name}`;

const kept = (was: Json): Json => ({
  name: was["name"],
  uid: was["uid"],
  creationTimestamp: was["creationTimestamp"],
  ...(was["namespace"] === undefined ? {} : { namespace: was["namespace"] }),
});
