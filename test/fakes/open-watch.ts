import type { ServerResponse } from "node:http";
import type { Clock } from "../../src/kube/clock.ts";
import type { Resource } from "../../src/kube/resources.ts";
import type { Json, ObjectStore, StoredEvent } from "./object-store.ts";

/** One watch that a client holds open, and what a test may do to it. */
export type OpenWatch = {
  readonly resource: Resource;
  readonly send: (type: string, object: Json) => void;
  readonly line: (text: string) => void;
  readonly bookmark: (version: number, annotations?: Json) => void;
  readonly freeze: () => void;
  readonly end: () => void;
  readonly closed: () => void;
};

type Opening = {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly response: ServerResponse;
  readonly target: { readonly resource: Resource; readonly namespace?: string };
  readonly query: Json;
  readonly from: number;
  readonly listing: boolean;
};

const BOOKMARK_MS = 60_000;

/** Begins to stream, as the API server does: what is there (if asked), what was since, and what comes. */
export function openWatch({ store, clock, response, target, query, from, listing }: Opening): OpenWatch {
  const { resource, namespace } = target;
  let frozen = false;
  let floor = from;
  const line = (text: string): void => {
    if (!frozen && !response.writableEnded) response.write(text);
  };
  const send = (type: string, object: Json): void => line(`${JSON.stringify({ type, object })}\n`);
  const bookmark = (version: number, annotations: Json = {}): void => {
    const metadata = { resourceVersion: String(version), annotations };
    send("BOOKMARK", { kind: resource.kind, metadata });
  };
  const pass = (event: StoredEvent): void => {
    if (event.resource.plural !== resource.plural || event.version <= floor) return;
    if (namespace !== undefined && (event.object["metadata"] as Json)["namespace"] !== namespace) return;
    floor = event.version;
    send(event.type, event.object);
  };
  response.writeHead(200, { "content-type": "application/json" });
  response.flushHeaders();
  if (listing) {
    for (const object of store.list(resource, namespace)) send("ADDED", object);
    bookmark(store.version, { "k8s.io/initial-events-end": "true" });
    floor = store.version;
  } else for (const event of store.events(resource, from)) pass(event);
  const deaf = store.listen(pass);
  const stopBookmarks = every(clock, BOOKMARK_MS, () => {
    if (query["allowWatchBookmarks"] === "true" && store.version >= floor) bookmark(store.version);
  });
  const end = (): void => {
    if (!frozen) response.end();
  };
  const cancelEnd = clock.after(Number(query["timeoutSeconds"] ?? 1800) * 1000, end);
  return {
    resource,
    send,
    line,
    bookmark,
    freeze: () => {
      frozen = true;
    },
    end,
    closed: () => {
      deaf();
      stopBookmarks();
      cancelEnd();
    },
  };
}

function every(clock: Clock, ms: number, act: () => void): () => void {
  let cancel = clock.after(ms, again);
  function again(): void {
    act();
    cancel = clock.after(ms, again);
  }
  return () => cancel();
}
