import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Connection, makeConnection } from "../../src/kube/connection.ts";
import type { Change } from "../../src/kube/object-cache.ts";
import type { Resource } from "../../src/kube/resources.ts";
import { Reflector } from "../../src/kube/watch.ts";
import { type FakeApiServer, startFakeApiServer } from "../fakes/api-server.ts";
import { type FakeClock, makeFakeClock, turns } from "../fakes/clock.ts";
import { quietLog } from "../fakes/quiet-log.ts";

const PODS: Resource = { group: "", version: "v1", plural: "pods", kind: "Pod", namespaced: true };

/** A cut of this length lets the waits between attempts grow to where they stay. */
const LONG_CUT_MS = 60_000;
const CONVERGES_MS = 30_000;

let clock: FakeClock;
let server: FakeApiServer;
let connection: Connection;
let reflector: Reflector;
let changes: Change[];
let publish: () => void;

async function begin(streamingList: boolean, onChange: (change: Change) => void = () => undefined): Promise<void> {
  clock = makeFakeClock();
  server = await startFakeApiServer({ clock, resources: [PODS], streamingList });
  connection = makeConnection(server.access, { clock });
  changes = [];
  let seed = 1;
  const random = (): number => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  reflector = new Reflector(
    { resource: PODS },
    { connection, clock, random, log: quietLog },
    {
      changed: (change) => {
        changes.push(change);
        onChange(change);
      },
    },
  );
  for (const name of ["a", "b", "c"]) pod(name);
}

const pod = (name: string, labels: Record<string, string> = {}) =>
  server.store.create(PODS, "shop", { metadata: { name, labels }, spec: { containers: [] } });

const relabel = (name: string, labels: Record<string, string>) => {
  const before = server.store.get({ resource: PODS, namespace: "shop", name });
  const metadata = { ...(before["metadata"] as object), labels };
  return server.store.update({ resource: PODS, namespace: "shop", name }, { ...before, metadata });
};

const remove = (name: string) => server.store.remove({ resource: PODS, namespace: "shop", name });

type Plain = { readonly metadata: Readonly<Record<string, string>> };

/** What the store and the copy agree on: UID and version of each object. */
const versions = (objects: Iterable<unknown>): readonly string[] =>
  [...objects]
    .map((each) => `${(each as Plain).metadata["uid"]}@${(each as Plain).metadata["resourceVersion"]}`)
    .sort();

const converged = (): boolean =>
  JSON.stringify(versions(reflector.objects.values())) === JSON.stringify(versions(server.store.list(PODS)));

const settled = (): boolean => reflector.status().synced && converged() && server.openWatches() === 1;

async function started(streamingList = true): Promise<void> {
  await begin(streamingList);
  reflector.start();
  await clock.until(settled, CONVERGES_MS);
}

/** Things happen while the watch is cut off: one object comes, one changes, one goes. */
function meanwhile(): void {
  pod("d");
  relabel("a", { tier: "data" });
  remove("b");
}

const faults: unknown[] = [];
const noteFault = (fault: unknown): void => void faults.push(fault);

beforeEach(() => {
  faults.length = 0;
  process.on("uncaughtException", noteFault);
  process.on("unhandledRejection", noteFault);
});

afterEach(async () => {
  connection.close();
  await reflector.stop();
  await server.close();
  process.off("uncaughtException", noteFault);
  process.off("unhandledRejection", noteFault);
  expect(faults).toEqual([]);
});

describe.each([
  { name: "a server that streams lists", streamingList: true },
  { name: "a server that lists in pages", streamingList: false },
])("on $name", ({ streamingList }) => {
  test("the copy holds what the server has, and follows it", async () => {
    await started(streamingList);
    expect(reflector.status()).toMatchObject({ synced: true, objects: 3, relists: 1 });
    meanwhile();
    await clock.until(converged, 1_000);
    expect(changes.map(({ type, object }) => `${type} ${(object as Plain).metadata["name"]}`)).toEqual([
      "added a",
      "added b",
      "added c",
      "added d",
      "updated a",
      "removed b",
    ]);
    expect(reflector.status().relists).toBe(1);
  });

  type Row = { readonly fault: string; readonly begin: () => void | Promise<void>; readonly end?: () => void };
  const rows: readonly Row[] = [
    { fault: "a RST", begin: () => server.faults.reset() },
    {
      fault: "a server that refuses connections for a minute",
      begin: () => {
        server.faults.refuseConnections(true);
        server.faults.reset();
      },
      end: () => server.faults.refuseConnections(false),
    },
    { fault: "410 in the middle of a watch", begin: () => server.faults.gone() },
    {
      fault: "410 on connecting",
      begin: () => {
        server.faults.answer("watch", { status: 410 }, 1_000);
        server.faults.reset();
      },
      end: () => server.faults.clear(),
    },
    {
      fault: "429 with Retry-After",
      begin: () => {
        for (const verb of ["list", "watch"] as const)
          server.faults.answer(verb, { status: 429, headers: { "retry-after": "5" } }, 1_000);
        server.faults.reset();
      },
      end: () => server.faults.clear(),
    },
    {
      fault: "500 on listing",
      begin: () => {
        server.faults.answer("list", { status: 500 }, 1_000);
        server.faults.answer("watch", { status: 500 }, 1_000);
        server.faults.gone();
      },
      end: () => server.faults.clear(),
    },
    { fault: "an event that breaks off", begin: () => server.faults.breakOff() },
    { fault: "a line that is no JSON", begin: () => server.faults.line("{]\n") },
    { fault: "an object of a megabyte", begin: () => void pod("big", { big: "x".repeat(1 << 20) }) },
    { fault: "a restart with lower versions", begin: () => server.faults.restartAt(10) },
    { fault: "objects announced twice", begin: () => server.faults.duplicate() },
    { fault: "a bookmark out of order", begin: () => server.faults.bookmark(3) },
    {
      fault: "a token that has ended, and its file renewed late",
      begin: () => {
        publish = server.faults.expireToken("token-2").publish;
      },
      end: () => publish(),
    },
    {
      fault: "another certificate authority, and its file renewed late",
      begin: async () => {
        publish = (await server.faults.changeAuthority()).publish;
      },
      end: () => publish(),
    },
  ];

  test.each(rows)("it converges within 30 s after $fault", async ({ begin, end }) => {
    await started(streamingList);
    await begin();
    await turns();
    meanwhile();
    if (end) {
      await clock.pass(LONG_CUT_MS);
      end();
    }
    relabel("c", { after: "all" });
    expect(await clock.until(settled, CONVERGES_MS)).toBeLessThanOrEqual(CONVERGES_MS);
    remove("c");
    await clock.until(converged, 1_000);
  });
});

test("a half-open connection is given up after 75 s of silence", async () => {
  await started();
  server.faults.freeze();
  meanwhile();
  await clock.until(() => server.openWatches() === 1 && converged(), 75_000 + CONVERGES_MS);
  expect(clock.monotonic()).toBeGreaterThan(75_000);
});

test("a server that answers nothing at all is asked again and again", async () => {
  await started();
  server.faults.hang(true);
  server.faults.reset();
  meanwhile();
  await clock.pass(200_000);
  expect(reflector.status()).toMatchObject({ synced: true, objects: 3 });
  server.faults.hang(false);
  await clock.until(settled, 75_000 + CONVERGES_MS);
});

test("the copy says how old it is while it is cut off, and keeps what it had", async () => {
  await started();
  server.faults.refuseConnections(true);
  server.faults.reset();
  const before = reflector.status().lastSyncAgeSeconds;
  await clock.pass(120_000);
  const status = reflector.status();
  expect(before).toBeLessThan(5);
  expect(status.lastSyncAgeSeconds).toBeGreaterThan(115);
  expect(status).toMatchObject({ synced: true, objects: 3 });
  server.faults.refuseConnections(false);
  await clock.until(settled, CONVERGES_MS);
  await clock.until(() => reflector.status().lastSyncAgeSeconds < 61, 61_000);
});

test("a quiet collection costs one listing, and a watch each four to five minutes", async () => {
  await started();
  await clock.pass(1_200_000);
  expect(reflector.status()).toMatchObject({ relists: 1, failures: 0 });
  const watches = server.seen.filter(({ verb }) => verb === "watch");
  expect(watches.length).toBeGreaterThanOrEqual(5);
  expect(watches.length).toBeLessThanOrEqual(6);
  const times = watches.map(({ query }) => Number(query["timeoutSeconds"]));
  expect(times.every((seconds) => seconds >= 240 && seconds <= 300)).toBe(true);
  expect(new Set(times).size).toBeGreaterThan(1);
});

test("the waits between attempts grow to half a minute and never end", async () => {
  await started();
  server.faults.refuseConnections(true);
  server.faults.reset();
  await clock.pass(600_000);
  const first = reflector.status().failures;
  await clock.pass(600_000);
  const second = reflector.status().failures;
  expect(second - first).toBeGreaterThanOrEqual(600 / 30);
  expect(second).toBeLessThan(150);
});

test("Retry-After is honoured", async () => {
  await started();
  server.faults.answer("watch", { status: 429, headers: { "retry-after": "20" } });
  server.faults.reset();
  const began = clock.monotonic();
  await clock.until(() => server.seen.some(({ status }) => status === 429), CONVERGES_MS);
  const turnedAway = clock.monotonic();
  await clock.until(settled, CONVERGES_MS);
  expect(turnedAway - began).toBeLessThan(5_000);
  expect(clock.monotonic() - turnedAway).toBeGreaterThanOrEqual(20_000);
});

test("a listener that throws loses nothing but its own call", async () => {
  await begin(true, ({ type }) => {
    if (type === "added") throw new Error("a listener's fault");
  });
  reflector.start();
  await clock.until(settled, CONVERGES_MS);
  meanwhile();
  await clock.until(converged, 1_000);
  expect(reflector.status()).toMatchObject({ handlerFaults: 4, failures: 0, objects: 3 });
  expect(changes.map(({ type }) => type)).toEqual(["added", "added", "added", "added", "updated", "removed"]);
});

test("events that come late or twice change nothing", async () => {
  await started();
  const old = server.store.get({ resource: PODS, namespace: "shop", name: "a" });
  relabel("a", { tier: "data" });
  const gone = remove("b");
  await clock.until(converged, 1_000);
  const count = changes.length;
  server.faults.event("MODIFIED", old);
  server.faults.event("ADDED", gone);
  server.faults.duplicate();
  const seen = reflector.status().events;
  await clock.until(() => reflector.status().events >= seen + 4, 1_000);
  expect(converged()).toBe(true);
  expect(changes.length).toBe(count);
});

test("managed fields are not kept, and a table may strip more", async () => {
  await begin(true);
  const strip = ({ apiVersion, kind, metadata }: Readonly<Record<string, unknown>>) => ({ apiVersion, kind, metadata });
  reflector = new Reflector(
    { resource: PODS, strip },
    { connection, clock, random: () => 0.5, log: quietLog },
    { changed: () => undefined },
  );
  reflector.start();
  await clock.until(settled, CONVERGES_MS);
  for (const object of reflector.objects.values()) {
    expect(Object.keys(object).sort()).toEqual(["apiVersion", "kind", "metadata"]);
    expect(Object.keys((object as Plain).metadata)).not.toContain("managedFields");
  }
});

test("a listing of many pages is put together", async () => {
  await begin(false);
  for (let index = 0; index < 1_300; index++) pod(`many-${index}`);
  reflector.start();
  await clock.until(settled, CONVERGES_MS);
  expect(reflector.status().objects).toBe(1_303);
  expect(server.seen.filter(({ verb }) => verb === "list").map(({ query }) => query["limit"])).toEqual([
    "500",
    "500",
    "500",
  ]);
});

test("a stopped watch leaves nothing behind", async () => {
  await started();
  await reflector.stop();
  await clock.until(() => server.openWatches() === 0, 1_000);
  const seen = server.seen.length;
  clock.advance(600_000);
  await turns();
  expect(server.seen.length).toBe(seen);
});
