import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { accepted, kubectlDone } from "../cluster/accepted.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { type Installed, installSignet } from "../cluster/install.ts";
import { applyApproved } from "./approve.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;
const TEST_MS = 60_000;
const PATIENCE = { timeout: 20_000, interval: 100 };
const ROOT = join(import.meta.dirname, "..", "..");
const EXAMPLE = join(ROOT, "docs/examples/online-boutique");
const SHOP = join(ROOT, "test/conformance/data/apps/online-boutique/kubernetes-manifests.yaml");
const PODS = "/api/v1/namespaces/default/pods";

type Pod = {
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly serviceAccountName: string };
};

let cluster: Cluster;
let signet: Installed;

beforeAll(async () => {
  cluster = await bootCluster({ fakeNodes: 1 });
  signet = await installSignet(cluster, { replicas: 2 });
  await applyApproved(cluster, readFileSync(join(EXAMPLE, "catalogue.yaml"), "utf8"), "alice");
  await vi.waitFor(async () => expect(await inForce("workloadroles")).toBe(12), PATIENCE);
  await vi.waitFor(async () => expect(await inForce("segments")).toBe(1), PATIENCE);
  await vi.waitFor(async () => expect(new Set(await revisions()).size).toBe(1), PATIENCE);
  await vi.waitFor(async () => expect(await dryRun(REDIS)).toMatchObject({ status: 201 }), PATIENCE);
}, FIRST_BOOT_MS);

afterAll(async () => {
  await signet?.stop();
  await cluster?.stop();
}, TEST_MS);

async function items<T>(path: string): Promise<readonly T[]> {
  const { body } = await cluster.request("GET", path);
  return (body as { readonly items: readonly T[] }).items;
}

const inForce = async (plural: string): Promise<number> => {
  const all = await items<{ readonly status?: { readonly approved?: object } }>(`/apis/signet.dev/v1alpha1/${plural}`);
  return all.filter(({ status }) => status?.approved !== undefined).length;
};

/** Revision of the catalogue that each replica judges by. */
const revisions = (): Promise<readonly (string | undefined)[]> =>
  Promise.all(
    signet
      .replicas()
      .map(async (replica) => /signet_catalogue_info\{revision="(\w+)"/.exec(await replica.metrics())?.[1]),
  );

const pods = async (): Promise<readonly Pod[]> =>
  (await items<Pod>(PODS)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);

const pod = (name: string, metadata: object = {}, account = "cartservice") => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...metadata },
  spec: { serviceAccountName: account, containers: [{ name: "main", image: "example.org/none" }] },
});

/** A Pod whose role needs no account of its own, so that it can be tried before the shop is there. */
const REDIS = pod("redis", { labels: { app: "redis-cart" } }, "default");

const dryRun = (body: object) => cluster.request("POST", `${PODS}?dryRun=All`, { body });

/** What `signet review` says of a Pod's role, by its service account. */
const roleOf = ({ metadata, spec }: Pod): string =>
  spec.serviceAccountName === "default" ? (metadata.labels["app"] ?? "") : spec.serviceAccountName;

describe("Online Boutique, applied unmodified", () => {
  beforeAll(async () => {
    const applied = await cluster.kubectl(["apply", "-f", SHOP]);
    expect(applied, applied.stderr).toMatchObject({ code: 0 });
    await vi.waitFor(async () => expect((await pods()).length).toBe(12), PATIENCE);
  }, TEST_MS);

  test("each Pod that the controllers create is stamped with the role of its account", async () => {
    const stamped = (await pods()).map((each) => ({
      role: each.metadata.labels["signet.dev/role"],
      segment: each.metadata.labels["signet.dev/segment"],
      id: each.metadata.annotations["signet.dev/spiffe-id"],
      wanted: roleOf(each),
      account: each.spec.serviceAccountName,
    }));
    expect(stamped).toEqual(
      stamped.map(({ wanted, account }) => ({
        role: wanted,
        segment: "boutique",
        id: `spiffe://boutique.example.org/ns/default/sa/${account}`,
        wanted,
        account,
      })),
    );
  });

  test(
    "scaling a Deployment up brings Pods that are stamped too, and down takes them away",
    async () => {
      await kubectlDone(cluster, ["scale", "deployment", "cartservice", "--replicas=3"]);
      const carts = async () =>
        (await pods()).filter(({ metadata }) => metadata.labels["signet.dev/role"] === "cartservice").length;
      await expect.poll(carts, { timeout: 20_000 }).toBe(3);
      await kubectlDone(cluster, ["scale", "deployment", "cartservice", "--replicas=1"]);
      await expect.poll(carts, { timeout: 20_000 }).toBe(1);
    },
    TEST_MS,
  );
});

test("the intruder is refused in words", async () => {
  const refused = await cluster.kubectl(["apply", "-f", join(EXAMPLE, "intruder.yaml")]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/ROLE_NOT_ENTITLED|claims "cartservice"/);
});

test("a Pod without a role is refused, and one whose account has a role is admitted and stamped", async () => {
  expect(await dryRun(pod("stray", {}, "default"))).toMatchObject({
    status: 403,
    body: { message: expect.stringMatching(/ROLE_NONE|No role fits/) },
  });
  expect(await dryRun(pod("cart"))).toMatchObject({
    status: 201,
    body: { metadata: { labels: { "signet.dev/role": "cartservice", "signet.dev/segment": "boutique" } } },
  });
});

test("a stamp that somebody brings along is overwritten, not believed", async () => {
  const forged = { annotations: { "signet.dev/spiffe-id": "spiffe://boutique.example.org/ns/default/sa/frontend" } };
  expect(await dryRun(pod("forged", forged))).toMatchObject({
    status: 201,
    body: {
      metadata: { annotations: { "signet.dev/spiffe-id": "spiffe://boutique.example.org/ns/default/sa/cartservice" } },
    },
  });
});

test("a label that claims another role is refused", async () => {
  expect(await dryRun(pod("claiming", { labels: { "signet.dev/role": "frontend" } }))).toMatchObject({
    status: 403,
    body: { message: expect.stringContaining("frontend") },
  });
});

test("a running Pod's stamp cannot be changed, and may be deleted all the same", async () => {
  const [first] = await pods();
  const name = first?.metadata.name ?? "";
  const relabel = { metadata: { labels: { "signet.dev/role": "frontend-admin" } } };
  const contentType = "application/merge-patch+json";
  expect(await cluster.request("PATCH", `${PODS}/${name}`, { body: relabel, contentType })).toMatchObject({
    status: 403,
  });
  const note = { metadata: { annotations: { "example.org/note": "any" } } };
  expect(await cluster.request("PATCH", `${PODS}/${name}`, { body: note, contentType })).toMatchObject({ status: 200 });
  expect(await cluster.request("DELETE", `${PODS}/${name}`)).toMatchObject({ status: 200 });
});

test("a Pod in a namespace that is not enrolled is admitted with a warning", async () => {
  await accepted(cluster, "POST", "/api/v1/namespaces", { body: { metadata: { name: "elsewhere" } } });
  const path = "/api/v1/namespaces/elsewhere/serviceaccounts/default";
  await expect.poll(async () => (await cluster.request("GET", path)).status).toBe(200);
  const answer = await cluster.kubectl([
    "run",
    "free",
    "-n",
    "elsewhere",
    "--image=example.org/none",
    "--dry-run=server",
  ]);
  expect(answer).toMatchObject({ code: 0, stderr: expect.stringContaining("ROLE_NONE") });
});

test("a Pod in a namespace that was enrolled this very moment is judged, though no watch has brought it yet", {
  timeout: TEST_MS,
}, async () => {
  for (let count = 0; count < 10; count++) {
    const name = `young-${count}`;
    const metadata = { name, labels: { "signet.dev/enrol": "true" } };
    await accepted(cluster, "POST", "/api/v1/namespaces", { body: { metadata } });
    const body = { ...pod("first", {}, "default"), spec: { ...pod("first").spec, serviceAccountName: "default" } };
    const create = () => cluster.request("POST", `/api/v1/namespaces/${name}/pods?dryRun=All`, { body });
    // Until the account is there the API server's own admission refuses, in words of its own.
    await expect.poll(create, { timeout: 10_000, interval: 5 }).toMatchObject({
      status: 403,
      body: { message: expect.stringMatching(/ROLE_NONE|No role fits/) },
    });
  }
});

test("one of two replicas is killed while Pods are created: none is missed", { timeout: TEST_MS }, async () => {
  const [victim] = signet.replicas();
  const scaled = kubectlDone(cluster, ["scale", "deployment", "frontend", "--replicas=40"]);
  await victim?.end("SIGKILL");
  await scaled;
  const fronts = async () => (await pods()).filter(({ spec }) => spec.serviceAccountName === "frontend");
  await expect.poll(async () => (await fronts()).length, { timeout: 40_000 }).toBe(40);
  expect((await fronts()).filter(({ metadata }) => metadata.labels["signet.dev/role"] !== "frontend")).toEqual([]);
  await kubectlDone(cluster, ["scale", "deployment", "frontend", "--replicas=1"]);
});

test("with no replica left nothing is created unjudged; scale, finalizers and deletion still pass", {
  timeout: TEST_MS,
}, async () => {
  for (const replica of signet.replicas()) await replica.end("SIGKILL");
  expect(await dryRun(pod("unjudged"))).toMatchObject({
    status: 500,
    body: { message: expect.stringContaining("failed calling webhook") },
  });
  const scaled = await cluster.kubectl(["scale", "deployment", "cartservice", "--replicas=2"]);
  expect(scaled, scaled.stderr).toMatchObject({ code: 0 });
  const [first] = await pods();
  const path = `${PODS}/${first?.metadata.name}`;
  const contentType = "application/merge-patch+json";
  const held = { metadata: { finalizers: ["example.org/held"] } };
  expect(await cluster.request("PATCH", path, { body: held, contentType })).toMatchObject({ status: 200 });
  expect(await cluster.request("PATCH", path, { body: { metadata: { finalizers: null } }, contentType })).toMatchObject(
    {
      status: 200,
    },
  );
  expect(await cluster.request("DELETE", path)).toMatchObject({ status: 200 });
});

test("Pods that were created unasked are stamped when a replica is back, and what cannot be mended is counted", {
  timeout: 2 * TEST_MS,
}, async () => {
  const contentType = "application/merge-patch+json";
  const enrol = (enrolled: string | null) =>
    accepted(cluster, "PATCH", "/api/v1/namespaces/default", {
      body: { metadata: { labels: { "signet.dev/enrol": enrolled } } },
      contentType,
    });
  await enrol(null);
  await accepted(cluster, "POST", PODS, { body: pod("unasked") });
  await accepted(cluster, "POST", PODS, { body: pod("stray", {}, "default") });
  await enrol("true");
  const replica = await signet.add();
  const missed = async () =>
    /^signet_pods_missed_reasons\{code="(\w+)"\} (\d+)$/m.exec(await replica.metrics())?.slice(1);
  await expect.poll(missed, { timeout: 60_000 }).toEqual(["ROLE_NONE", "1"]);
  await expect
    .poll(() => cluster.request("GET", `${PODS}/unasked`), { timeout: 20_000 })
    .toMatchObject({
      body: { metadata: { labels: { "signet.dev/role": "cartservice", "signet.dev/segment": "boutique" } } },
    });
  await accepted(cluster, "DELETE", `${PODS}/stray`);
  await expect.poll(() => replica.metrics(), { timeout: 20_000 }).toMatch(/^signet_pods_missed 0$/m);
});
