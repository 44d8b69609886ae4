import { mkdtemp, readFile, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { HELPER_SEGMENT, helperRole, HELPERS } from "../../src/wire/manifests/helper-roles.ts";
import { HELPER_PODS, helperPodBody } from "../fakes/helper-pods.ts";
import { signet as command } from "../fakes/io.ts";
import { accepted, kubectlDone } from "../cluster/accepted.ts";
import type { ApiAnswer } from "../cluster/api.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { VIRT_CONTROLLERS } from "../../src/wire/manifests/names.ts";
import { type Installed, installSignet } from "../cluster/install.ts";
import { type Lag, startLag } from "../cluster/lag.ts";
import type { Replica } from "../cluster/replica.ts";
import { applyApproved } from "./approve.ts";
import { permit } from "./enforcing.ts";
import { type Body, pathOf } from "./objects.ts";
import {
  instanceOf,
  launcherOf,
  type Live,
  VIRT_CONTROLLER,
  VIRT_CONTROLLER_RULES,
  virtualMachine,
} from "./play-kubevirt.ts";
import { blocksOf, runScript } from "./runbook.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;
const TEST_MS = 120_000;
const PATIENCE = { timeout: 30_000, interval: 100 };
const CRDS = join(import.meta.dirname, "..", "conformance", "data", "crds", "kubevirt");
/** Group → kinds; those of KubeVirt's own group are v1, the others v1beta1. */
const KINDS = [
  ["kubevirt.io", "virtualmachines"],
  ["kubevirt.io", "virtualmachineinstances"],
  ["kubevirt.io", "virtualmachineinstancemigrations"],
  ["pool.kubevirt.io", "virtualmachinepools"],
  ["instancetype.kubevirt.io", "virtualmachineinstancetypes"],
  ["instancetype.kubevirt.io", "virtualmachinepreferences"],
  ["snapshot.kubevirt.io", "virtualmachinesnapshots"],
  ["snapshot.kubevirt.io", "virtualmachinerestores"],
  ["clone.kubevirt.io", "virtualmachineclones"],
] as const;

const catalogue = (tier: string) => `
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: payments}, spec: {environment: prod, classification: pci, namespaces: [payments], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: orders-db}, spec: {segment: payments, match: {serviceAccounts: [orders-db], kinds: [VirtualMachine]}, labels: {tier: ${tier}}}}
---
${JSON.stringify(HELPERS["kubevirt"]?.roles.filter(({ name }) => name === "kubevirt-hotplug").map(helperRole)[0]).replace(HELPER_SEGMENT, "payments")}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: ledger}, spec: {segment: payments, match: {serviceAccounts: [ledger]}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: cache-red}, spec: {segment: payments, match: {serviceAccounts: [cache], podLabels: {matchLabels: {colour: red}}}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: cache-blue}, spec: {segment: payments, match: {serviceAccounts: [cache], podLabels: {matchLabels: {colour: blue}}}}}
`;

let cluster: Cluster;
let signet: Installed;
let lag: Lag;

beforeAll(async () => {
  cluster = await bootCluster({ components: [], audit: "off", fakeNodes: 2 });
  await Promise.all(KINDS.map(([group, plural]) => installed(group, plural)));
  for (const name of ["payments", "kubevirt", "other"]) {
    await made("/api/v1/namespaces", { metadata: { name } });
    await made(pathOf(name, "serviceaccounts"), { metadata: { name: "default" } });
  }
  for (const name of ["orders-db", "ledger", "cache"])
    await made(pathOf("payments", "serviceaccounts"), { metadata: { name } });
  await made(pathOf("default", "serviceaccounts"), { metadata: { name: "default" } });
  await made(pathOf("kubevirt", "serviceaccounts"), { metadata: { name: "kubevirt-controller" } });
  await permit(cluster, "kubevirt-controller", [VIRT_CONTROLLER], VIRT_CONTROLLER_RULES);
  signet = await installSignet(cluster, {
    components: ["kubevirt"],
    config: { cluster: { virtControllers: [VIRT_CONTROLLERS.kubevirt] } },
  });
  lag = await startLag(await cluster.kubeconfigForServiceAccount("signet-system/signet"));
  await signet.add(lag.kubeconfig);
  await applyApproved(cluster, catalogue("data"), "alice");
  await merge("/api/v1/namespaces/payments", { metadata: { labels: { "signet.dev/enrol": "true" } } });
  await vi.waitFor(async () => expect(await tierGiven()).toBe("data"), PATIENCE);
  await vi.waitFor(async () => expect(await rolesKnown()).toEqual([ROLES, ROLES]), PATIENCE);
  await vi.waitFor(async () => expect(new Set(await revisions()).size).toBe(1), PATIENCE);
}, FIRST_BOOT_MS);

/** How many roles of the catalogue each replica knows. */
const rolesKnown = (): Promise<readonly number[]> =>
  Promise.all(
    signet
      .replicas()
      .map(async (replica) =>
        Number(/signet_catalogue_objects\{[^}]*"roles"\} (\d+)/.exec(await replica.metrics())?.[1]),
      ),
  );
const ROLES = catalogue("data").match(/WorkloadRole/g)?.length ?? 0;

afterAll(async () => {
  lag?.close();
  await signet?.stop();
  await cluster?.stop();
}, TEST_MS);

async function installed(group: string, plural: string): Promise<void> {
  const body: Body = parse(await readFile(join(CRDS, `${group}_${plural}.yaml`), "utf8"));
  await made("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body);
  const path = `/apis/${group}/${group === "kubevirt.io" ? "v1" : "v1beta1"}/${plural}`;
  await vi.waitFor(async () => expect(await cluster.request("GET", path)).toMatchObject({ status: 200 }), PATIENCE);
}

const made = (path: string, body: object): Promise<unknown> => accepted(cluster, "POST", path, { body });

const MERGE = "application/merge-patch+json";
const merge = (path: string, body: object): Promise<unknown> =>
  accepted(cluster, "PATCH", path, { body, contentType: MERGE });

const revisions = (): Promise<readonly (string | undefined)[]> =>
  Promise.all(
    signet
      .replicas()
      .map(async (replica) => /signet_catalogue_info\{revision="(\w+)"/.exec(await replica.metrics())?.[1]),
  );

/** The tier that a new machine of the role would be stamped with. */
async function tierGiven(): Promise<string | undefined> {
  const body = virtualMachine("probe", { serviceAccountName: "orders-db" });
  const answer = await cluster.request("POST", `${pathOf("payments", "virtualmachines")}?dryRun=All`, { body });
  return answer.status === 201 ? (answer.body as Live).metadata.labels?.["role.signet.dev/tier"] : undefined;
}

const machines = pathOf("payments", "virtualmachines");
const instances = pathOf("payments", "virtualmachineinstances");
const pods = pathOf("payments", "pods");

const byVirtController = (path: string, body: Body): Promise<ApiAnswer> =>
  cluster.request("POST", path, { body, ...VIRT_CONTROLLER });

/** The object that was made, or a failed test that says why there is none. */
async function live<T extends Live>(answering: Promise<ApiAnswer>): Promise<T> {
  const answer = await answering;
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 201 });
  return answer.body as T;
}

type Machine = Live & Parameters<typeof instanceOf>[0];

/** A machine as a team applies it, and its instance and launcher as KubeVirt makes them of it. */
async function start(name: string, account: string) {
  const body = virtualMachine(name, { serviceAccountName: account });
  const machine = await live<Machine>(cluster.request("POST", machines, { body }));
  const instance = await live<Live & Instance>(byVirtController(instances, instanceOf(machine)));
  const launcher = await live(byVirtController(pods, launcherOf(instance)));
  return { machine, instance, launcher };
}

type Instance = Parameters<typeof launcherOf>[0];

/** What an object holds: the labels and annotations under Signet's prefixes. */
const stampOf = ({ metadata: { labels = {}, annotations = {} } }: Live) =>
  Object.fromEntries(
    Object.entries({ ...labels, ...annotations }).filter(([key]) => /^(role\.)?signet\.dev\//.test(key)),
  );

const identityOf = (object: Live) => {
  const stamp = stampOf(object);
  return [stamp["signet.dev/role"], stamp["signet.dev/segment"], stamp["signet.dev/spiffe-id"]];
};

const ORDERS_DB = ["orders-db", "payments", "spiffe://example.org/ns/payments/sa/orders-db"];

test("a machine, its instance and its launcher hold one role, segment and identity", async () => {
  const { machine, instance, launcher } = await start("orders", "orders-db");
  expect([machine, instance, launcher].map(identityOf)).toEqual([ORDERS_DB, ORDERS_DB, ORDERS_DB]);
  expect(stampOf(machine)).toMatchObject({
    "signet.dev/environment": "prod",
    "signet.dev/classification": "pci",
    "role.signet.dev/tier": "data",
  });
  expect([stampOf(instance), stampOf(launcher)]).toEqual([stampOf(machine), stampOf(machine)]);
});

test("the Pod that attaches a hot-plugged disk holds the role that is shipped for it, and nobody else creates one", async () => {
  const { launcher } = await start("plugged", "orders-db");
  const [attachment] = HELPER_PODS;
  if (!attachment) throw new Error("no helper is played");
  const body = helperPodBody(attachment, launcher.metadata.uid);
  const pod = await live(byVirtController(pods, body));
  expect(identityOf(pod)).toEqual(["kubevirt-hotplug", "payments", "spiffe://example.org/ns/payments/sa/default"]);
  expect(await cluster.request("POST", pods, { body })).toMatchObject({ status: 403 });
});

test("a network plugged into a machine that runs is refused, for the machine and for its instance", async () => {
  const { machine, instance } = await start("wired", "orders-db");
  const networks = [
    { name: "default", pod: {} },
    { name: "lan", multus: { networkName: "lan" } },
  ];
  const interfaces = [
    { name: "default", masquerade: {} },
    { name: "lan", bridge: {} },
  ];
  const plugged = { networks, domain: { devices: { interfaces } } };
  const patch = (path: string, body: object, who = {}) =>
    cluster.request("PATCH", path, { body, contentType: MERGE, ...who });
  const refused = { status: 403, body: { message: expect.stringContaining("[UNCOVERED_INTERFACE]") } };
  expect(await patch(`${machines}/${machine.metadata.name}`, { spec: { template: { spec: plugged } } })).toMatchObject(
    refused,
  );
  const path = `${instances}/${instance.metadata.name}`;
  expect(await patch(path, { spec: plugged }, VIRT_CONTROLLER)).toMatchObject(refused);
  const stopped = await patch(`${machines}/${machine.metadata.name}`, { spec: { runStrategy: "Halted" } });
  expect(stopped).toMatchObject({ status: 200 });
});

test("a machine that names no account is refused, with the sentence that mends it for each KubeVirt", async () => {
  const answer = await cluster.request("POST", machines, { body: virtualMachine("plain", {}) });
  expect(answer).toMatchObject({
    status: 403,
    body: {
      message: [
        'admission webhook "machines.enrolled.signet.dev" denied the request: No role fits account payments/default. [ROLE_NONE]',
        "  Name a service account. KubeVirt 1.9 and later: spec.template.spec.serviceAccountName: cache, ledger, orders-db. Before: a volume with serviceAccount: {serviceAccountName: cache, ledger, orders-db} in spec.template.spec.volumes, and a disk or filesystem of its name.",
      ].join("\n"),
    },
  });
});

describe("what stands around machines", () => {
  const of = (group: string, plural: string) => `/apis/${group}.kubevirt.io/v1beta1/namespaces/payments/${plural}`;
  const object = (group: string, kind: string, name: string, spec: Body): Body => ({
    apiVersion: `${group}.kubevirt.io/v1beta1`,
    kind,
    metadata: { name },
    spec,
  });
  const pool = (name: string, spec: Body, labels: Body = {}): Body => {
    const { spec: template } = virtualMachine(name, spec, { pool: name, ...labels }) as { readonly spec: Body };
    return object("pool", "VirtualMachinePool", name, {
      replicas: 2,
      selector: { matchLabels: { pool: name } },
      virtualMachineTemplate: { metadata: { labels: { pool: name } }, spec: template },
    });
  };
  const pools = of("pool", "virtualmachinepools");

  test("a pool is judged early, and its template left alone", async () => {
    const made = await live<Live & { readonly spec: object }>(
      cluster.request("POST", pools, { body: pool("many", { serviceAccountName: "orders-db" }) }),
    );
    expect([stampOf(made), JSON.stringify(made.spec).includes("signet.dev/")]).toEqual([{}, false]);
    expect(await cluster.request("POST", pools, { body: pool("plain", {}) })).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining("No role fits account payments/default. [ROLE_NONE]") },
    });
    const forged = pool("forged", { serviceAccountName: "orders-db" }, { "signet.dev/role": "ledger" });
    expect(await cluster.request("POST", pools, { body: forged })).toMatchObject({ status: 403 });
    const scaled = await cluster.request("PATCH", `${pools}/many/scale`, {
      body: { spec: { replicas: 3 } },
      contentType: MERGE,
    });
    expect(scaled).toMatchObject({ status: 200 });
  });

  test("the machines that a pool's controller makes hold the role of the template", async () => {
    const owner = (await cluster.request("GET", `${pools}/many`)).body as Live & {
      readonly spec: { readonly virtualMachineTemplate: { readonly metadata: Body; readonly spec: Body } };
    };
    const { metadata, spec } = owner.spec.virtualMachineTemplate;
    const { uid, name } = owner.metadata;
    const reference = {
      apiVersion: "pool.kubevirt.io/v1beta1",
      kind: "VirtualMachinePool",
      name,
      uid,
      controller: true,
    };
    const body = {
      apiVersion: "kubevirt.io/v1",
      kind: "VirtualMachine",
      metadata: { ...metadata, name: "many-0", ownerReferences: [reference] },
      spec,
    };
    const machine = await live<Machine>(byVirtController(machines, body));
    const instance = await live<Live & Instance>(byVirtController(instances, instanceOf(machine)));
    const launcher = await live(byVirtController(pods, launcherOf(instance)));
    expect([machine, instance, launcher].map(identityOf)).toEqual([ORDERS_DB, ORDERS_DB, ORDERS_DB]);
  });

  test("instance types, preferences, snapshots, restores and clones are asked about by nobody", async () => {
    const before = await Promise.all(signet.replicas().map(answered));
    const source = { apiGroup: "kubevirt.io", kind: "VirtualMachine", name: "orders" };
    const target = { apiGroup: "kubevirt.io", kind: "VirtualMachine", name: "orders-copy" };
    for (const [group, plural, body] of [
      [
        "instancetype",
        "virtualmachineinstancetypes",
        object("instancetype", "VirtualMachineInstancetype", "small", { cpu: { guest: 1 }, memory: { guest: "64Mi" } }),
      ],
      ["instancetype", "virtualmachinepreferences", object("instancetype", "VirtualMachinePreference", "linux", {})],
      ["snapshot", "virtualmachinesnapshots", object("snapshot", "VirtualMachineSnapshot", "before", { source })],
      [
        "snapshot",
        "virtualmachinerestores",
        object("snapshot", "VirtualMachineRestore", "back", { target, virtualMachineSnapshotName: "before" }),
      ],
      ["clone", "virtualmachineclones", object("clone", "VirtualMachineClone", "copy", { source, target })],
    ] as const)
      await live(cluster.request("POST", of(group, plural), { body }));
    expect(await Promise.all(signet.replicas().map(answered))).toEqual(before);
  });

  test("a machine of an instance type holds the role of its account, which no instance type names", async () => {
    const { spec } = virtualMachine("sized", { serviceAccountName: "orders-db" }) as { readonly spec: Body };
    const { template } = spec as { readonly template: { readonly metadata: Body; readonly spec: Body } };
    const { domain: _sized, ...rest } = template.spec;
    const body = {
      ...virtualMachine("sized", {}),
      spec: {
        runStrategy: "Always",
        instancetype: { kind: "virtualmachineinstancetype", name: "small" },
        preference: { kind: "virtualmachinepreference", name: "linux" },
        template: { ...template, spec: { ...rest, domain: { devices: {} } } },
      },
    };
    const machine = await live<Machine>(cluster.request("POST", machines, { body }));
    const expanded = instanceOf(machine) as WithMetadata & { readonly spec: Body };
    const annotations = {
      "kubevirt.io/instancetype-name": "small",
      "kubevirt.io/preference-name": "linux",
    };
    const instance = await live<Live & Instance>(
      byVirtController(instances, {
        ...expanded,
        metadata: { ...expanded.metadata, annotations },
        spec: { ...expanded.spec, domain: { cpu: { sockets: 1 }, memory: { guest: "64Mi" }, devices: {} } },
      }),
    );
    expect([machine, instance].map(identityOf)).toEqual([ORDERS_DB, ORDERS_DB]);
  });

  test("a clone is not the original: what it copied of a stamp is replaced, and its launcher is its own", async () => {
    const { body } = await cluster.request("GET", `${machines}/orders`);
    const original = body as Machine & { readonly metadata: { readonly labels: Body; readonly annotations: Body } };
    const { labels, annotations } = original.metadata;
    const { spec } = original as Machine & { readonly spec: Body };
    const copied = (name: string, account: string): Body => ({
      apiVersion: "kubevirt.io/v1",
      kind: "VirtualMachine",
      metadata: { name, labels, annotations },
      spec: { ...spec, template: { ...spec.template, spec: { ...spec.template.spec, serviceAccountName: account } } },
    });
    const restored = await live<Machine>(byVirtController(machines, copied("orders-copy", "orders-db")));
    expect(identityOf(restored)).toEqual(ORDERS_DB);
    const clone = await live<Machine>(byVirtController(machines, copied("ledger-copy", "ledger")));
    expect([stampOf(clone)["signet.dev/role"], stampOf(clone)["role.signet.dev/tier"]]).toEqual(["ledger", undefined]);
    const mine = await live<Live & Instance>(byVirtController(instances, instanceOf(clone)));
    const theirs = (await cluster.request("GET", `${instances}/orders`)).body as Live & Instance;
    expect(identityOf(await live(byVirtController(pods, launcherOf(mine))))[0]).toBe("ledger");
    expect(await byVirtController(pods, ownedBy(launcherOf(theirs), launcherOf(mine)))).toMatchObject({ status: 403 });
  });

  test("a label that would make a running instance another role is refused; in the template it waits for the next start", async () => {
    const body = virtualMachine("hot", { serviceAccountName: "cache" }, { colour: "red" });
    const machine = await live<Machine>(cluster.request("POST", machines, { body }));
    const instance = await live<Live & Instance>(byVirtController(instances, instanceOf(machine)));
    const launcher = await live(byVirtController(pods, launcherOf(instance)));
    expect([machine, instance, launcher].map((one) => identityOf(one)[0])).toEqual([
      "cache-red",
      "cache-red",
      "cache-red",
    ]);
    const blue = { metadata: { labels: { colour: "blue" } } };
    const patch = (path: string, change: object, who = {}) =>
      cluster.request("PATCH", path, { body: change, contentType: MERGE, ...who });
    expect(await patch(`${instances}/hot`, blue, VIRT_CONTROLLER)).toMatchObject({ status: 403 });
    // A launcher goes by its instance, whatever its own labels say; virt-controller writes there which Pods those are.
    const running = { status: { activePods: { [launcher.metadata.uid]: "node-1" } } };
    expect(await patch(`${instances}/hot`, running, VIRT_CONTROLLER)).toMatchObject({ status: 200 });
    const relabelled = () => patch(`${pods}/${launcher.metadata.name}`, blue);
    await vi.waitFor(async () => expect(await relabelled()).toMatchObject({ status: 200 }), PATIENCE);
    const template = await patch(`${machines}/hot`, { spec: { template: blue } });
    expect(template).toMatchObject({ status: 200 });
    expect(identityOf(template.body as Live)[0]).toBe("cache-blue");
    const held = async (path: string) => identityOf((await cluster.request("GET", path)).body as Live)[0];
    expect([await held(`${instances}/hot`), await held(`${pods}/${launcher.metadata.name}`)]).toEqual([
      "cache-red",
      "cache-red",
    ]);
  });

  test("a drain evicts launchers, and nobody is asked", async () => {
    const { launcher } = await start("drained", "orders-db");
    const before = await Promise.all(signet.replicas().map(answered));
    expect(await evicted(launcher)).toMatchObject({ status: 201 });
    expect(await Promise.all(signet.replicas().map(answered))).toEqual(before);
  });
});

/** What a drain asks of the API server for each Pod. */
const evicted = ({ metadata: { name } }: Live): Promise<ApiAnswer> =>
  cluster.request("POST", `${pods}/${name}/eviction`, {
    body: { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace: "payments" } },
  });

describe("what gives itself out as a launcher", () => {
  let owned: { readonly mine: Live & Instance; readonly other: Live & Instance };
  beforeAll(async () => {
    const mine = (await start("mine", "ledger")).instance;
    owned = { mine, other: (await start("other", "orders-db")).instance };
  }, TEST_MS);

  /** A launcher's Pod with one thing about it that is not a launcher's, who creates it, and what is said. */
  const FORGERIES: readonly (readonly [
    string,
    () => Body,
    { readonly user?: string } | typeof VIRT_CONTROLLER,
    string,
  ])[] = [
    ["another creator", () => launcherOf(owned.mine), {}, "only KubeVirt's virt-controller creates launchers."],
    [
      "another service account called like the virt-controller's",
      () => launcherOf(owned.mine),
      { user: "system:serviceaccount:payments:kubevirt-controller" },
      "only KubeVirt's virt-controller creates launchers.",
    ],
    [
      "copied labels",
      () => without(launcherOf(owned.mine), "ownerReferences"),
      {},
      "only KubeVirt's virt-controller creates launchers.",
    ],
    [
      "labels and no controller",
      () => without(launcherOf(owned.mine), "ownerReferences"),
      VIRT_CONTROLLER,
      "no VirtualMachineInstance is its controller.",
    ],
    [
      "an instance that is gone",
      () => launcherOf(renamed(owned.mine, { uid: "00000000-0000-0000-0000-000000000000" })),
      VIRT_CONTROLLER,
      "no VirtualMachineInstance mine with its UID lives here.",
    ],
    [
      "the UID of one instance under the name of another",
      () => launcherOf(renamed(owned.mine, { name: "other" })),
      VIRT_CONTROLLER,
      "no VirtualMachineInstance other with its UID lives here.",
    ],
    [
      "a controller reference to another's instance",
      () => ownedBy(launcherOf(owned.mine), launcherOf(owned.other)),
      VIRT_CONTROLLER,
      "its label names another instance than its controller.",
    ],
    [
      "another account than its instance's",
      () => launcherOf({ ...owned.mine, spec: { serviceAccountName: "orders-db" } }),
      VIRT_CONTROLLER,
      "it runs under account orders-db, its instance under ledger.",
    ],
  ];

  test.each(FORGERIES)("%s is refused", async (_what, body, who, why) => {
    const answer = await cluster.request("POST", `${pods}?dryRun=All`, {
      body: body(),
      ...("user" in who ? { ...who, groups: ["system:masters"] } : who),
    });
    expect(answer).toMatchObject({ status: 403 });
    const { message } = answer.body as { readonly message: string };
    expect(message.split("\n")[0]).toMatch(/\[LAUNCHER_FORGED\]$/);
    expect(message).toContain(`The Pod gives itself out as a virt-launcher, but ${why}`.slice(0, 90));
  });

  test("a running Pod does not become one by a label", async () => {
    const body = { metadata: { name: "web" }, spec: { serviceAccountName: "ledger", containers: CONTAINERS } };
    await live(cluster.request("POST", pods, { body }));
    const path = pathOf("payments", "pods", "web");
    const relabel = { metadata: { labels: { "kubevirt.io": "virt-launcher" } } };
    expect(await cluster.request("PATCH", path, { body: relabel, contentType: MERGE })).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining("[LAUNCHER_FORGED]") },
    });
  });
});

const CONTAINERS = [{ name: "main", image: "example.org/none" }];

type WithMetadata = Body & { readonly metadata: Body };

const without = (pod: Body, key: string): Body => {
  const { [key]: _gone, ...metadata } = (pod as WithMetadata).metadata;
  return { ...pod, metadata };
};

const ownedBy = (pod: Body, other: Body): Body => ({
  ...pod,
  metadata: { ...(pod as WithMetadata).metadata, ownerReferences: (other as WithMetadata).metadata["ownerReferences"] },
});

const renamed = (instance: Live & Instance, metadata: Partial<Live["metadata"]>): Live & Instance => ({
  ...instance,
  metadata: { ...instance.metadata, ...metadata },
});

/** The role as somebody edits it and somebody else approves it. */
async function edited(tier: string): Promise<void> {
  const path = "/apis/signet.dev/v1alpha1/workloadroles/orders-db";
  const role = (await merge(path, { spec: { labels: { tier } } })) as {
    readonly metadata: { readonly generation: number };
  };
  const entry = { generation: role.metadata.generation, by: "alice" };
  await accepted(cluster, "PATCH", `${path}/status`, {
    user: "alice",
    groups: ["system:masters"],
    contentType: "application/json-patch+json",
    body: [{ op: "add", path: "/status/approvals/-", value: entry }],
  });
  const inForce = async () => {
    const { body } = await cluster.request("GET", path);
    return (body as { readonly status: { readonly approved: { readonly generation: number } } }).status.approved
      .generation;
  };
  await vi.waitFor(async () => expect(await inForce()).toBe(entry.generation), PATIENCE);
}

/** How many reviews a replica has answered. */
const answered = async (replica: Replica): Promise<number> =>
  [...(await replica.metrics()).matchAll(/^signet_reviews_total\{[^}]*\} (\d+)/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );

/** The tier that a running Pod or instance is labelled with now. */
async function tierHeld({ metadata: { name, labels } }: Live): Promise<string | undefined> {
  const path = labels?.["kubevirt.io"] === "virt-launcher" ? pods : instances;
  const { body } = await cluster.request("GET", `${path}/${name}`);
  return (body as Live).metadata.labels?.["role.signet.dev/tier"];
}

const SENTENCE = `{apiVersion: signet.dev/v1alpha1, kind: SegmentPolicy, metadata: {name: orders-db, namespace: payments}, spec: {segment: payments, allow: [{from: {role: ledger}, to: {role: orders-db}, 'on': [tcp/5432], why: it books}]}}`;

type Selector = { readonly matchLabels: Readonly<Record<string, string>> };
type Written = {
  readonly spec: {
    readonly podSelector: Selector;
    readonly egress?: readonly { readonly to: readonly { readonly podSelector: Selector }[] }[];
  };
};

/** The Pods that a selector means, by the API server's own reading. */
async function selected({ matchLabels }: Selector): Promise<readonly string[]> {
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const { body } = await cluster.request("GET", `${pods}?labelSelector=${encodeURIComponent(labels.join())}`);
  return (body as { readonly items: readonly Live[] }).items.map(({ metadata }) => metadata.name);
}

test("while a machine moves, what is published for it is for both of its launchers", { timeout: TEST_MS }, async () => {
  const { instance, launcher } = await start("moving", "orders-db");
  const target = await live(byVirtController(pods, launcherOf(instance, "job-moving")));
  await applyApproved(cluster, SENTENCE, "alice");
  const policies = "/apis/networking.k8s.io/v1/namespaces/payments/networkpolicies";
  const written = async (name: string): Promise<Written["spec"]> => {
    const options = `--kubeconfig ${cluster.kubeconfigPath} --pod-cidr 10.244.0.0/16 --target networkpolicy`;
    expect(await command(`policy apply ${options}`)).toMatchObject({ code: 0 });
    const answer = await cluster.request("GET", `${policies}/signet-role-${name}`);
    expect(answer).toMatchObject({ status: 200 });
    return (answer.body as Written).spec;
  };
  const both = [launcher, target].map(({ metadata }) => metadata.name);
  await vi.waitFor(async () => {
    const [database, caller] = [await written("orders-db"), await written("ledger")];
    expect(await selected(database.podSelector)).toEqual(expect.arrayContaining(both));
    const [peer] = caller.egress?.[0]?.to ?? [];
    expect(peer && (await selected(peer.podSelector))).toEqual(expect.arrayContaining(both));
  }, PATIENCE);
});

const MIGRATIONS = 12;

describe("machines that migrate while their role is edited and one replica lags", () => {
  afterAll(() => lag.thaw());

  test("each target holds what its machine holds, and nothing is refused or lost", { timeout: TEST_MS }, async () => {
    const names = Array.from({ length: MIGRATIONS }, (_, count) => `db-${count}`);
    const running = await Promise.all(names.map((name) => start(name, "orders-db")));
    const before = await Promise.all(signet.replicas().map(answered));
    lag.freeze();
    await edited("gold");
    await vi.waitFor(async () => expect(new Set(await revisions()).size).toBe(2), PATIENCE);
    // New connections go to the replicas in turn, and each kind of review has its own: both are asked, whatever was kept.
    signet.reconnect();
    const migrating = running.map(async ({ instance }, count) => {
      const current = await cluster.request("GET", `${instances}/${instance.metadata.name}`);
      return live(byVirtController(pods, launcherOf(current.body as Live & Instance, `job-${count}`)));
    });
    const targets = await Promise.all(migrating);
    expect(targets.map(identityOf)).toEqual(names.map(() => ORDERS_DB));
    const after = await Promise.all(signet.replicas().map(answered));
    expect(after.map((count, index) => count > (before[index] ?? 0))).toEqual([true, true]);
    lag.thaw();
    await vi.waitFor(async () => expect(new Set(await revisions()).size).toBe(1), PATIENCE);
    const held = [...targets, ...running.flatMap(({ instance, launcher }) => [instance, launcher])];
    await vi.waitFor(
      async () => expect(new Set(await Promise.all(held.map(tierHeld)))).toEqual(new Set(["gold"])),
      PATIENCE,
    );
  });
});

test("a quarantined machine stays where it is, and the others move", { timeout: TEST_MS }, async () => {
  const { instance } = await start("suspect", "orders-db");
  const { name, uid } = instance.metadata;
  const body = {
    apiVersion: "signet.dev/v1alpha1",
    kind: "Restriction",
    metadata: { name: "q-suspect" },
    spec: {
      target: { virtualMachine: { namespace: "payments", name, uid } },
      effect: "quarantine",
      reason: "it called home",
    },
  };
  await made("/apis/signet.dev/v1alpha1/restrictions", body);
  const move = (moved: Live & Instance) => byVirtController(`${pods}?dryRun=All`, launcherOf(moved, "job"));
  await vi.waitFor(
    async () =>
      expect(await move(instance)).toMatchObject({
        status: 403,
        body: {
          message: expect.stringContaining(
            "Restriction q-suspect (quarantine) is on this machine: it called home. [RESTRICTED]",
          ),
        },
      }),
    PATIENCE,
  );
  const other = await cluster.request("GET", `${instances}/orders`);
  expect(await move(other.body as Live & Instance)).toMatchObject({ status: 201 });
});

test("signet init proposes for a live namespace the roles that its machines hold", { timeout: TEST_MS }, async () => {
  const cli = join(import.meta.dirname, "..", "..", "src/bin/cli.ts");
  const line = `"${process.execPath}" "${cli}" init --cluster --kubeconfig "${cluster.kubeconfigPath}" -n payments`;
  const { code, output } = await runScript(line, tmpdir(), cluster.env);
  expect(code, output).toBe(0);
  const machine = parseAllDocuments(output).find((each) => each.getIn(["metadata", "name"]) === "suspect");
  expect(machine?.getIn(["spec", "match", "kinds", 0])).toBe("VirtualMachine");
  expect(output).not.toContain("virt-launcher");
});

describe("kubevirt.md, word by word", () => {
  let clone: string;
  beforeAll(async () => {
    clone = await mkdtemp(join(await realpath(tmpdir()), "signet-vms-"));
    await symlink(join(import.meta.dirname, "..", "..", "manifests"), join(clone, "manifests"));
    const binding = ["create", "clusterrolebinding", "signet-approvers", "--clusterrole=signet-approver"];
    await kubectlDone(cluster, [...binding, "--group=security-engineers"]);
  }, TEST_MS);

  afterAll(() => rm(clone, { recursive: true, force: true }));

  test.each(
    blocksOf("kubevirt.md")
      .filter(({ needsNodes }) => !needsNodes)
      .map((block) => [block.title, block] as const),
  )("%s", { timeout: TEST_MS }, async (_title, { script }) => {
    const { code, output } = await runScript(script, clone, cluster.env);
    expect(code, `${script}\n${output}`).toBe(0);
  });

  test("then the page's machine holds its role, and the labels that the role was given later reach a new one", async () => {
    const { stdout } = await cluster.kubectl(["get", "vm", "orders-db", "-n", "vms", "-o", "json"]);
    expect(identityOf(JSON.parse(stdout) as Live)).toEqual([
      "vm-orders-db",
      "vms",
      "spiffe://example.org/ns/vms/sa/orders-db",
    ]);
    const body = virtualMachine("later", { serviceAccountName: "orders-db" });
    const path = `${pathOf("vms", "virtualmachines")}?dryRun=All`;
    const tier = async () => {
      const answer = await cluster.request("POST", path, { body });
      return (answer.body as Live).metadata.labels?.["role.signet.dev/tier"];
    };
    await vi.waitFor(async () => expect(await tier()).toBe("data"), PATIENCE);
  });
});

describe("with Signet killed", () => {
  beforeAll(async () => {
    await Promise.all(signet.replicas().map((replica) => replica.end("SIGKILL")));
  }, TEST_MS);

  test("a machine migrates, and its target is born with the stamp that KubeVirt copies", async () => {
    const instance = (await cluster.request("GET", `${instances}/orders`)).body as Live & Instance;
    const target = await live(byVirtController(pods, launcherOf(instance, "job-dead")));
    expect(identityOf(target)).toEqual(ORDERS_DB);
  });

  test("a node is drained", async () => {
    const { body } = await cluster.request("GET", `${pods}?labelSelector=vm.kubevirt.io/name=orders`);
    const [launcher] = (body as { readonly items: readonly Live[] }).items;
    if (!launcher) throw new Error("no launcher runs");
    expect(await evicted(launcher)).toMatchObject({ status: 201 });
  });

  test("a machine that a controller restarts starts", async () => {
    const machine = (await cluster.request("GET", `${machines}/orders`)).body as Machine;
    const again = {
      ...instanceOf(machine),
      metadata: { ...(instanceOf(machine) as WithMetadata).metadata, name: "again" },
    };
    expect(await byVirtController(instances, again)).toMatchObject({ status: 201 });
  });

  test("a launcher that anybody else creates is refused, and so is a machine that somebody applies", async () => {
    const instance = (await cluster.request("GET", `${instances}/orders`)).body as Live & Instance;
    expect(await cluster.request("POST", pods, { body: launcherOf(instance) })).toMatchObject({ status: 500 });
    const body = virtualMachine("late", { serviceAccountName: "orders-db" });
    expect(await cluster.request("POST", machines, { body })).toMatchObject({ status: 500 });
  });

  test("no template gets in that would be born as a stamp", async () => {
    const body = virtualMachine("forged", { serviceAccountName: "orders-db" }, { "signet.dev/role": "ledger" });
    expect(await cluster.request("POST", pathOf("other", "virtualmachines"), { body })).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining("in a machine's template is Signet's to give; take it out.") },
    });
  });
});
