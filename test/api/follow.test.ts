import { afterAll, beforeAll, expect, test } from "vitest";
import { LiveCatalogue } from "../../src/kube/catalogue.ts";
import { type KubeClient, makeKubeClient } from "../../src/kube/client.ts";
import { systemClock } from "../../src/kube/clock.ts";
import { readClusterAccess } from "../../src/kube/config.ts";
import { type Connection, makeConnection } from "../../src/kube/connection.ts";
import { Elector } from "../../src/kube/lease.ts";
import { makeLeaseStore } from "../../src/kube/lease-record.ts";
import { reviewOwnAccess, reviewToken } from "../../src/kube/reviews.ts";
import { Reflector } from "../../src/kube/watch.ts";
import { accepted } from "../cluster/accepted.ts";
import type { Cluster } from "../cluster/boot.ts";
import { quietLog } from "../fakes/quiet-log.ts";
import { bootEnforcing, FIRST_BOOT_MS, type Json } from "./enforcing.ts";

const TEST_MS = 120_000;
const MAPS = { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap", namespaced: true };
const SHOP = "/api/v1/namespaces/shop/configmaps";

let cluster: Cluster;
let connection: Connection;
let client: KubeClient;

beforeAll(async () => {
  cluster = await bootEnforcing();
  for (const name of ["shop", "payments"])
    await accepted(cluster, "POST", "/api/v1/namespaces", { body: { metadata: { name } } });
  const access = await readClusterAccess({ env: { KUBECONFIG: cluster.kubeconfigPath } });
  if (!access.ok) throw new Error("the cluster's kubeconfig cannot be read");
  connection = makeConnection(access.value, { clock: systemClock });
  client = makeKubeClient(connection);
}, FIRST_BOOT_MS);

afterAll(async () => {
  connection?.close();
  await cluster?.stop();
}, 60_000);

const means = () => ({ connection, clock: systemClock, random: Math.random, log: quietLog });

const put = (name: string) => accepted(cluster, "POST", SHOP, { body: { metadata: { name } } });

const namesOf = (reflector: Reflector): readonly string[] =>
  [...reflector.objects.values()].map(({ metadata }) => String((metadata as Json)["name"])).sort();

test("a collection is streamed, followed, and found again after the server restarts", {
  timeout: TEST_MS,
}, async () => {
  await put("a");
  const selection = { namespace: "shop", fieldSelector: "metadata.name!=kube-root-ca.crt" };
  const reflector = new Reflector({ resource: MAPS, selection }, means(), { changed: () => undefined });
  reflector.start();
  await expect.poll(() => namesOf(reflector), { timeout: 10_000 }).toEqual(["a"]);
  await put("b");
  await accepted(cluster, "DELETE", `${SHOP}/a`);
  await expect.poll(() => namesOf(reflector), { timeout: 10_000 }).toEqual(["b"]);
  expect(reflector.status()).toMatchObject({ synced: true, relists: 1, failures: 0 });
  await cluster.restart("kube-apiserver");
  await put("c");
  await expect.poll(() => namesOf(reflector), { timeout: 40_000 }).toEqual(["b", "c"]);
  await reflector.stop();
});

test("a server without its streamed lists is read in pages", { timeout: TEST_MS }, async () => {
  const refusing = {
    call: connection.call,
    open: async (path: string, signal: AbortSignal) =>
      path.includes("sendInitialEvents") ? { status: 422, headers: {}, body: {} } : connection.open(path, signal),
  };
  const limits = { pageSize: 1 };
  const reflector = new Reflector(
    { resource: MAPS },
    { ...means(), connection: refusing, limits },
    { changed: () => undefined },
  );
  reflector.start();
  await expect.poll(() => reflector.status().synced, { timeout: 10_000 }).toBe(true);
  await put("d");
  await expect.poll(() => namesOf(reflector), { timeout: 10_000 }).toContain("d");
  await reflector.stop();
});

test("definitions become a catalogue, and one that nobody approved says so", { timeout: TEST_MS }, async () => {
  const live = new LiveCatalogue({ ...means(), client });
  live.start();
  await expect.poll(() => live.current()?.definitions.namespaces.length, { timeout: 15_000 }).toBeGreaterThan(2);
  const labels = { "signet.dev/enrol": "true", "signet.dev/segment": "payments" };
  await accepted(cluster, "PATCH", "/api/v1/namespaces/payments", {
    body: { metadata: { labels } },
    contentType: "application/merge-patch+json",
  });
  const body = { apiVersion: "signet.dev/v1alpha1", kind: "Segment", metadata: { name: "payments" }, spec: {} };
  await accepted(cluster, "POST", "/apis/signet.dev/v1alpha1/segments", { body });
  await expect
    .poll(() => live.current()?.segments.get("payments")?.approval, { timeout: 10_000 })
    .toEqual({ state: "missing", generation: 1 });
  expect(live.current()?.definitions.namespaces.find(({ name }) => name === "payments")).toMatchObject({
    enrolled: true,
    segment: "payments",
  });
  expect(await live.lookLive("Segment", { name: "payments" })).toBe(live.current());
  await live.stop();
});

test("one of two replicas writes", { timeout: TEST_MS }, async () => {
  const lease = { metadata: { name: "signet-writer" }, spec: { holderIdentity: "" } };
  await accepted(cluster, "POST", "/apis/coordination.k8s.io/v1/namespaces/signet-system/leases", { body: lease });
  const store = makeLeaseStore(connection, { namespace: "signet-system", name: "signet-writer" });
  const electors = ["a", "b"].map(
    (identity) =>
      new Elector({ store, identity, clock: systemClock, random: Math.random, log: quietLog, onTerm: () => undefined }),
  );
  for (const elector of electors) elector.start();
  const writers = () => electors.filter((elector) => elector.term() !== undefined);
  await expect.poll(() => writers().length, { timeout: 10_000 }).toBe(1);
  const [first] = writers();
  await first?.stop();
  await expect.poll(() => writers().length, { timeout: 10_000 }).toBe(1);
  expect(writers()[0]).not.toBe(first);
  await Promise.all(electors.map((elector) => elector.stop()));
});

test("tokens and access are reviewed", { timeout: TEST_MS }, async () => {
  const path = "/api/v1/namespaces/signet-system/serviceaccounts/signet/token";
  const asked = await accepted(cluster, "POST", path, { body: { spec: { audiences: ["signet"] } } });
  const { token } = (asked as { readonly status: { readonly token: string } }).status;
  const user = await reviewToken(client, token, ["signet"]);
  expect(user).toMatchObject({ ok: true, value: { username: "system:serviceaccount:signet-system:signet" } });
  expect(await reviewToken(client, token, ["another"])).toMatchObject({ problems: [{ code: "TOKEN_REFUSED" }] });
  const attempt = { verb: "approve", group: "signet.dev", resource: "segments", name: "payments" };
  expect(await reviewOwnAccess(client, attempt)).toBe(true);
});

test("a refusal of the API server is told in its words", { timeout: TEST_MS }, async () => {
  const created = await client.create(MAPS, { metadata: { namespace: "shop", name: "NOT A NAME" } });
  expect(created).toMatchObject({ ok: false, problems: [{ code: "API_REFUSED", path: "metadata.name" }] });
  const options = { dryRun: true, fieldManager: "signet" };
  expect(await client.create(MAPS, { metadata: { namespace: "shop", name: "dry" } }, options)).toMatchObject({
    ok: true,
  });
  expect(await client.get(MAPS, { namespace: "shop", name: "dry" })).toMatchObject({
    problems: [{ code: "NOT_FOUND" }],
  });
  const patch = {
    type: "apply",
    body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "applied" }, data: { a: "b" } },
    fieldManager: "signet",
  } as const;
  expect(await client.patch(MAPS, { namespace: "shop", name: "applied" }, patch)).toMatchObject({
    ok: true,
    value: { data: { a: "b" } },
  });
});
