import { createPublicKey, randomBytes, X509Certificate } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyInPool } from "../../src/ca/keys/verify-signature.ts";
import { AccountPods } from "../../src/bin/cluster/signer/account-pods.ts";
import { publishBundle } from "../../src/bin/cluster/issuing/publish-bundle.ts";
import { runSigner, type Signer } from "../../src/bin/cluster/signer/signer.ts";
import { type KubeClient, makeKubeClient } from "../../src/kube/client.ts";
import { EventRecorder } from "../../src/kube/events.ts";
import { systemClock } from "../../src/kube/clock.ts";
import { refuse } from "../../src/domain/problem.ts";
import { readClusterAccess } from "../../src/kube/config.ts";
import { type Connection, makeConnection } from "../../src/kube/connection.ts";
import { podCertificateVersion } from "../../src/kube/signer-watches.ts";
import type { Raw } from "../../src/wire/read-object.ts";
import { certificatesPem } from "../../src/ca/pem.ts";
import type { IssuanceRecord } from "../../src/wire/issuance-record.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { createAccounts, createPod } from "../cluster/certified-pods.ts";
import { type PodOnNode, requestPodCertificate } from "../cluster/play-kubelet.ts";
import { PROFILES, testAuthority } from "../fakes/ca.ts";
import { catalogueOf, must } from "../fakes/judging.ts";
import { quietLog } from "../fakes/quiet-log.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;
const TEST_MS = 60_000;
const POLL = { timeout: 30_000, interval: 50 };

const catalogue = (more = "") =>
  catalogueOf(`
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [web], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: front}, spec: {segment: shop, match: {serviceAccounts: [front]}, identity: {delivery: podCertificate}}}
${more}`);

const LATE_ROLE = `---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: late}, spec: {segment: shop, match: {serviceAccounts: [late]}}}
`;
const QUARANTINE = `---
{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: q-1}, spec: {target: {pod: {namespace: web, name: bad}}, effect: quarantine, reason: It scans.}}
`;

type Authority = Awaited<ReturnType<typeof testAuthority>>;
let cluster: Cluster;
let connection: Connection;
let client: KubeClient;
let authority: Authority;
let version: string;
let pods: AccountPods;
let current = catalogue();
const ledger: (IssuanceRecord & { readonly replica: string })[] = [];
/** The replica and the reason of each look that left a request waiting. */
const waits: string[] = [];
const signers: Signer[] = [];

/** One replica's signer; `first` answers at once. */
function start(name: string, first: boolean, writes = client): Signer {
  const signer = runSigner({
    connection,
    client: writes,
    pods,
    clock: systemClock,
    random: Math.random,
    log: quietLog,
    version,
    first: () => first,
    events: new EventRecorder({
      client: writes,
      clock: systemClock,
      random: Math.random,
      log: quietLog,
      instance: name,
    }),
    told: (outcome, reason) => void (outcome === "pending" && waits.push(`${name} ${reason}`)),
    walk: {
      lookup: () => ({ catalogue: current, issuer: authority.issuer, profiles: PROFILES }),
      record: (record) => Promise.resolve(void ledger.push({ ...record, replica: name })),
      now: Date.now,
      random: randomBytes,
      verify: verifyInPool,
    },
  });
  signers.push(signer);
  return signer;
}

beforeAll(async () => {
  cluster = await bootCluster({ fakeNodes: 2, audit: "off" });
  await createAccounts(cluster, "web", ["front", "late"]);
  const access = must(await readClusterAccess({ env: { KUBECONFIG: cluster.kubeconfigPath } }));
  connection = makeConnection(access, { clock: systemClock });
  client = makeKubeClient(connection);
  authority = await testAuthority(PROFILES, "example.org", Date.now());
  version = (await podCertificateVersion(client)) ?? "";
  pods = new AccountPods({ connection, clock: systemClock, random: Math.random, log: quietLog });
  pods.start();
  start("a", true);
  start("b", false);
}, FIRST_BOOT_MS);

afterAll(async () => {
  await Promise.all(signers.map((signer) => signer.stop()));
  await pods?.stop();
  connection?.close();
  await cluster?.stop();
}, TEST_MS);

const place = (pod: string, node = "n1"): PodOnNode => ({ namespace: "web", pod, node });
type Asked = Awaited<ReturnType<typeof requestPodCertificate>>;

/** Asks as the Pod's kubelet; the server learns of a bound Pod a little later. */
async function ask(where: PodOnNode, who?: Parameters<typeof requestPodCertificate>[3]): Promise<Asked> {
  const asked: Asked[] = [];
  const once = async (): Promise<number> => {
    const [made] = asked.splice(0, 1, await requestPodCertificate(cluster, where, "signet.dev/svid", who));
    return (asked[0] ?? made)?.answer.status ?? 0;
  };
  await expect.poll(once, POLL).toBe(201);
  return asked[0] as Asked;
}

type Read = {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly Raw[]; readonly certificateChain?: string };
};
const nameOf = ({ answer }: Asked): string => (answer.body as Read).metadata.name;

async function answered(asked: Asked) {
  const path = `/apis/certificates.k8s.io/v1/namespaces/web/podcertificaterequests/${nameOf(asked)}`;
  let read: Read | undefined;
  const conditions = async () => {
    read = (await cluster.request("GET", path)).body as Read;
    return read.status?.conditions?.length ?? 0;
  };
  await expect.poll(conditions, POLL).toBe(1);
  const [condition] = read?.status?.conditions ?? [];
  return { ...condition, chain: read?.status?.certificateChain ?? "" } as Raw & { readonly chain: string };
}

const events = async (pod: string) => {
  const path = "/apis/events.k8s.io/v1/namespaces/web/events";
  const { items } = (await cluster.request("GET", path)).body as { readonly items: readonly Raw[] };
  return items
    .filter(({ regarding }) => (regarding as Raw)["name"] === pod)
    .map(({ reason, note }) => `${String(reason)}: ${String(note)}`);
};

test("a kubelet's request is answered with a chain for the key it holds and the name that its Pod has", {
  timeout: TEST_MS,
}, async () => {
  await createPod(cluster, { ...base("web-1"), keyType: "ECDSAP256" });
  const asked = await ask(place("web-1"));
  const { chain, ...condition } = await answered(asked);
  expect(condition).toMatchObject({ type: "Issued", status: "True", reason: "Issued" });
  const [leaf, issuing] = chain.split(/(?<=-----END CERTIFICATE-----\n)/).map((pem) => new X509Certificate(pem));
  const spki = await crypto.subtle.exportKey("spki", asked.keys.publicKey);
  expect(leaf?.publicKey.equals(createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" }))).toBe(true);
  expect(leaf?.subjectAltName).toBe("URI:spiffe://example.org/ns/web/sa/front");
  expect([leaf?.verify(issuing?.publicKey ?? asKey()), issuing?.raw.equals(authority.issuing.der)]).toEqual([
    true,
    true,
  ]);
  expect(ledger.filter(({ subject }) => subject === "Pod web/web-1")).toMatchObject([
    {
      outcome: "issued",
      door: "podCertificateRequest",
      caller: "system:node:n1",
      spiffeId: "spiffe://example.org/ns/web/sa/front",
    },
  ]);
});

const base = (name: string) => ({ namespace: "web", name, account: "front", node: "n1" });
const asKey = () => createPublicKey(authority.key);

test("an administrator's request for a Pod that is not there is denied, which the API server does not do", {
  timeout: TEST_MS,
}, async () => {
  await createPod(cluster, base("shadow"));
  const honest = await ask(place("shadow"));
  const { spec } = honest.answer.body as { readonly spec: Raw };
  const forge = async (name: string, change: Raw) => {
    const path = "/apis/certificates.k8s.io/v1/namespaces/web/podcertificaterequests";
    const answer = await cluster.request("POST", path, { body: { metadata: { name }, spec: { ...spec, ...change } } });
    expect(answer.status).toBe(201);
    return answered({ ...honest, answer });
  };
  expect(await forge("ghost", { podName: "ghost", podUID: "00000000-0000-0000-0000-000000000000" })).toMatchObject({
    type: "Denied",
    reason: "PodUnknown",
    message: "There is no Pod web/ghost with UID 00000000-0000-0000-0000-000000000000.",
    chain: "",
  });
  expect(await forge("moved", { nodeName: "n2" })).toMatchObject({ type: "Denied", reason: "PodOnOtherNode" });
  expect(await forge("other", { serviceAccountName: "late" })).toMatchObject({
    type: "Denied",
    reason: "ServiceAccountNotOfPod",
  });
  expect(ledger.filter(({ subject }) => subject === "Pod web/ghost")).toMatchObject([
    { outcome: "refused", code: "REQUEST_UNTRUE" },
  ]);
});

test("a Pod's userAnnotations are denied for good", { timeout: TEST_MS }, async () => {
  await createPod(cluster, { ...base("notes"), userAnnotations: { "example.org/spiffe-id": "spiffe://x/admin" } });
  const honest = await ask(place("notes"));
  const path = "/apis/certificates.k8s.io/v1/namespaces/web/podcertificaterequests";
  const { spec } = honest.answer.body as { readonly spec: Raw };
  const noted = { ...spec, unverifiedUserAnnotations: { "example.org/spiffe-id": "spiffe://x/admin" } };
  const answer = await cluster.request("POST", path, { body: { metadata: { name: "noted" }, spec: noted } });
  expect(answer.status).toBe(201);
  expect(await answered({ ...honest, answer })).toMatchObject({
    type: "Denied",
    reason: "InvalidUnverifiedUserAnnotations",
  });
});

test("a Pod without a role waits, its Events say why, and it gets its certificate as soon as it has one", {
  timeout: TEST_MS,
}, async () => {
  await createPod(cluster, { ...base("late-1"), account: "late" });
  const asked = await ask(place("late-1"));
  await expect
    .poll(() => events("late-1"), POLL)
    .toMatchObject([expect.stringMatching(/^RoleNone: The certificate waits: No role fits account web\/late\. /)]);
  current = catalogue(LATE_ROLE);
  for (const signer of signers) signer.hurry();
  expect(await answered(asked)).toMatchObject({ type: "Issued" });
});

test("a quarantined Pod waits, nothing is issued, and the ledger hears of it once", { timeout: TEST_MS }, async () => {
  current = catalogue(QUARANTINE);
  await createPod(cluster, base("bad"));
  const asked = await ask(place("bad"));
  await expect
    .poll(() => events("bad"), POLL)
    .toMatchObject([
      expect.stringMatching(
        /^IdentityRestricted: The certificate waits: Restriction q-1 \(quarantine\) stands against it: It scans\./,
      ),
    ]);
  expect(ledger.filter(({ subject, outcome }) => subject === "Pod web/bad" && outcome === "issued")).toEqual([]);
  const looks = () => waits.filter((each) => each === "a IdentityRestricted").length;
  await expect.poll(looks, POLL).toBeGreaterThanOrEqual(3);
  expect(ledger.filter(({ subject, replica }) => subject === "Pod web/bad" && replica === "a")).toMatchObject([
    { outcome: "refused", code: "IDENTITY_RESTRICTED" },
  ]);
  current = catalogue(LATE_ROLE);
  for (const signer of signers) signer.hurry();
  expect(await answered(asked)).toMatchObject({ type: "Issued" });
});

test("all requests of a node that restarts are answered, each once, and by the others where the first is silent", {
  timeout: TEST_MS,
}, async () => {
  const names = Array.from({ length: 40 }, (_, index) => `burst-${index}`);
  await Promise.all(names.map((name) => createPod(cluster, base(name))));
  const burst = await Promise.all(names.map((name) => ask(place(name))));
  expect((await Promise.all(burst.map(answered))).map(({ type }) => type)).toEqual(names.map(() => "Issued"));
  await signers.splice(0, 1)[0]?.stop();
  await createPod(cluster, base("orphan"));
  expect(await answered(await ask(place("orphan")))).toMatchObject({ type: "Issued" });
});

test("a certificate that the API server did not take is handed in again, and no other is issued", {
  timeout: TEST_MS,
}, async () => {
  await Promise.all(signers.splice(0).map((signer) => signer.stop()));
  let refused = 0;
  start("c", true, {
    ...client,
    update: (...write) => {
      refused += 1;
      return refused > 2 ? client.update(...write) : Promise.resolve(refuse("API_REFUSED", "", "Not now."));
    },
  });
  await createPod(cluster, base("again"));
  const { type, chain } = await answered(await ask(place("again")));
  const issued = ledger.filter(({ subject, outcome }) => subject === "Pod web/again" && outcome === "issued");
  expect([type, refused]).toEqual(["Issued", 3]);
  expect(issued).toMatchObject([{ serial: new X509Certificate(chain).serialNumber.toLowerCase() }]);
});

test("the bundle is published under our signer's name, and again when it changes", { timeout: TEST_MS }, async () => {
  const path = "/apis/certificates.k8s.io/v1/clustertrustbundles/signet.dev:svid:bundle";
  type Bundle = { readonly metadata: { readonly resourceVersion: string }; readonly spec: object };
  const present = async () => (await cluster.request("GET", path)).body as Bundle;
  for (const roots of [[authority.root.der], [authority.root.der, authority.issuing.der]]) {
    const trustBundle = certificatesPem(roots);
    await publishBundle(client, trustBundle);
    const written = await present();
    expect(written.spec).toEqual({ signerName: "signet.dev/svid", trustBundle });
    await publishBundle(client, trustBundle);
    expect((await present()).metadata.resourceVersion).toBe(written.metadata.resourceVersion);
  }
});
