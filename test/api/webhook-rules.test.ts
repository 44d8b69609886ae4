import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Manifest } from "../../src/wire/manifests/manifest.ts";
import { VIRT_CONTROLLERS } from "../../src/wire/manifests/names.ts";
import { webhookConfigurations } from "../../src/wire/manifests/webhooks.ts";
import { accepted } from "../cluster/accepted.ts";
import type { ApiAnswer } from "../cluster/api.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { CONTROLLERS, type Controller, instance, kubevirtCrd, machine, pathOf, pod, templateOf } from "./objects.ts";
import { type RecordingWebhook, startRecordingWebhook } from "./recording-webhook.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;
const NAMESPACES: Readonly<Record<string, object>> = {
  payments: { "signet.dev/enrol": "true" },
  shop: { "signet.dev/segment": "shop" },
  other: {},
  "signet-system": { "signet.dev/enrol": "true" },
};
const STAMP = { "signet.dev/role": "orders-db" };

let cluster: Cluster;
let webhook: RecordingWebhook;

beforeAll(async () => {
  cluster = await bootCluster({ components: [], audit: "off", fakeNodes: 1 });
  webhook = await startRecordingWebhook(cluster.authority);
  for (const [name, labels] of Object.entries(NAMESPACES)) {
    await made("/api/v1/namespaces", { metadata: { name, labels } });
    await made(pathOf(name, "serviceaccounts"), { metadata: { name: "default" } });
  }
  await made(pathOf("kube-system", "serviceaccounts"), { metadata: { name: "default" } });
  const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  await made(crds, kubevirtCrd("virtualmachines", "VirtualMachine"));
  await made(crds, kubevirtCrd("virtualmachineinstances", "VirtualMachineInstance"));
  await until(async () => (await status("GET", pathOf("payments", "virtualmachines"))) === 200);
  await until(async () => (await status("GET", pathOf("payments", "virtualmachineinstances"))) === 200);
  await furnish();
  const settings = { reach: { by: "url", url: webhook.url }, virtControllers: [VIRT_CONTROLLERS.kubevirt] } as const;
  for (const configuration of webhookConfigurations(settings)) await install(configuration);
  await until(async () => {
    await request("POST", `${pathOf("payments", "pods")}?dryRun=All`, { body: pod("probe") });
    return webhook.take().length === 2;
  });
}, FIRST_BOOT_MS);

afterAll(async () => {
  await webhook.die().catch(() => undefined);
  await cluster.stop();
}, 60_000);

type Options = Parameters<Cluster["request"]>[2];
const request = (method: string, path: string, options?: Options): Promise<ApiAnswer> =>
  cluster.request(method, path, options);
const status = async (method: string, path: string): Promise<number> => (await request(method, path)).status;

/** The API server learns of new kinds and webhooks a little later. */
const until = (holds: () => Promise<boolean>): Promise<void> =>
  vi.waitFor(async () => expect(await holds()).toBe(true), { timeout: 15_000, interval: 100 });

const made = (path: string, body: object) => accepted(cluster, "POST", path, { body });

/** Objects that were there before Signet. */
async function furnish(): Promise<void> {
  for (const namespace of ["payments", "other"]) {
    await made(
      pathOf(namespace, "pods"),
      pod("running", { labels: { app: "web" }, finalizers: ["example.org/keep"] }, { nodeName: "n1" }),
    );
    await made(pathOf(namespace, "pods"), pod("waiting"));
    await made(pathOf(namespace, "pods"), pod("leaving", { finalizers: ["example.org/keep"] }));
    await accepted(cluster, "DELETE", pathOf(namespace, "pods", "leaving"));
    for (const [resource, { spec }] of Object.entries(CONTROLLERS))
      await made(pathOf(namespace, resource), { metadata: { name: "web" }, spec });
    await made(pathOf(namespace, "virtualmachines"), machine("vm"));
    await made(pathOf(namespace, "virtualmachineinstances"), instance("vm"));
  }
}

type Configured = Manifest & { readonly webhooks: readonly (object & { readonly name: string })[] };

/** The configuration as it is installed, but that each entry is called at a path of its own. */
async function install(configuration: Manifest): Promise<void> {
  const caBundle = Buffer.from(cluster.authority.cert).toString("base64");
  const { webhooks, ...rest } = configuration as Configured;
  const body = {
    ...rest,
    webhooks: webhooks.map((entry) => ({
      ...entry,
      clientConfig: { url: `${webhook.url}/record/${entry.name}`, caBundle },
    })),
  };
  await made(`/apis/admissionregistration.k8s.io/v1/${configuration.kind.toLowerCase()}s`, body);
}

const MERGE = "application/merge-patch+json";
const STRATEGIC = "application/strategic-merge-patch+json";

type Act = () => Promise<ApiAnswer>;
type Who = { readonly user?: string; readonly groups?: readonly string[] };

const account = (name: string): Who => ({ user: `system:serviceaccount:${name}`, groups: ["system:masters"] });
const VIRT_CONTROLLER = account("kubevirt:kubevirt-controller");
const NODE: Who = { user: "system:node:n1", groups: ["system:nodes"] };

const create =
  (namespace: string, resource: string, body: object, who: Who = {}): Act =>
  () =>
    request("POST", `${pathOf(namespace, resource)}?dryRun=All`, { body, ...who });

const change =
  (namespace: string, resource: string, name: string, body: object, who: Who = {}): Act =>
  () =>
    request("PATCH", `${pathOf(namespace, resource, name)}?dryRun=All`, { body, contentType: MERGE, ...who });

const controller = (namespace: string, resource: Controller, meta: object = {}, who: Who = {}): Act =>
  create(namespace, resource, { metadata: { name: "new", ...meta }, spec: CONTROLLERS[resource].spec }, who);

const changedImage = { template: { spec: { containers: [{ name: "main", image: "example.org/new" }] } } };

/** A Pod as a kubelet mirrors it. */
const mirror =
  (namespace: string, labels: object = {}): Act =>
  async () => {
    const node = await request("GET", "/api/v1/nodes/n1");
    const { uid } = (node.body as { readonly metadata: { readonly uid: string } }).metadata;
    const ownerReferences = [{ apiVersion: "v1", kind: "Node", name: "n1", uid, controller: true }];
    const annotations = { "kubernetes.io/config.mirror": "1", "kubernetes.io/config.hash": "1" };
    const body = pod("static-n1", { labels, annotations, ownerReferences }, { nodeName: "n1" });
    return request("POST", `${pathOf(namespace, "pods")}?dryRun=All`, { body, ...NODE });
  };

const statusByNode =
  (namespace: string): Act =>
  () =>
    request("PATCH", `${pathOf(namespace, "pods", "running/status")}?dryRun=All`, {
      body: { status: { conditions: [{ type: "Ready", status: "True" }] } },
      contentType: STRATEGIC,
      ...NODE,
    });

const ephemeral =
  (namespace: string): Act =>
  () =>
    request("PATCH", `${pathOf(namespace, "pods", "running/ephemeralcontainers")}?dryRun=All`, {
      body: { spec: { ephemeralContainers: [{ name: "debug", image: "example.org/none" }] } },
      contentType: STRATEGIC,
    });

const resize =
  (namespace: string): Act =>
  () =>
    request("PATCH", `${pathOf(namespace, "pods", "running/resize")}?dryRun=All`, {
      body: { spec: { containers: [{ name: "main", resources: { requests: { cpu: "10m" } } }] } },
      contentType: STRATEGIC,
    });

const bind =
  (namespace: string): Act =>
  () =>
    request("POST", `${pathOf(namespace, "pods", "waiting/binding")}?dryRun=All`, {
      body: { metadata: { name: "waiting" }, target: { kind: "Node", name: "n1" } },
    });

const evict =
  (namespace: string): Act =>
  () =>
    request("POST", `${pathOf(namespace, "pods", "waiting/eviction")}?dryRun=All`, {
      body: { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "waiting" } },
    });

const remove =
  (namespace: string, resource: string, name: string): Act =>
  () =>
    request("DELETE", `${pathOf(namespace, resource, name)}?dryRun=All`);

const scale =
  (namespace: string): Act =>
  () =>
    request("PATCH", `${pathOf(namespace, "deployments", "web/scale")}?dryRun=All`, {
      body: { spec: { replicas: 3 } },
      contentType: MERGE,
    });

const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "00000000-0000-0000-0000-000000000001" };

/** What never waits for Signet in an enrolled namespace. */
const NEVER_SENT: readonly (readonly [string, Act])[] = [
  ["a mirror Pod by its node", mirror("payments")],
  ["a Pod's finalizers", change("payments", "pods", "running", { metadata: { finalizers: null } })],
  ["a Pod's owner references", change("payments", "pods", "running", { metadata: { ownerReferences: [owner] } })],
  ["a Pod's foreign annotation", change("payments", "pods", "running", { metadata: { annotations: { a: "b" } } })],
  [
    "a change of a Pod that is being deleted",
    change("payments", "pods", "leaving", { metadata: { labels: { a: "b" } } }),
  ],
  [
    "the last finalizer of a Pod that is being deleted",
    change("payments", "pods", "leaving", { metadata: { finalizers: null } }),
  ],
  ["a Pod's status by the kubelet", statusByNode("payments")],
  ["the binding of a Pod", bind("payments")],
  ["the eviction of a Pod", evict("payments")],
  ["the deletion of a Pod", remove("payments", "pods", "waiting")],
  ["scale", scale("payments")],
  ["a changed number of replicas", change("payments", "deployments", "web", { spec: { replicas: 2 } })],
  ["a pause", change("payments", "deployments", "web", { spec: { paused: true } })],
  ["a Deployment's own label", change("payments", "deployments", "web", { metadata: { labels: { a: "b" } } })],
  [
    "a Deployment's finalizers",
    change("payments", "deployments", "web", { metadata: { finalizers: ["example.org/a"] } }),
  ],
  [
    "a Deployment's owner references",
    change("payments", "deployments", "web", { metadata: { ownerReferences: [owner] } }),
  ],
  ["the deletion of a Deployment", remove("payments", "deployments", "web")],
  [
    "a ReplicaSet of a Deployment",
    controller("payments", "replicasets", {}, account("kube-system:deployment-controller")),
  ],
  ["a Job of a CronJob", controller("payments", "jobs", {}, account("kube-system:cronjob-controller"))],
  ["a suspended CronJob", change("payments", "cronjobs", "web", { spec: { suspend: true } })],
  ["the start of a virtual machine", change("payments", "virtualmachines", "vm", { spec: { running: true } })],
  ["an instance's status", change("payments", "virtualmachineinstances", "vm", { status: { phase: "Running" } })],
  [
    "KubeVirt's own label of an instance",
    change("payments", "virtualmachineinstances", "vm", { metadata: { labels: { "kubevirt.io/nodeName": "n1" } } }),
  ],
  ["the deletion of a virtual machine", remove("payments", "virtualmachines", "vm")],
];

/** What is judged in an enrolled namespace, and refused while the webhook is dead. */
const JUDGED: readonly (readonly [what: string, act: Act, calls: readonly string[]])[] = [
  [
    "a new Pod",
    create("payments", "pods", pod("new")),
    ["pods.stamp CREATE pods", "pods.unstamped.enrolled CREATE pods"],
  ],
  [
    "a new Pod by a ReplicaSet",
    create("payments", "pods", pod("new"), account("kube-system:replicaset-controller")),
    ["pods.stamp CREATE pods", "pods.unstamped.enrolled CREATE pods"],
  ],
  [
    "a launcher by somebody who is not the virt-controller",
    create("payments", "pods", pod("virt-launcher", { labels: { "kubevirt.io": "virt-launcher" } })),
    ["pods.stamp CREATE pods", "pods.unstamped.enrolled CREATE pods"],
  ],
  [
    "a new Pod that carries a stamp",
    create("payments", "pods", pod("new", { labels: STAMP })),
    ["pods.stamp CREATE pods", "pods.enrolled CREATE pods"],
  ],
  ["a mirror Pod that carries a stamp", mirror("payments", STAMP), ["pods.enrolled CREATE pods"]],
  [
    "a mirror Pod that carries a role's label",
    mirror("payments", { "role.signet.dev/tier": "data" }),
    ["pods.unstamped.enrolled CREATE pods"],
  ],
  [
    "a Pod's label",
    change("payments", "pods", "running", { metadata: { labels: { a: "b" } } }),
    ["pods.changed.enrolled UPDATE pods"],
  ],
  [
    "a Pod's pointer to an exception",
    change("payments", "pods", "running", { metadata: { annotations: { "signet.dev/exception": "import" } } }),
    ["pods.changed.enrolled UPDATE pods"],
  ],
  [
    "a further network of a Pod",
    change("payments", "pods", "running", { metadata: { annotations: { "k8s.v1.cni.cncf.io/networks": "lan" } } }),
    ["pods.changed.enrolled UPDATE pods"],
  ],
  ["an ephemeral container", ephemeral("payments"), ["pods.changed.enrolled UPDATE pods/ephemeralcontainers"]],
  ["a resize", resize("payments"), ["pods.changed.enrolled UPDATE pods/resize"]],
  ...(Object.keys(CONTROLLERS) as Controller[]).map(
    (resource) =>
      [`one of the ${resource}`, controller("payments", resource), [`templates.enrolled CREATE ${resource}`]] as const,
  ),
  [
    "a PodTemplate",
    create("payments", "podtemplates", { metadata: { name: "new" }, template: templateOf() }),
    ["templates.enrolled CREATE podtemplates"],
  ],
  [
    "a changed template",
    change("payments", "deployments", "web", { spec: changedImage }),
    ["templates.enrolled UPDATE deployments"],
  ],
  [
    "a changed template of a CronJob",
    change("payments", "cronjobs", "web", { spec: { jobTemplate: { spec: changedImage } } }),
    ["templates.enrolled UPDATE cronjobs"],
  ],
  [
    "a Deployment that is given a stamp",
    change("payments", "deployments", "web", { metadata: { labels: STAMP } }),
    ["templates.enrolled UPDATE deployments"],
  ],
  [
    "a new virtual machine",
    create("payments", "virtualmachines", machine("new")),
    ["machines.stamp CREATE virtualmachines", "machines.enrolled CREATE virtualmachines"],
  ],
  [
    "a virtual machine's template",
    change("payments", "virtualmachines", "vm", { spec: { template: { spec: { image: "example.org/new" } } } }),
    ["machines.stamp UPDATE virtualmachines", "machines.enrolled UPDATE virtualmachines"],
  ],
  [
    "an instance's label",
    change("payments", "virtualmachineinstances", "vm", { metadata: { labels: { app: "other" } } }),
    ["machines.stamp UPDATE virtualmachineinstances", "machines.enrolled UPDATE virtualmachineinstances"],
  ],
  [
    "a Pod born with a stamp, in a namespace that is not enrolled",
    create("other", "pods", pod("new", { labels: STAMP })),
    ["pods.stamp CREATE pods", "stamped CREATE pods"],
  ],
  [
    "a Pod born with a role's label, in a namespace that is not enrolled",
    create("other", "pods", pod("new", { labels: { "role.signet.dev/tier": "data" } })),
    ["pods.stamp CREATE pods", "stamped CREATE pods"],
  ],
  [
    "a Pod born with a reserved annotation, in a namespace that is not enrolled",
    create("other", "pods", pod("new", { annotations: { "signet.dev/spiffe-id": "spiffe://a/b" } })),
    ["pods.stamp CREATE pods", "stamped CREATE pods"],
  ],
  [
    "a mirror Pod born with a stamp, in a namespace that is not enrolled",
    mirror("other", STAMP),
    ["stamped CREATE pods"],
  ],
];

/** What is asked and goes on without an answer. */
const FAIL_OPEN: readonly (readonly [what: string, act: Act, calls: readonly string[]])[] = [
  [
    "a launcher by the virt-controller",
    create("payments", "pods", pod("virt-launcher", { labels: STAMP }), VIRT_CONTROLLER),
    ["pods.stamp CREATE pods", "launchers CREATE pods"],
  ],
  [
    "a launcher's stamp that the virt-controller changes",
    change("payments", "pods", "running", { metadata: { labels: STAMP } }, VIRT_CONTROLLER),
    ["launchers UPDATE pods"],
  ],
  [
    "an instance by the virt-controller",
    create("payments", "virtualmachineinstances", instance("new"), VIRT_CONTROLLER),
    ["machines.stamp CREATE virtualmachineinstances", "launchers CREATE virtualmachineinstances"],
  ],
  [
    "a stamped launcher in a namespace that is not enrolled",
    create("other", "pods", pod("virt-launcher", { labels: STAMP }), VIRT_CONTROLLER),
    ["pods.stamp CREATE pods", "launchers CREATE pods"],
  ],
  ["a Pod in a namespace that is not enrolled", create("other", "pods", pod("new")), ["pods.stamp CREATE pods"]],
  [
    "a Pod that points to an exception, in a namespace that is not enrolled",
    create("other", "pods", pod("new", { annotations: { "signet.dev/exception": "import" } })),
    ["pods.stamp CREATE pods"],
  ],
  [
    "a virtual machine in a namespace that is not enrolled",
    create("other", "virtualmachines", machine("new")),
    ["machines.stamp CREATE virtualmachines"],
  ],
  [
    "a Deployment in a namespace that holds a segment and is not enrolled yet",
    controller("shop", "deployments"),
    ["templates.granted CREATE deployments"],
  ],
];

/** What is none of Signet's business. */
const NOT_OURS: readonly (readonly [string, Act])[] = [
  ["a Deployment in a namespace that is not enrolled", controller("other", "deployments")],
  [
    "a Pod's label in a namespace that is not enrolled",
    change("other", "pods", "running", { metadata: { labels: { a: "b" } } }),
  ],
  ["a mirror Pod in a namespace that is not enrolled", mirror("other")],
  ["a Pod in kube-system", create("kube-system", "pods", pod("new"))],
  ["a Deployment in kube-system", controller("kube-system", "deployments")],
  ["a Pod in Signet's namespace, though somebody enrolled it", create("signet-system", "pods", pod("new"))],
  ["a Deployment in Signet's namespace", controller("signet-system", "deployments")],
  ["a Secret in an enrolled namespace", create("payments", "secrets", { metadata: { name: "new" } })],
  ["a lease of a node", create("kube-node-lease", "leases", { metadata: { name: "n1" } }, NODE)],
  ["a lease in an enrolled namespace", create("payments", "leases", { metadata: { name: "new" } })],
  ["a Node", () => request("POST", "/api/v1/nodes?dryRun=All", { body: { metadata: { name: "n9", labels: STAMP } } })],
  ["a namespace", () => request("POST", "/api/v1/namespaces?dryRun=All", { body: { metadata: { name: "new" } } })],
  [
    "a CertificateSigningRequest",
    async () =>
      request("POST", "/apis/certificates.k8s.io/v1/certificatesigningrequests?dryRun=All", {
        body: {
          metadata: { name: "new" },
          spec: { request: await signingRequest(), signerName: "example.org/any", usages: ["client auth"] },
        },
      }),
  ],
];

async function signingRequest(): Promise<string> {
  const { Pkcs10CertificateRequestGenerator } = await import("@peculiar/x509");
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const made = await Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
  });
  return Buffer.from(made.toString("pem")).toString("base64");
}

/** What the webhook heard of, without the group in the entries' names; the order of validating calls is not fixed. */
const heard = (): readonly string[] =>
  webhook
    .take()
    .map(({ entry, what }) => `${entry.replace(".signet.dev", "")} ${what}`)
    .sort((a, b) => Number(b.includes(".stamp ")) - Number(a.includes(".stamp ")));

const succeeds = (answer: ApiAnswer): void =>
  expect(answer.status, JSON.stringify(answer.body)).toSatisfy((code: number) => code === 200 || code === 201);

describe("with the webhook up", () => {
  test.each([...JUDGED, ...FAIL_OPEN])("%s is sent where it belongs", async (_what, act, calls) => {
    succeeds(await act());
    expect(heard()).toEqual(calls);
  });

  test.each([...NEVER_SENT, ...NOT_OURS])("%s is not sent", async (_what, act) => {
    succeeds(await act());
    expect(heard()).toEqual([]);
  });

  test("what mutation stamps outside of enrolled namespaces is looked at again, for nobody else may stamp", async () => {
    webhook.behave("stamp");
    succeeds(await create("other", "pods", pod("new"))());
    webhook.behave("allow");
    expect(heard()).toEqual(["pods.stamp CREATE pods", "stamped CREATE pods"]);
  });
});

describe("with the webhook dead", () => {
  beforeAll(() => webhook.die());
  afterAll(() => webhook.revive());

  test.each(JUDGED)("%s is refused", async (_what, act) => {
    const answer = await act();
    expect(answer).toMatchObject({ status: 500, body: { message: expect.stringContaining("failed calling webhook") } });
  });

  const openly = FAIL_OPEN.map(([what, act]) => [what, act] as const);
  test.each([...NEVER_SENT, ...openly, ...NOT_OURS])("%s goes on", async (_what, act) => {
    succeeds(await act());
  });
});

describe("with the webhook silent", () => {
  beforeAll(() => webhook.behave("silent"));
  afterAll(() => webhook.behave("allow"));

  test("a Pod waits two seconds at most where nothing is enrolled", { timeout: 10_000 }, async () => {
    const began = Date.now();
    succeeds(await create("other", "pods", pod("new"))());
    expect(Date.now() - began).toBeLessThan(4_000);
  });
});
