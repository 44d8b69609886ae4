import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { accepted } from "../cluster/accepted.ts";
import type { ApiAnswer } from "../cluster/api.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { type Installed, installSignet } from "../cluster/install.ts";
import { type Lag, startWatchLag } from "../cluster/lag.ts";
import { applyApproved } from "./approve.ts";
import { CONTROLLERS, type Controller, pathOf, pod } from "./objects.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;
const TEST_MS = 120_000;
const PODS = pathOf("shop", "pods");

/** Exceptions of role web, and when they end, in seconds from the start of the test. */
const EXCEPTIONS = { active: 3_000, withdrawn: 3_000, over: 5, unapproved: 3_000 } as const;

const exceptionOf = (name: keyof typeof EXCEPTIONS, start: number): string => {
  const expires = new Date(start + EXCEPTIONS[name] * 1_000).toISOString().replace(/\.\d+Z$/, "Z");
  return `{apiVersion: signet.dev/v1alpha1, kind: SegmentException, metadata: {namespace: shop, name: ${name}}, spec: {permit: {check: hostNetwork}, workloads: {role: web}, reason: an old driver, ticket: SHOP-1, expires: "${expires}"}}`;
};

const CATALOGUE = `
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: shop, name: web}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: shop, name: stray}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [shop], environment: prod, mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: web}, spec: {segment: shop, match: {serviceAccounts: [web]}}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: shop, name: lost}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: lost}, spec: {segment: shop, match: {serviceAccounts: [lost]}}}
`;

const TIER = "role.signet.dev/tier";

/** What is edited while a replica lags: a role's labels, its segment, and a role that is new. */
type PodJson = { readonly metadata: { readonly name: string; readonly labels: Json } };

const ofTier = (tier: string): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: web}, spec: {segment: shop, match: {serviceAccounts: [web]}, labels: {tier: ${tier}}}}`;

const EDITED = `
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [shop], environment: stage, mode: enforce}}
---
${ofTier("gold")}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: late}, spec: {segment: shop, match: {serviceAccounts: [late]}}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: shop, name: late}}
`;

let cluster: Cluster;
let signet: Installed;

beforeAll(async () => {
  cluster = await bootCluster({ fakeNodes: 1, audit: "off" });
  signet = await installSignet(cluster, { replicas: 1 });
  await applyApproved(cluster, CATALOGUE, "alice");
  for (const name of ["active", "withdrawn", "over"] as const)
    await applyApproved(cluster, exceptionOf(name, Date.now()), "alice", "bob");
  await applyApproved(cluster, exceptionOf("unapproved", Date.now()));
  await vi.waitFor(async () => expect(await tried(create({}, ON_HOST("active")))).toBe("stamped"), { timeout: 40_000 });
  await vi.waitFor(async () => expect(await tried(create({}, ON_HOST("withdrawn")))).toBe("stamped"), {
    timeout: 40_000,
  });
  await accepted(cluster, "POST", PODS, { body: podOf("running", {}, { nodeName: "n1" }) });
  await accepted(cluster, "POST", PODS, { body: podOf("waiting") });
  await accepted(cluster, "POST", PODS, { body: podOf("outliving", ...ON_HOST("withdrawn")) });
}, FIRST_BOOT_MS);

afterAll(async () => {
  await signet?.stop();
  await cluster?.stop();
}, TEST_MS);

type Json = Readonly<Record<string, unknown>>;
type Act = () => Promise<ApiAnswer>;

const podOf = (name: string, meta: Json = {}, spec: Json = {}): Json =>
  pod(name, meta, { serviceAccountName: "web", ...spec });

const ON_HOST = (exception: string): readonly [Json, Json] => [
  { annotations: { "signet.dev/exception": exception } },
  { hostNetwork: true },
];

/** The arguments of a Pod that differ from an ordinary one of role web. */
const create = (meta: Json = {}, specOrBoth: Json | readonly [Json, Json] = {}): Act => {
  const [more, spec] = Array.isArray(specOrBoth) ? (specOrBoth as readonly [Json, Json]) : [{}, specOrBoth as Json];
  return () => cluster.request("POST", `${PODS}?dryRun=All`, { body: podOf("new", { ...meta, ...more }, spec) });
};

const contained = (securityContext: Json): Json => ({
  containers: [{ name: "main", image: "example.org/none", securityContext }],
});

const patch =
  (path: string, body: unknown, kind: "merge" | "strategic-merge" | "json" | "apply", who: Json = {}): Act =>
  () => {
    const apply = kind === "apply";
    const contentType = apply ? "application/apply-patch+yaml" : `application/${kind}-patch+json`;
    const query = apply ? "?dryRun=All&fieldManager=test&force=true" : "?dryRun=All";
    return cluster.request("PATCH", `${PODS}/${path}${query}`, {
      body: apply ? JSON.stringify(body) : body,
      contentType,
      ...who,
    });
  };

const post =
  (path: string, body: Json): Act =>
  () =>
    cluster.request("POST", `${path}?dryRun=All`, { body });

/** What came of it: `stamped`, another success, or the code or words of the refusal. */
async function tried(act: Act): Promise<string> {
  const { status, body } = await act();
  if (status >= 300) return refusalOf(status, (body as { readonly message?: string }).message ?? "");
  const { labels } = (body as { readonly metadata?: { readonly labels?: Json } }).metadata ?? {};
  if (labels?.["signet.dev/segment"] !== "shop") return "passes";
  return labels["signet.dev/role"] === "web" ? "stamped" : String(labels["signet.dev/role"]);
}

const codesOf = (message: string): string =>
  [...new Set([...message.matchAll(/\[([A-Z_]+)\]/g)].map(([, code]) => code))].join(" ");

const refusalOf = (status: number, message: string): string =>
  codesOf(message) ||
  (message.includes("failed calling webhook") ? "unanswered" : message.includes("signet") ? "guarded" : `${status}`);

const forgedLabel = { metadata: { labels: { "signet.dev/role": "other" } } };
const forgedId = { annotations: { "signet.dev/spiffe-id": "spiffe://example.org/ns/shop/sa/other" } };
const applied = (meta: Json, name = "applied"): Json => ({ apiVersion: "v1", kind: "Pod", ...podOf(name, meta) });
const binding = (meta: Json): Json => ({
  apiVersion: "v1",
  kind: "Binding",
  metadata: { name: "waiting", ...meta },
  target: { apiVersion: "v1", kind: "Node", name: "n1" },
});
const debug = (securityContext: Json): Json => ({
  spec: { ephemeralContainers: [{ name: "debug", image: "example.org/none", securityContext }] },
});
const resized = { spec: { containers: [{ name: "main", resources: { requests: { cpu: "2m" } } }] } };
const NODE = { user: "system:node:n1", groups: ["system:nodes"] };
const gone = "unanswered";

/** What somebody tries; what comes of it while Signet answers, and while nobody does. */
const ROWS: readonly (readonly [what: string, act: Act, up: string, down: string])[] = [
  ["a Pod of a role", create(), "stamped", gone],
  ["with a name to be made", create({ name: undefined, generateName: "web-" }), "stamped", gone],
  [
    "with labels and annotations of its own",
    create({ labels: { app: "web" }, annotations: { a: "b" } }),
    "stamped",
    gone,
  ],
  ["of an account without a role", create({}, { serviceAccountName: "stray" }), "ROLE_NONE", gone],
  ["that claims another role by label", create(forgedLabel.metadata), "ROLE_NOT_ENTITLED", gone],
  ["that brings an identity", create(forgedId), "stamped", gone],
  ["on its node's network", create({}, { hostNetwork: true }), "HOST_NETWORK", gone],
  ["that sees its node's processes", create({}, { hostPID: true }), "HOST_PID", gone],
  ["that shares its node's IPC", create({}, { hostIPC: true }), "HOST_IPC", gone],
  ["with a path of its node", create({}, { volumes: [{ name: "a", hostPath: { path: "/run" } }] }), "HOST_PATH", gone],
  ["that is privileged", create({}, contained({ privileged: true })), "PRIVILEGED", gone],
  [
    "with an added capability",
    create({}, contained({ capabilities: { add: ["NET_ADMIN"] } })),
    "CAPABILITY_ADDED",
    gone,
  ],
  ["for Windows", create({}, { os: { name: "windows" } }), "stamped", gone],
  [
    "with a native sidecar",
    create({}, { initContainers: [{ name: "side", image: "example.org/none", restartPolicy: "Always" }] }),
    "stamped",
    gone,
  ],
  [
    "whose sidecar is privileged",
    create(
      {},
      {
        initContainers: [
          { name: "side", image: "a/b", restartPolicy: "Always", securityContext: { privileged: true } },
        ],
      },
    ),
    "PRIVILEGED",
    gone,
  ],
  ["with an exception that holds", create({}, ON_HOST("active")), "stamped", gone],
  ["with one that nobody approved", create({}, ON_HOST("unapproved")), "HOST_NETWORK EXCEPTION_UNAPPROVED", gone],
  ["with one that is not there", create({}, ON_HOST("none")), "HOST_NETWORK EXCEPTION_MISSING", gone],
  ["created by server-side apply", patch("applied", applied({}), "apply"), "stamped", gone],
  [
    "a label taken over by server-side apply",
    patch("running", applied(forgedLabel.metadata, "running"), "apply"),
    "guarded",
    "guarded",
  ],
  ["a label changed by merge patch", patch("running", forgedLabel, "merge"), "guarded", "guarded"],
  ["by strategic merge patch", patch("running", forgedLabel, "strategic-merge"), "guarded", "guarded"],
  [
    "removed by JSON patch",
    patch("running", [{ op: "remove", path: "/metadata/labels/signet.dev~1role" }], "json"),
    "guarded",
    "guarded",
  ],
  ["changed in its status", patch("running/status", forgedLabel, "merge"), "guarded", "guarded"],
  [
    "an annotation changed in its status",
    patch("running/status", { metadata: forgedId }, "merge"),
    "guarded",
    "guarded",
  ],
  ["by its node", patch("running/status", { metadata: forgedId }, "merge", NODE), "guarded", "guarded"],
  ["brought by a binding", post(`${PODS}/waiting/binding`, binding(forgedLabel.metadata)), "guarded", "guarded"],
  ["brought by a binding of old", post(pathOf("shop", "bindings"), binding(forgedId)), "guarded", "guarded"],
  ["a binding without", post(`${PODS}/waiting/binding`, binding({})), "passes", "passes"],
  ["a label of its own", patch("running", { metadata: { labels: { app: "other" } } }, "merge"), "stamped", gone],
  ["a note of its own", patch("running", { metadata: { annotations: { a: "b" } } }, "merge"), "stamped", "stamped"],
  ["an ephemeral container", patch("running/ephemeralcontainers", debug({}), "strategic-merge"), "stamped", gone],
  [
    "one that is privileged",
    patch("running/ephemeralcontainers", debug({ privileged: true }), "strategic-merge"),
    "PRIVILEGED",
    gone,
  ],
  ["a resize", patch("running/resize", resized, "strategic-merge"), "stamped", gone],
  ["a deletion", () => cluster.request("DELETE", `${PODS}/running?dryRun=All`), "stamped", "stamped"],
];

const outcomes = async (): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries(await Promise.all(ROWS.map(async ([what, act]) => [what, await tried(act)] as const)));

test("with Signet answering, each thing that somebody may try", { timeout: TEST_MS }, async () => {
  expect(await outcomes()).toEqual(Object.fromEntries(ROWS.map(([what, , up]) => [what, up])));
});

test("exec is nobody's concern: its answer is the node's, which is not there", { timeout: TEST_MS }, async () => {
  const answer = await cluster.request("POST", `${PODS}/running/exec?command=ls&stdout=true`);
  expect(JSON.stringify(answer.body)).not.toContain("signet");
});

describe("controllers", { timeout: TEST_MS }, () => {
  const accountOf = (spec: Json, account: string): Json =>
    JSON.parse(
      JSON.stringify(spec).replaceAll('"containers":', `"serviceAccountName":"${account}","containers":`),
    ) as Json;
  const bodyOf = (resource: Controller, name: string, account: string): Json => {
    const { spec } = CONTROLLERS[resource];
    const schedule = resource === "cronjobs" ? { schedule: "* * * * *" } : {};
    const replicas = "replicas" in spec ? { replicas: 1 } : {};
    return { metadata: { name }, spec: accountOf({ ...spec, ...replicas, ...schedule }, account) };
  };
  const made = (resource: Controller, name: string, account: string): Promise<unknown> =>
    accepted(cluster, "POST", pathOf("shop", resource), { body: bodyOf(resource, name, account) });
  type Listed = { readonly metadata: { readonly name: string; readonly labels: Json } };
  const podsOf = async (prefix: string): Promise<readonly unknown[]> => {
    const { body } = await cluster.request("GET", PODS);
    const { items } = body as { readonly items: readonly Listed[] };
    return items
      .filter(({ metadata }) => metadata.name.startsWith(prefix))
      .map(({ metadata }) => metadata.labels["signet.dev/role"]);
  };

  test.each(["deployments", "statefulsets", "daemonsets", "jobs", "cronjobs", "replicasets"] as const)(
    "%s bring Pods that are stamped",
    async (resource) => {
      await made(resource, `${resource}-x`, "web");
      await expect.poll(() => podsOf(`${resource}-x`), { timeout: 90_000 }).toEqual(["web"]);
      await accepted(cluster, "DELETE", `${pathOf("shop", resource, `${resource}-x`)}?propagationPolicy=Background`);
    },
  );

  test("a template without a role is refused when it is applied, in words", async () => {
    const body = bodyOf("deployments", "stray", "stray");
    expect(await cluster.request("POST", pathOf("shop", "deployments"), { body })).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining("ROLE_NONE") },
    });
  });

  test("the owner of refused Pods, and the Deployment behind it, are told why", async () => {
    await made("deployments", "losing", "lost");
    await expect.poll(() => podsOf("losing-"), { timeout: 30_000 }).toEqual(["lost"]);
    await accepted(cluster, "DELETE", "/apis/signet.dev/v1alpha1/workloadroles/lost");
    const another = create({}, { serviceAccountName: "lost" });
    await vi.waitFor(async () => expect(await tried(another)).toBe("ROLE_NONE"), { timeout: 30_000 });
    await accepted(cluster, "DELETE", `${PODS}?labelSelector=signet.dev%2Frole%3Dlost`);
    const told = async (): Promise<readonly string[]> => {
      const { body } = await cluster.request("GET", "/apis/events.k8s.io/v1/namespaces/shop/events");
      type Event = { readonly reason: string; readonly regarding: { readonly kind: string; readonly name: string } };
      const { items } = body as { readonly items: readonly Event[] };
      return items
        .filter(({ reason, regarding }) => reason === "RoleNone" && regarding.name.startsWith("losing"))
        .map(({ regarding }) => regarding.kind);
    };
    await expect.poll(told, { timeout: 30_000 }).toEqual(expect.arrayContaining(["Deployment", "ReplicaSet"]));
  });
});

test("an exception whose time is over refuses", { timeout: TEST_MS }, async () => {
  const next = create({}, ON_HOST("over"));
  await expect.poll(() => tried(next), { timeout: 60_000 }).toBe("HOST_NETWORK EXCEPTION_EXPIRED");
});

test("one that was withdrawn refuses the next Pod, and says which one outlived it", { timeout: TEST_MS }, async () => {
  const path = "/apis/signet.dev/v1alpha1/namespaces/shop/segmentexceptions/withdrawn";
  await accepted(cluster, "PATCH", `${path}/status`, {
    user: "alice",
    groups: ["system:masters"],
    contentType: "application/json-patch+json",
    body: [{ op: "add", path: "/status/approvals/-", value: { generation: 1, by: "alice", withdraw: true } }],
  });
  const condition = { type: "RunningBeyondEnd", status: "True", message: expect.stringContaining("outliving") };
  await expect
    .poll(() => cluster.request("GET", path), { timeout: 60_000 })
    .toMatchObject({ body: { status: { conditions: expect.arrayContaining([expect.objectContaining(condition)]) } } });
  expect(await tried(create({}, ON_HOST("withdrawn")))).toBe("HOST_NETWORK EXCEPTION_UNAPPROVED");
  const told = async (): Promise<readonly unknown[]> => {
    const { body } = await cluster.request("GET", "/apis/events.k8s.io/v1/namespaces/shop/events");
    const { items } = body as { readonly items: readonly { readonly reason: string; readonly regarding: Json }[] };
    return items
      .filter(({ reason, regarding }) => reason === "ExceptionUnapproved" && regarding["kind"] === "Pod")
      .map(({ regarding }) => regarding["name"]);
  };
  await expect.poll(told, { timeout: 30_000 }).toContain("outliving");
});

describe("while the watches of one replica of two stand still", { timeout: TEST_MS }, () => {
  let lag: Lag;
  const metrics = () => Promise.all(signet.replicas().map((replica) => replica.metrics()));
  const revisions = async () =>
    new Set((await metrics()).map((text) => /signet_catalogue_info\{revision="(\w+)"/.exec(text)?.[1])).size;
  const answered = async () =>
    (await metrics()).map((text) =>
      [...text.matchAll(/^signet_reviews_total\{[^}]*\} (\d+)/gm)].reduce((sum, [, count]) => sum + Number(count), 0),
    );
  const PATIENCE = { timeout: 30_000, interval: 100 };
  const ofNewRole = async () =>
    new Set(await Promise.all(Array.from({ length: 12 }, () => tried(create({}, { serviceAccountName: "late" })))));

  beforeAll(async () => {
    lag = await startWatchLag(cluster, await cluster.kubeconfigForServiceAccount("signet-system/signet"));
    await signet.add(lag.kubeconfig);
    signet.reconnect();
    await vi.waitFor(async () => expect(await revisions()).toBe(1), PATIENCE);
    lag.freeze();
    await applyApproved(cluster, EDITED, "alice");
    await vi.waitFor(async () => expect(await tierGiven()).toContain("gold"), PATIENCE);
    expect(await revisions()).toBe(2);
  }, TEST_MS);

  afterAll(() => lag?.close());

  /** The tiers that new Pods are stamped with, whichever replica is asked. */
  async function tierGiven(): Promise<readonly unknown[]> {
    const made = await Promise.all(Array.from({ length: 8 }, create()));
    return made.map(
      ({ body }) => (body as { readonly metadata?: { readonly labels?: Json } }).metadata?.labels?.[TIER],
    );
  }

  test("whatever is fair passes and whatever is not is refused, by either", async () => {
    const before = await answered();
    for (let round = 0; round < 3; round += 1)
      expect(await outcomes()).toEqual(Object.fromEntries(ROWS.map(([what, , up]) => [what, up])));
    expect((await answered()).map((count, index) => count > (before[index] ?? 0))).toEqual([true, true]);
  });

  test("a role that one of them does not know yet stamps nobody whom the other would refuse", async () => {
    for (const outcome of await ofNewRole()) expect(["late", "ROLE_NONE", "STAMP_MISSING"]).toContain(outcome);
  });

  test("Pods that the older definitions stamped come to hold the newer ones", async () => {
    const made = new Map<string, unknown>();
    let newest = "gold";
    // A replica that meets a newer stamp reads the role anew: it lags from an edit until then, and only where it is asked.
    for (let edit = 0; [...made.values()].every((tier) => tier === newest); edit += 1) {
      newest = `gold-${edit}`;
      signet.reconnect();
      await applyApproved(cluster, ofTier(newest), "alice");
      const names = Array.from({ length: 8 }, (_, count) => `lagging-${edit}-${count}`);
      const pods = await Promise.all(
        names.map((name) => accepted(cluster, "POST", PODS, { body: podOf(name) }) as Promise<PodJson>),
      );
      made.clear();
      for (const { metadata } of pods) made.set(metadata.name, metadata.labels[TIER]);
    }
    const held = async () => {
      const { body } = await cluster.request("GET", PODS);
      const { items } = body as { readonly items: readonly PodJson[] };
      return items.filter(({ metadata }) => made.has(metadata.name)).map((pod) => pod.metadata.labels[TIER]);
    };
    lag.thaw();
    await vi.waitFor(async () => expect(await revisions()).toBe(1), PATIENCE);
    await vi.waitFor(async () => expect(await ofNewRole()).toEqual(new Set(["late"])), PATIENCE);
    await vi.waitFor(async () => expect(await held()).toEqual([...made].map(() => newest)), PATIENCE);
  });
});

test("with nobody answering, each thing that somebody may try", { timeout: TEST_MS }, async () => {
  for (const replica of signet.replicas()) await replica.end("SIGKILL");
  expect(await outcomes()).toEqual(Object.fromEntries(ROWS.map(([what, , , down]) => [what, down])));
});
