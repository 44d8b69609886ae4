import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GateRequest, mutate, validate } from "../../src/admission/gate.ts";
import type { Json } from "../../src/domain/json-patch.ts";
import { type KubeObject, readApiObject } from "../../src/wire/objects.ts";
import { metadataPresence } from "../../src/wire/presence.ts";
import { readWorkload } from "../../src/wire/workloads.ts";
import { readPodShape } from "../../src/wire/workloads/pod-shape.ts";
import { accepted } from "../cluster/accepted.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { requestPodCertificate } from "../cluster/play-kubelet.ts";
import { applyPatch } from "../fakes/json-patch.ts";
import { catalogueOf, must, NOON } from "../fakes/judging.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;
const TEST_MS = 60_000;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await bootCluster({ fakeNodes: 1, audit: "off" });
  await accepted(cluster, "POST", "/api/v1/namespaces", { body: { metadata: { name: "web" } } });
  await accepted(cluster, "POST", "/api/v1/namespaces/web/serviceaccounts", { body: { metadata: { name: "front" } } });
}, FIRST_BOOT_MS);

afterAll(() => cluster.stop(), TEST_MS);

const catalogue = (identity: string) =>
  catalogueOf(`
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: web, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [web], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: front}, spec: {segment: shop, match: {serviceAccounts: [front]}, identity: {delivery: podCertificate, ${identity}}}}
`);

const ON = { now: NOON, deliver: { podCertificate: true } };

function requestOf(pod: KubeObject): GateRequest {
  const workload = must(readWorkload(pod, { namespace: "web", creator: "alice" }));
  if (!workload) throw new Error("a Pod is a workload");
  return {
    uid: "u",
    operation: "CREATE",
    subResource: "",
    dryRun: false,
    user: { username: "alice", groups: [] },
    presence: metadataPresence(pod.raw),
    deleting: false,
    relevantChange: true,
    workload,
    readPod: () => readPodShape(pod),
  };
}

type Fields = { readonly [key: string]: Json };
const podOf = (name: string, spec: Fields): KubeObject =>
  must(
    readApiObject(
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, namespace: "web" },
        spec: { serviceAccountName: "front", containers: [{ name: "main", image: "example.org/none" }], ...spec },
      },
      "test",
    ),
  );

/** The Pod as admission would hand it on, created for real, and read back with all that the server filled in. */
async function created(from: ReturnType<typeof catalogue>, pod: KubeObject): Promise<KubeObject> {
  const patched = applyPatch(pod.raw, mutate(from, requestOf(pod), ON).patch);
  const made = await cluster.kubectl(["create", "--validate=strict", "-f", "-", "-o", "json"], {
    stdin: JSON.stringify(patched),
  });
  expect(made.stderr).toBe("");
  return must(readApiObject(JSON.parse(made.stdout) as Fields, "server"));
}

const ROWS: readonly { name: string; identity: string; spec: Fields }[] = [
  { name: "bare", identity: "", spec: {} },
  {
    name: "full",
    identity: "maxTTL: 1h, keyType: ED25519, federatesWith: [partner]",
    spec: {
      securityContext: { fsGroup: 2000, runAsUser: 1000 },
      volumes: [{ name: "data", emptyDir: {} }],
      initContainers: [{ name: "side", image: "example.org/none", restartPolicy: "Always" }],
      containers: [
        {
          name: "main",
          image: "example.org/none",
          env: [{ name: "A", value: "b" }],
          volumeMounts: [{ name: "data", mountPath: "/data" }],
        },
        { name: "out", image: "example.org/none", env: [{ name: "SIGNET_INJECT", value: "false" }] },
      ],
    },
  },
  { name: "long", identity: "keyType: RSA4096", spec: { securityContext: { runAsUser: 1000 } } },
];

describe("the API server", () => {
  test.each(ROWS)(
    "takes the delivered volumes of the Pod $name, and we know them again",
    { timeout: TEST_MS },
    async (row) => {
      const from = catalogue(row.identity);
      const pod = await created(from, podOf(row.name, row.spec));
      const { allowed, verdict } = validate(from, requestOf(pod), ON);
      expect([allowed, verdict?.problems]).toEqual([true, []]);
      expect(mutate(from, requestOf(pod), ON).patch).toEqual([]);
    },
  );

  test("takes a kubelet's request for the certificate of such a Pod", { timeout: TEST_MS }, async () => {
    await created(catalogue(""), podOf("asks", { nodeName: "n1" }));
    const ask = async () => {
      const asked = await requestPodCertificate(
        cluster,
        { namespace: "web", pod: "asks", node: "n1" },
        "signet.dev/svid",
      );
      return asked.answer;
    };
    // The server learns of the bound Pod a little later.
    await expect.poll(ask, { timeout: 10_000, interval: 200 }).toMatchObject({
      status: 201,
      body: { spec: { signerName: "signet.dev/svid", serviceAccountName: "front" } },
    });
  });

  test("takes the bundle under the names that the volumes look for", { timeout: TEST_MS }, async () => {
    const path = "/apis/certificates.k8s.io/v1/clustertrustbundles";
    for (const [name, signerName] of [
      ["signet.dev:svid:ours", "signet.dev/svid"],
      ["signet.dev:federated.partner:theirs", "signet.dev/federated.partner"],
    ] as const)
      expect(
        await cluster.request("POST", path, {
          body: { metadata: { name }, spec: { signerName, trustBundle: cluster.authority.cert } },
        }),
      ).toMatchObject({ status: 201 });
  });
});
