import { createPublicKey, randomBytes, X509Certificate } from "node:crypto";
import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyInPool } from "../../src/ca/keys/verify-signature.ts";
import { publishBundle } from "../../src/bin/cluster/issuing/publish-bundle.ts";
import { AccountPods } from "../../src/bin/cluster/signer/account-pods.ts";
import { runSigner, type Signer } from "../../src/bin/cluster/signer/signer.ts";
import { certificatesPem } from "../../src/ca/pem.ts";
import { type KubeClient, makeKubeClient } from "../../src/kube/client.ts";
import { EventRecorder } from "../../src/kube/events.ts";
import { systemClock } from "../../src/kube/clock.ts";
import { readClusterAccess } from "../../src/kube/config.ts";
import { type Connection, makeConnection } from "../../src/kube/connection.ts";
import { podCertificateVersion } from "../../src/kube/signer-watches.ts";
import { sourcesFromEnvironment } from "../cluster/binaries.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { createAccounts, createPod } from "../cluster/certified-pods.ts";
import { type KeyShown, requestPodCertificate } from "../cluster/play-kubelet.ts";
import { PROFILES, testAuthority } from "../fakes/ca.ts";
import { catalogueOf, must } from "../fakes/judging.ts";
import { quietLog } from "../fakes/quiet-log.ts";
import { olderServer } from "./older.ts";

/** The first run on a machine may have to build the older server, as long as the newest takes. */
const FIRST_BOOT_MS = 30 * 60_000;
const TEST_MS = 60_000;
const POLL = { timeout: 30_000, interval: 100 };
const GROUP = "certificates.k8s.io/v1beta1";
/** What an operator switches on before 1.37 to have certificates for Pods. */
const GATES = [
  "--feature-gates=PodCertificateRequest=true,ClusterTrustBundle=true,ClusterTrustBundleProjection=true",
  `--runtime-config=${GROUP}/podcertificaterequests=true,${GROUP}/clustertrustbundles=true`,
];

const CATALOGUE = catalogueOf(`
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [web], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: front}, spec: {segment: shop, match: {serviceAccounts: [front]}, identity: {delivery: podCertificate}}}
`);

let cluster: Cluster;
let connection: Connection;
let client: KubeClient;
let pods: AccountPods;
let signer: Signer;
let authority: Awaited<ReturnType<typeof testAuthority>>;

beforeAll(async () => {
  const assets = await olderServer((line) => process.stderr.write(`${line}\n`));
  cluster = await bootCluster({
    components: [],
    fakeNodes: 1,
    audit: "off",
    sources: { ...sourcesFromEnvironment(process.env), assets },
    extraFlags: { "kube-apiserver": GATES },
  });
  await createAccounts(cluster, "web", ["front"]);
  const access = must(await readClusterAccess({ env: { KUBECONFIG: cluster.kubeconfigPath } }));
  connection = makeConnection(access, { clock: systemClock });
  client = makeKubeClient(connection);
  authority = await testAuthority(PROFILES, "example.org", Date.now());
  const means = { connection, clock: systemClock, random: Math.random, log: quietLog };
  pods = new AccountPods(means);
  pods.start();
  signer = runSigner({
    ...means,
    client,
    pods,
    version: (await podCertificateVersion(client)) ?? "",
    first: () => true,
    events: new EventRecorder({ ...means, client, instance: "test" }),
    told: () => undefined,
    walk: {
      lookup: () => ({ catalogue: CATALOGUE, issuer: authority.issuer, profiles: PROFILES }),
      record: () => Promise.resolve(),
      now: Date.now,
      random: randomBytes,
      verify: verifyInPool,
    },
  });
}, FIRST_BOOT_MS);

afterAll(async () => {
  await signer?.stop();
  await pods?.stop();
  connection?.close();
  await cluster?.stop();
}, TEST_MS);

test("it is an older server, with the versions that it has", async () => {
  expect((await cluster.request("GET", "/version")).body).toMatchObject({ major: "1", minor: "36" });
  expect(await podCertificateVersion(client)).toBe("v1beta1");
});

type Read = {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly object[]; readonly certificateChain?: string };
};

const FORMS: readonly KeyShown["form"][] = ["pkcs10", "pkix"];

test.each(FORMS)("a kubelet that shows its key as %s gets a certificate for it", { timeout: TEST_MS }, async (form) => {
  await createPod(cluster, { namespace: "web", name: form, account: "front", node: "n1" });
  const place = { namespace: "web", pod: form, node: "n1" };
  let asked: Awaited<ReturnType<typeof requestPodCertificate>> | undefined;
  const ask = async (): Promise<unknown> => {
    asked = await requestPodCertificate(cluster, place, "signet.dev/svid", undefined, { version: "v1beta1", form });
    return asked.answer.status === 201 ? 201 : asked.answer.body;
  };
  await expect.poll(ask, POLL).toBe(201);
  if (!asked) throw new Error("nothing was asked");
  const path = `/apis/${GROUP}/namespaces/web/podcertificaterequests/${(asked.answer.body as Read).metadata.name}`;
  let read: Read | undefined;
  const conditions = async () => (read = (await cluster.request("GET", path)).body as Read).status?.conditions ?? [];
  await expect.poll(conditions, POLL).toMatchObject([{ type: "Issued", status: "True" }]);
  const leaf = new X509Certificate(read?.status?.certificateChain ?? "");
  const spki = Buffer.from(await crypto.subtle.exportKey("spki", asked.keys.publicKey));
  expect(leaf.publicKey.equals(createPublicKey({ key: spki, format: "der", type: "spki" }))).toBe(true);
  expect(leaf.subjectAltName).toBe("URI:spiffe://example.org/ns/web/sa/front");
});

test("the bundle is published in the version that it has", { timeout: TEST_MS }, async () => {
  const trustBundle = certificatesPem([authority.root.der]);
  await publishBundle(client, trustBundle);
  const { body } = await cluster.request("GET", `/apis/${GROUP}/clustertrustbundles/signet.dev:svid:bundle`);
  expect(body).toMatchObject({ apiVersion: GROUP, spec: { signerName: "signet.dev/svid", trustBundle } });
});
