import { once } from "node:events";
import { createServer, type Server } from "node:https";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accepted } from "./accepted.ts";
import { bootCluster, type Cluster } from "./boot.ts";
import { requestPodCertificate } from "./play-kubelet.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;
const TEST_MS = 60_000;
const ADMISSION = "/apis/admissionregistration.k8s.io/v1";

let cluster: Cluster;

beforeAll(async () => {
  cluster = await bootCluster({ fakeNodes: 2 });
}, FIRST_BOOT_MS);

afterAll(() => cluster.stop(), TEST_MS);

const create = (path: string, body: unknown): Promise<unknown> => accepted(cluster, "POST", path, { body });

/** A namespace of the test's own; policies and webhooks are bound to it by name. */
async function namespace(name: string) {
  await create("/api/v1/namespaces", { metadata: { name } });
  return { matchLabels: { "kubernetes.io/metadata.name": name } };
}

function pod(name: string, extra: Readonly<Record<string, unknown>> = {}) {
  return { metadata: { name }, spec: { containers: [{ name: "main", image: "example.org/none" }], ...extra } };
}

function configMap(name: string, data: Readonly<Record<string, string>> = {}) {
  return { metadata: { name }, data };
}

type Review = { readonly request: { readonly uid: string; readonly name: string; readonly namespace: string } };

/** A webhook that puts one label on whatever it is asked about. */
async function labelling(seen: Review[]): Promise<{ readonly server: Server; readonly url: string }> {
  const pair = await cluster.authority.server({ name: "webhook" }, ["127.0.0.1"]);
  const server = createServer(pair, (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const review: Review = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      seen.push(review);
      const patch = Buffer.from('[{"op":"add","path":"/metadata/labels","value":{"seen":"yes"}}]').toString("base64");
      const response = { uid: review.request.uid, allowed: true, patchType: "JSONPatch", patch };
      outgoing.setHeader("content-type", "application/json");
      outgoing.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return { server, url: `https://127.0.0.1:${typeof address === "object" ? address?.port : 0}/mutate` };
}

test("a webhook given by its address on loopback is called and its patch applied", { timeout: TEST_MS }, async () => {
  const namespaceSelector = await namespace("hooked");
  const seen: Review[] = [];
  const { server, url } = await labelling(seen);
  try {
    await create(`${ADMISSION}/mutatingwebhookconfigurations`, {
      metadata: { name: "labelling" },
      webhooks: [
        {
          name: "labelling.example.org",
          clientConfig: { url, caBundle: Buffer.from(cluster.authority.cert).toString("base64") },
          rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
          namespaceSelector,
          failurePolicy: "Fail",
          sideEffects: "None",
          admissionReviewVersions: ["v1"],
        },
      ],
    });
    // The server takes notice of a new configuration a little later.
    const labels = async () => {
      const answer = await cluster.request("POST", "/api/v1/namespaces/hooked/pods?dryRun=All", { body: pod("probe") });
      return answer.body;
    };
    await expect.poll(labels, { timeout: 10_000 }).toMatchObject({ metadata: { labels: { seen: "yes" } } });
    expect(seen.at(-1)).toMatchObject({ request: { name: "probe", namespace: "hooked" } });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("a ValidatingAdmissionPolicy refuses in its own words", { timeout: TEST_MS }, async () => {
  const namespaceSelector = await namespace("validated");
  await create(`${ADMISSION}/validatingadmissionpolicies`, {
    metadata: { name: "no-secret-maps" },
    spec: {
      failurePolicy: "Fail",
      matchConstraints: {
        namespaceSelector,
        resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }],
      },
      validations: [{ expression: "!object.metadata.name.startsWith('secret')", message: "say it openly" }],
    },
  });
  await create(`${ADMISSION}/validatingadmissionpolicybindings`, {
    metadata: { name: "no-secret-maps" },
    spec: { policyName: "no-secret-maps", validationActions: ["Deny"] },
  });
  const path = "/api/v1/namespaces/validated/configmaps?dryRun=All";
  const refused = () => cluster.request("POST", path, { body: configMap("secret-1") });
  await expect.poll(refused, { timeout: 10_000 }).toMatchObject({
    status: 422,
    body: { message: expect.stringMatching(/ValidatingAdmissionPolicy 'no-secret-maps'.*say it openly$/) },
  });
  expect(await cluster.request("POST", path, { body: configMap("open") })).toMatchObject({ status: 201 });
});

test("a MutatingAdmissionPolicy is served as v1 and changes what is created", { timeout: TEST_MS }, async () => {
  const namespaceSelector = await namespace("mutated");
  const expression = "Object{metadata: Object.metadata{labels: {'editor': request.userInfo.username}}}";
  await create(`${ADMISSION}/mutatingadmissionpolicies`, {
    metadata: { name: "editor" },
    spec: {
      failurePolicy: "Fail",
      reinvocationPolicy: "Never",
      matchConstraints: {
        namespaceSelector,
        resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }],
      },
      mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression } }],
    },
  });
  await create(`${ADMISSION}/mutatingadmissionpolicybindings`, {
    metadata: { name: "editor" },
    spec: { policyName: "editor" },
  });
  const made = async () => {
    const path = "/api/v1/namespaces/mutated/configmaps?dryRun=All";
    return (await cluster.request("POST", path, { body: configMap("any") })).body;
  };
  await expect.poll(made, { timeout: 10_000 }).toMatchObject({ metadata: { labels: { editor: "kubernetes-admin" } } });
});

test("a node asks for the certificate of a Pod of its own, and not of another node's", {
  timeout: TEST_MS,
}, async () => {
  const signerName = "example.org/svid";
  await namespace("named");
  await create("/api/v1/namespaces/named/serviceaccounts", { metadata: { name: "orders" } });
  const podCertificate = { signerName, keyType: "ECDSAP256", credentialBundlePath: "bundle.pem" };
  const volumes = [{ name: "id", projected: { sources: [{ podCertificate }] } }];
  const bound = { nodeName: "n1", serviceAccountName: "orders", volumes };
  await create("/api/v1/namespaces/named/pods", pod("orders", bound));

  const ask = (node: string) =>
    requestPodCertificate(cluster, { namespace: "named", pod: "orders", node }, signerName).then(
      (asked) => asked.answer,
    );
  // The server learns of the bound Pod a little later.
  await expect
    .poll(() => ask("n1"), { timeout: 10_000, interval: 200 })
    .toMatchObject({
      status: 201,
      body: { apiVersion: "certificates.k8s.io/v1", spec: { signerName, podName: "orders", nodeName: "n1" } },
    });
  expect(await ask("n2")).toMatchObject({ status: 403 });
});

test("the bundle that says whom to trust is served as v1", { timeout: TEST_MS }, async () => {
  const made = await create("/apis/certificates.k8s.io/v1/clustertrustbundles", {
    metadata: { name: "example.org:svid:ours" },
    spec: { signerName: "example.org/svid", trustBundle: cluster.authority.cert },
  });
  expect(made).toMatchObject({ apiVersion: "certificates.k8s.io/v1", spec: { trustBundle: cluster.authority.cert } });
});
