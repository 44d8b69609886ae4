import { afterEach, beforeEach, expect, test } from "vitest";
import type { Catalogue } from "../../src/domain/catalogue.ts";
import { CATALOGUE_WATCHES, LiveCatalogue } from "../../src/kube/catalogue.ts";
import { makeKubeClient } from "../../src/kube/client.ts";
import { type Connection, makeConnection } from "../../src/kube/connection.ts";
import type { GrantSet } from "../../src/wire/grant.ts";
import type { Resource } from "../../src/kube/resources.ts";
import { type FakeApiServer, startFakeApiServer } from "../fakes/api-server.ts";
import { type FakeClock, makeFakeClock } from "../fakes/clock.ts";
import type { Json } from "../fakes/object-store.ts";
import { quietLog } from "../fakes/quiet-log.ts";

let clock: FakeClock;
let server: FakeApiServer;
let connections: Connection[];
let replicas: LiveCatalogue[];
let snapshots: Catalogue[];

const resourceOf = (kind: string): Resource => {
  const found = CATALOGUE_WATCHES.find(({ resource }) => resource.kind === kind);
  if (!found) throw new Error(`${kind} is not watched`);
  return found.resource;
};

async function serve(kinds = CATALOGUE_WATCHES.map(({ resource }) => resource.kind)): Promise<void> {
  server = await startFakeApiServer({ clock, resources: kinds.map(resourceOf), streamingList: true });
}

function replica(grants?: () => GrantSet): LiveCatalogue {
  const connection = makeConnection(server.access, { clock });
  const made = new LiveCatalogue({
    connection,
    client: makeKubeClient(connection),
    clock,
    random: Math.random,
    log: quietLog,
    onSnapshot: (snapshot) => void snapshots.push(snapshot),
    ...(grants ? { grants } : {}),
  });
  connections.push(connection);
  replicas.push(made);
  made.start();
  return made;
}

beforeEach(() => {
  clock = makeFakeClock();
  connections = [];
  replicas = [];
  snapshots = [];
});

afterEach(async () => {
  for (const connection of connections) connection.close();
  await Promise.all(replicas.map((each) => each.stop()));
  await server.close();
});

const approved = (spec: Json, generation = 1) => ({
  approvals: [],
  approved: { generation, spec, by: ["anna"], at: "2026-11-01T00:00:00Z" },
});

function segment(name: string, spec: Json = { namespaces: [name] }, status: Json = approved(spec)): Json {
  return server.store.create(resourceOf("Segment"), "", { metadata: { name }, spec, status });
}

function role(name: string, of: string): Json {
  const spec = { segment: of, match: { serviceAccounts: [name] } };
  return server.store.create(resourceOf("WorkloadRole"), "", { metadata: { name }, spec, status: approved(spec) });
}

const namespace = (name: string, labels = {}): Json =>
  server.store.create(resourceOf("Namespace"), "", { metadata: { name, labels, annotations: { big: "x" } } });

const change = (kind: string, name: string, fields: Json): Json => {
  const key = { resource: resourceOf(kind), namespace: "", name };
  return server.store.update(key, { ...server.store.get(key), ...fields });
};

async function ready(catalogue: LiveCatalogue): Promise<Catalogue> {
  await clock.until(() => catalogue.current() !== undefined, 30_000);
  const current = catalogue.current();
  if (!current) throw new Error("no snapshot");
  return current;
}

test("a cluster's definitions become one frozen snapshot", async () => {
  await serve();
  namespace("payments", { "signet.dev/enrol": "true" });
  segment("payments");
  role("orders-db", "payments");
  const live = replica();
  expect(live.current()).toBeUndefined();
  const current = await ready(live);
  expect(Object.isFrozen(current)).toBe(true);
  expect(current.segments.get("payments")).toMatchObject({ approval: { state: "approved", generation: 1 } });
  expect(current.namespaces.get("payments")).toMatchObject({ enrolled: true, roles: [{ name: "orders-db" }] });
  expect(live.missing()).toEqual([]);
});

test("there is no snapshot until every collection was seen, and it is said which are missing", async () => {
  await serve(CATALOGUE_WATCHES.map(({ resource }) => resource.kind).filter((kind) => kind !== "Guardrail"));
  const live = replica();
  await clock.pass(60_000);
  expect(live.current()).toBeUndefined();
  expect(live.missing()).toEqual(["guardrails"]);
});

test("signed grants come on top, and a change of them is a change of the revision", async () => {
  await serve();
  namespace("payments", { "signet.dev/enrol": "true" });
  let set: GrantSet = { only: false, exceptions: [], text: "none" };
  const live = replica(() => set);
  const before = await ready(live);
  set = { only: false, exceptions: [GRANTED], text: "one" };
  live.remake();
  const after = live.current();
  expect([before.exceptions.size, [...(after?.exceptions.keys() ?? [])]]).toEqual([0, ["payments/import"]]);
  expect(after?.revision).not.toBe(before.revision);
  live.remake();
  expect(live.current()).toBe(after);
});

const GRANTED: GrantSet["exceptions"][number] = {
  name: "import",
  namespace: "payments",
  approval: { state: "approved", generation: 0, by: ["key a"] },
  grant: { signer: "a", signedAt: 0, namespaceUid: "u" },
  permit: { check: "hostPID" },
  role: "db",
  reason: "r",
  expires: 1,
};

test("changes that come together make one snapshot", async () => {
  await serve();
  const live = replica();
  await ready(live);
  for (let index = 0; index < 50; index++) segment(`s-${index}`);
  await clock.until(() => live.current()?.segments.size === 50, 1_000);
  expect(snapshots.length).toBeLessThanOrEqual(3);
  server.store.remove({ resource: resourceOf("Segment"), namespace: "", name: "s-7" });
  await clock.until(() => live.current()?.segments.size === 49, 1_000);
});

test("an edit that cannot be read leaves the approved generation in force, and is reported", async () => {
  await serve();
  segment("payments", { environment: "prod" });
  const live = replica();
  await ready(live);
  change("Segment", "payments", { spec: { environment: "prod", typo: 1 } });
  await clock.until(() => live.unreadable().length === 1, 1_000);
  expect(live.unreadable()).toMatchObject([
    { object: "Segment/payments", instead: "the approved generation", problems: [{ code: "FIELD_UNKNOWN" }] },
  ]);
  expect(live.current()?.segments.get("payments")).toMatchObject({ environment: "prod" });
  const other = replica();
  expect((await ready(other)).segments.get("payments")).toMatchObject({ environment: "prod" });
  expect(other.current()?.revision).toBe(live.current()?.revision);
  change("Segment", "payments", { spec: { environment: "prod" } });
  await clock.until(() => live.unreadable().length === 0, 1_000);
});

test("what was never approved keeps its last readable version", async () => {
  await serve();
  namespace("payments", { "signet.dev/enrol": "true" });
  const live = replica();
  await ready(live);
  change("Namespace", "payments", { metadata: { name: "payments", labels: { "signet.dev/enrol": "maybe" } } });
  await clock.until(() => live.unreadable().length === 1, 1_000);
  expect(live.unreadable()).toMatchObject([{ object: "Namespace/payments", instead: "the last readable version" }]);
  expect(live.current()?.namespaces.get("payments")?.enrolled).toBe(true);
  expect((await ready(replica())).namespaces.get("payments")).toBeUndefined();
  expect(replicas[1]?.unreadable()).toMatchObject([{ instead: "nothing" }]);
});

test("replicas that saw the same have the same revision, and a change that is taken back brings no old one", async () => {
  await serve();
  segment("a");
  const first = replica();
  await ready(first);
  segment("b");
  role("r", "a");
  const second = replica();
  await ready(second);
  const both = () => replicas.map((each) => each.current()?.revision);
  await clock.until(() => both()[0] === both()[1], 1_000);
  const before = both()[0];
  segment("c");
  await clock.until(() => both()[0] === both()[1] && both()[0] !== before, 1_000);
  server.store.remove({ resource: resourceOf("Segment"), namespace: "", name: "c" });
  await clock.until(() => both().every((revision) => revision === before), 1_000);
  expect(before).toMatch(/^[0-9a-f]{32}$/);
});

test("an object that the snapshot lacks is read live, and one that is gone does not come back", async () => {
  await serve();
  const live = replica();
  await ready(live);
  server.faults.freeze();
  segment("payments");
  expect(live.current()?.segments.has("payments")).toBe(false);
  expect((await live.lookLive("Segment", { name: "payments" }))?.segments.has("payments")).toBe(true);
  expect((await live.lookLive("Segment", { name: "none" }))?.segments.size).toBe(1);
});

test("freshness names the highest version seen of each resource", async () => {
  await serve();
  const live = replica();
  await ready(live);
  const made = segment("payments");
  await clock.until(() => live.current()?.segments.size === 1, 1_000);
  const version = (made["metadata"] as Json)["resourceVersion"];
  expect(live.freshness().get("segments")).toBe(version);
  expect([...live.freshness().keys()]).toHaveLength(9);
});

test("a server restored from a backup is followed, though its versions are lower", async () => {
  await serve();
  segment("a");
  segment("b");
  const live = replica();
  await ready(live);
  server.store.remove({ resource: resourceOf("Segment"), namespace: "", name: "b" });
  server.faults.restartAt(10);
  change("Segment", "a", { spec: { environment: "test" }, status: approved({ environment: "test" }) });
  segment("c");
  await clock.until(() => live.current()?.segments.has("c") === true && !live.current()?.segments.has("b"), 30_000);
  expect(live.status().every(({ synced }) => synced)).toBe(true);
});

test("a cluster that cannot be reached leaves the last snapshot standing, and its age grows", async () => {
  await serve();
  segment("a");
  const live = replica();
  const current = await ready(live);
  server.faults.refuseConnections(true);
  server.faults.reset();
  await clock.pass(100_000);
  expect(live.current()).toBe(current);
  expect(Math.min(...live.status().map(({ lastSyncAgeSeconds }) => lastSyncAgeSeconds))).toBeGreaterThan(95);
});

test("of a namespace is kept whether it is being deleted", () => {
  const strip = CATALOGUE_WATCHES.find(({ resource }) => resource.kind === "Namespace")?.strip;
  const metadata = { name: "shop", uid: "u", resourceVersion: "1" };
  const kept = (more: object) =>
    strip?.({ kind: "Namespace", metadata: { ...metadata, finalizers: [], ...more } })["metadata"];
  expect([kept({}), kept({ deletionTimestamp: "2026-11-23T11:00:00Z" })]).toEqual([
    metadata,
    { ...metadata, deletionTimestamp: "2026-11-23T11:00:00Z" },
  ]);
});
