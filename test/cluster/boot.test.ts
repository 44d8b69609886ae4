import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accepted } from "./accepted.ts";
import { bootCluster, type Cluster } from "./boot.ts";
import { leftoversOf, processesNaming } from "./leftovers.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;
const TEST_MS = 60_000;

type Listed<T> = { readonly items: readonly T[] };
type PodRead = {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly serviceAccountName: string; readonly nodeName?: string };
  readonly status: { readonly phase: string };
};

async function podsOf(cluster: Cluster, namespace: string): Promise<readonly PodRead[]> {
  const answer = await cluster.request("GET", `/api/v1/namespaces/${namespace}/pods`);
  return (answer.body as Listed<PodRead>).items;
}

function deployment(name: string, serviceAccountName: string) {
  const labels = { app: name };
  const containers = [{ name: "main", image: "example.org/none" }];
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { serviceAccountName, containers } },
    },
  };
}

describe("one cluster", { timeout: TEST_MS }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await bootCluster({ fakeNodes: 2 });
  }, FIRST_BOOT_MS);

  afterAll(async () => {
    await cluster.stop();
    expect(await leftoversOf(cluster.stateDir, 0)).toEqual([]);
  }, TEST_MS);

  test("a Deployment's Pods are made by the real controllers and run as a real service account", async () => {
    await accepted(cluster, "POST", "/api/v1/namespaces", { body: { metadata: { name: "shop" } } });
    await accepted(cluster, "POST", "/api/v1/namespaces/shop/serviceaccounts", {
      body: { metadata: { name: "orders" } },
    });
    await accepted(cluster, "POST", "/apis/apps/v1/namespaces/shop/deployments", {
      body: deployment("orders", "orders"),
    });

    await expect.poll(() => podsOf(cluster, "shop"), { timeout: 10_000 }).toHaveLength(2);
    const pods = await podsOf(cluster, "shop");
    expect(pods.map((pod) => [pod.spec.serviceAccountName, pod.status.phase])).toEqual([
      ["orders", "Pending"],
      ["orders", "Pending"],
    ]);

    const creations = () =>
      cluster
        .auditEvents()
        .then((events) =>
          events.filter(
            ({ verb, objectRef }) =>
              verb === "create" && objectRef?.resource === "pods" && objectRef.namespace === "shop",
          ),
        );
    await expect.poll(creations).toHaveLength(2);
    const [first] = await creations();
    expect(first?.user.username).toBe("system:serviceaccount:kube-system:replicaset-controller");
    expect(first?.responseStatus?.code).toBe(201);
    expect(first?.requestObject).toMatchObject({ metadata: { generateName: expect.stringMatching(/^orders-/) } });
  });

  test("a service account acts under its own name, with a token that the server issued", async () => {
    const serviceAccount = "default/default";
    const review = { body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" }, serviceAccount };
    const self = await cluster.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review);
    expect(self.body).toMatchObject({ status: { userInfo: { username: "system:serviceaccount:default:default" } } });
    const refused = await cluster.kubectl(["get", "secrets"], { serviceAccount });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('User "system:serviceaccount:default:default" cannot list resource "secrets"');
    const file = await readFile(await cluster.kubeconfigForServiceAccount(serviceAccount), "utf8");
    expect(file).toMatch(/token: ey/);
  });

  test("a user may do what RBAC grants him and nothing else", async () => {
    const jane = { user: "jane", groups: ["developers"] };
    const before = await cluster.request("GET", "/api/v1/namespaces/default/pods", jane);
    expect(before.status).toBe(403);
    const granted = await cluster.kubectl([
      "create",
      "clusterrolebinding",
      "dev",
      "--clusterrole=view",
      "--group=developers",
    ]);
    expect(granted).toMatchObject({ code: 0, stderr: "" });
    await expect
      .poll(() => cluster.request("GET", "/api/v1/namespaces/default/pods", jane))
      .toMatchObject({ status: 200 });
    expect((await cluster.request("GET", "/api/v1/namespaces/default/secrets", jane)).status).toBe(403);
    const whoami = await cluster.kubectl(["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"], jane);
    expect(whoami.stdout).toBe("jane");
  });

  test("a node may write what is its own and nothing of another node", async () => {
    const n1 = { user: "system:node:n1", groups: ["system:nodes"] };
    const patch = { contentType: "application/merge-patch+json", body: { metadata: { labels: { rack: "a" } } } };
    expect((await cluster.request("PATCH", "/api/v1/nodes/n1", { ...n1, ...patch })).status).toBe(200);
    expect((await cluster.request("PATCH", "/api/v1/nodes/n2", { ...n1, ...patch })).status).toBe(403);
    expect(await cluster.kubeconfigForNode("n1")).toBe(await cluster.kubeconfigFor(n1.user, n1.groups));
  });

  test("an API server restarted still has its state, at the same address", async () => {
    await accepted(cluster, "POST", "/api/v1/namespaces", { body: { metadata: { name: "kept" } } });
    await cluster.restart("kube-apiserver");
    expect((await cluster.request("GET", "/api/v1/namespaces/kept")).status).toBe(200);
  });

  test("an etcd that is down is an outage, and its return ends it", async () => {
    await cluster.stopComponent("etcd");
    expect((await cluster.request("GET", "/readyz")).status).toBe(500);
    await cluster.startComponent("etcd");
    await expect.poll(() => cluster.request("GET", "/readyz"), { timeout: 20_000 }).toMatchObject({ status: 200 });
  });
});

test("two clusters stand side by side and share nothing", { timeout: TEST_MS }, async () => {
  const [one, two] = await Promise.all([
    bootCluster({ components: [] }),
    bootCluster({ components: [], audit: "off" }),
  ]);
  try {
    expect(one.url).not.toBe(two.url);
    await accepted(one, "POST", "/api/v1/namespaces", { body: { metadata: { name: "only-here" } } });
    expect((await one.request("GET", "/api/v1/namespaces/only-here")).status).toBe(200);
    expect((await two.request("GET", "/api/v1/namespaces/only-here")).status).toBe(404);
  } finally {
    const began = Date.now();
    await Promise.all([one.stop(), two.stop()]);
    expect(Date.now() - began).toBeLessThan(3_000);
  }
  expect([...(await leftoversOf(one.stateDir, 0)), ...(await leftoversOf(two.stateDir, 0))]).toEqual([]);
});

test("a component that does not start is named, with the end of its log, and nothing stays", {
  timeout: TEST_MS,
}, async () => {
  const parent = await mkdtemp(join(tmpdir(), "signet-test-"));
  try {
    const extraFlags = { "kube-apiserver": ["--no-such-flag"] };
    await expect(bootCluster({ components: [], extraFlags, parent })).rejects.toThrow(
      "kube-apiserver ended by itself; the end of its log:\nError: unknown flag: --no-such-flag",
    );
    expect(await readdir(parent)).toEqual([]);
    expect(await processesNaming(parent)).toEqual([]);
  } finally {
    await rm(parent, { recursive: true });
  }
});
