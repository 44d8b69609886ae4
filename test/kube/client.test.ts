import { afterEach, beforeEach, expect, test } from "vitest";
import { ApiFault, type KubeClient, makeKubeClient } from "../../src/kube/client.ts";
import { type Connection, makeConnection } from "../../src/kube/connection.ts";
import type { Resource } from "../../src/kube/resources.ts";
import { reviewOwnAccess, reviewToken } from "../../src/kube/reviews.ts";
import { type FakeApiServer, startFakeApiServer } from "../fakes/api-server.ts";
import { type FakeClock, makeFakeClock } from "../fakes/clock.ts";

const MAPS: Resource = { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap", namespaced: true };
const SEGMENTS: Resource = {
  group: "signet.dev",
  version: "v1alpha1",
  plural: "segments",
  kind: "Segment",
  namespaced: false,
};
const ANNA = { username: "anna", uid: "1", groups: ["shop"], extra: { scope: ["a"] } };

let clock: FakeClock;
let server: FakeApiServer;
let connection: Connection;
let client: KubeClient;

beforeEach(async () => {
  clock = makeFakeClock();
  server = await startFakeApiServer({
    clock,
    resources: [MAPS, SEGMENTS],
    users: { "anna-token": { user: ANNA, audiences: ["signet"] } },
    allows: ({ resourceAttributes }) => (resourceAttributes as { readonly verb?: string }).verb === "patch",
  });
  connection = makeConnection(server.access, { clock });
  client = makeKubeClient(connection);
});

afterEach(async () => {
  connection.close();
  await server.close();
});

const map = (name: string, data = {}) => ({ metadata: { namespace: "shop", name }, data });
const shop = (name: string) => ({ namespace: "shop", name });

test("an object is created, read, replaced, patched and deleted", async () => {
  const made = await client.create(MAPS, map("a", { one: "1" }));
  expect(made).toMatchObject({ ok: true, value: { kind: "ConfigMap", metadata: { name: "a" }, data: { one: "1" } } });
  if (!made.ok) return;
  expect(await client.get(MAPS, shop("a"))).toEqual(made);
  expect(await client.update(MAPS, { ...made.value, data: { two: "2" } })).toMatchObject({
    value: { data: { two: "2" } },
  });
  const merged = await client.patch(MAPS, shop("a"), { type: "merge", body: { data: { two: null, three: "3" } } });
  expect(merged).toMatchObject({ value: { data: { three: "3" } } });
  const operation = { op: "add", path: "/data/four", value: "4" };
  const patched = await client.patch(MAPS, shop("a"), { type: "json", body: [operation] });
  expect(patched).toMatchObject({ value: { data: { three: "3", four: "4" } } });
  expect(await client.delete(MAPS, shop("a"))).toMatchObject({ ok: true });
  expect(await client.get(MAPS, shop("a"))).toMatchObject({ ok: false, problems: [{ code: "NOT_FOUND" }] });
});

test("a status is written by itself", async () => {
  await client.create(SEGMENTS, { metadata: { name: "payments" }, spec: { mode: "observe" } });
  const object = { metadata: { name: "payments" }, spec: { mode: "enforce" }, status: { approvals: [] } };
  expect(await client.update(SEGMENTS, object, { subresource: "status" })).toMatchObject({
    value: { spec: { mode: "observe" }, status: { approvals: [] }, metadata: { generation: 1 } },
  });
  expect(server.seen.at(-1)?.path).toBe("/apis/signet.dev/v1alpha1/segments/payments/status");
});

test("dry run, field manager and force travel in the query", async () => {
  await client.create(MAPS, map("a"));
  const apply = { type: "apply", body: map("a"), fieldManager: "signet", force: true } as const;
  await client.patch(MAPS, shop("a"), apply, { dryRun: true });
  expect(server.seen.at(-1)).toMatchObject({
    verb: "patch",
    query: { dryRun: "All", fieldManager: "signet", force: "true" },
  });
});

test.each([
  { status: 400, code: "API_REFUSED" },
  { status: 403, code: "API_FORBIDDEN" },
  { status: 404, code: "NOT_FOUND" },
  { status: 409, code: "API_CONFLICT" },
  { status: 422, code: "API_REFUSED" },
])("a $status is a refusal, told as $code", async ({ status, code }) => {
  server.faults.answer("create", { status });
  expect(await client.create(MAPS, map("a"))).toEqual({
    ok: false,
    problems: [{ code, path: "", message: "a canned answer" }],
  });
});

test.each([500, 503, 504])("a %i is a fault", async (status) => {
  server.faults.answer("get", { status });
  await expect(client.get(MAPS, shop("a"))).rejects.toThrow(ApiFault);
});

test("a write made from an old version is refused", async () => {
  const made = await client.create(MAPS, map("a"));
  await client.patch(MAPS, shop("a"), { type: "merge", body: { data: { one: "1" } } });
  expect(made.ok && (await client.update(MAPS, made.value))).toMatchObject({ problems: [{ code: "API_CONFLICT" }] });
  expect(await client.delete(MAPS, shop("a"), { uid: "another" })).toMatchObject({
    problems: [{ code: "API_CONFLICT" }],
  });
});

test("a collection is listed whole, page by page, each item with its kind", async () => {
  for (let index = 0; index < 1_001; index++) server.store.create(MAPS, "shop", map(`m-${index}`));
  const listed = await client.list(MAPS, { namespace: "shop" });
  expect(listed.ok && listed.value.items.length).toBe(1_001);
  expect(listed.ok && listed.value.items[1_000]).toMatchObject({ apiVersion: "v1", kind: "ConfigMap" });
  expect(server.seen.length).toBe(3);
});

test("a busy server is waited for, and then told of", async () => {
  server.faults.answer("list", { status: 429, headers: { "retry-after": "7" } });
  const listed = client.list(MAPS);
  let done = false;
  void listed.finally(() => {
    done = true;
  });
  expect(await clock.until(() => done, 10_000)).toBeGreaterThanOrEqual(7_000);
  expect(await listed).toMatchObject({ ok: true });
  server.faults.answer("list", { status: 429, headers: { "retry-after": "1" } }, 100);
  const given = expect(client.list(MAPS)).rejects.toMatchObject({ status: 429 });
  await clock.pass(10_000);
  await given;
});

test("a token that has ended is read again, and the call repeated", async () => {
  await client.create(MAPS, map("a"));
  server.faults.expireToken("token-2").publish();
  expect(await client.get(MAPS, shop("a"))).toMatchObject({ ok: true });
});

test("a connection that was cut is opened again for a reading", async () => {
  await client.create(MAPS, map("a"));
  server.faults.reset();
  expect(await client.get(MAPS, shop("a"))).toMatchObject({ ok: true });
});

test("a server that does not answer is given up after the time limit", async () => {
  server.faults.hang(true);
  const given = expect(client.get(MAPS, shop("a"))).rejects.toThrow("did not answer in 30000 ms");
  await clock.pass(31_000);
  await given;
});

test("a runaway loop is slowed down", async () => {
  const slow = makeConnection(server.access, { clock, rateLimit: { perSecond: 10, burst: 5 } });
  let answered = 0;
  const calls = Array.from({ length: 25 }, () =>
    slow.call({ method: "GET", path: "/api/v1/configmaps" }).then(() => answered++),
  );
  const passed = await clock.until(() => answered === 25, 10_000);
  await Promise.all(calls);
  slow.close();
  expect(passed).toBeGreaterThanOrEqual(2_000);
  expect(passed).toBeLessThan(4_000);
});

test("a name cannot leave its place in the path", async () => {
  for (const name of ["", "..", "a/b"])
    await expect(async () => client.get(MAPS, shop(name))).rejects.toThrow("not a name that a path can carry");
});

test("a token is reviewed for our audience", async () => {
  expect(await reviewToken(client, "anna-token", ["signet"])).toEqual({ ok: true, value: ANNA });
  for (const [token, audience] of [
    ["anna-token", "somebody-else"],
    ["forged", "signet"],
  ] as const)
    expect(await reviewToken(client, token, [audience])).toMatchObject({ problems: [{ code: "TOKEN_REFUSED" }] });
});

test("the API server says what we may do ourselves; one that does not answer is a fault", async () => {
  const attempt = { verb: "patch", group: "signet.dev", resource: "segments" };
  expect(await reviewOwnAccess(client, attempt)).toBe(true);
  expect(await reviewOwnAccess(client, { ...attempt, verb: "delete" })).toBe(false);
  server.faults.answer("create", { status: 403 });
  await expect(reviewOwnAccess(client, attempt)).rejects.toThrow();
});
