import { type ChildProcess, execFile, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { lookAt } from "../../src/bin/cluster/federation/look.ts";
import { authorityCertificateFile, servingCertificate } from "../../src/ca/serving.ts";
import { accepted, kubectlDone } from "../cluster/accepted.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { type Installed, installSignet } from "../cluster/install.ts";
import { applyApproved } from "../api/approve.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;
const TEST_MS = 90_000;
const POLL = { timeout: 60_000, interval: 100 };
const ROOT = join(import.meta.dirname, "..", "..");
const COMPONENTS = ["signer", "federation"].map((name) => join(ROOT, `manifests/components/${name}/${name}.yaml`));
const BUNDLES = "/apis/certificates.k8s.io/v1/clustertrustbundles";
const THEIRS = `${BUNDLES}/signet.dev:federated.partner:bundle`;
const OURS = `${BUNDLES}/signet.dev:svid:bundle`;
const PARTNER = "/apis/signet.dev/v1alpha1/trustdomains/partner";

const CATALOGUE = `
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [web], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: front}, spec: {segment: shop, match: {serviceAccounts: [front]}, identity: {delivery: podCertificate, federatesWith: [partner]}}}
`;

let folder: string;
let partner: ChildProcess;
let partnerUrl = "";
let partnerLog = "";
/** The port where it serves its bundle by its own identity. */
const partnerEndpoint = (): number =>
  Number(/"port":(\d+)[^\n]*"msg":"The bundle endpoint listens\."/.exec(partnerLog)?.[1]);
let relay: Server;
/** What the relay answers instead of the partner's bundle. */
let instead: string | undefined;
let cluster: Cluster;
let signet: Installed;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "signet-federation-"));
  await startPartner();
  await startRelay();
  // Read by each replica as it starts: the authority of the relay, beside those of the web.
  process.env["NODE_EXTRA_CA_CERTS"] = authorityCertificateFile(join(folder, "relay"));
  cluster = await bootCluster({ audit: "off" });
  await accepted(cluster, "POST", "/api/v1/namespaces", { body: { metadata: { name: "web" } } });
  await kubectlDone(cluster, ["create", "namespace", "signet-system", "--dry-run=client", "-o", "name"]);
  signet = await installSignet(cluster, { replicas: 2, config: { bundleEndpoint: { listen: "127.0.0.1:0" } } });
  await applyApproved(cluster, CATALOGUE, "alice");
}, FIRST_BOOT_MS);

afterAll(async () => {
  delete process.env["NODE_EXTRA_CA_CERTS"];
  await signet?.stop();
  await cluster?.stop();
  relay?.close();
  const ended = once(partner, "exit");
  partner.kill("SIGTERM");
  await ended;
  rmSync(folder, { recursive: true });
}, TEST_MS);

/** A standalone server of another trust domain. */
async function startPartner(): Promise<void> {
  mkdirSync(join(folder, "catalogue"));
  const domain =
    "{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: partner.org}}\n";
  writeFileSync(join(folder, "catalogue", "all.yaml"), domain);
  const cli = join(ROOT, "src/bin/cli.ts");
  const listens = ["--listen", "127.0.0.1:0", "--bundle-listen", "127.0.0.1:0"];
  const args = [cli, "server", ...listens, "--state", "state", "--catalogue", "catalogue"];
  partner = spawn(process.execPath, args, { cwd: folder });
  let said = "";
  partner.stderr?.on("data", (chunk: Buffer) => void (partnerLog += chunk.toString()));
  partner.stdout?.on("data", (chunk: Buffer) => void (said += chunk.toString()));
  const found = () => (partnerUrl = /https:\/\/\S+?(?=\/readyz)/.exec(said)?.[0] ?? "");
  await vi.waitFor(() => expect(found()).toMatch(/^https/), { timeout: TEST_MS });
}

/** What stands before it, as a CDN would: the same bundle, to be asked for every ten seconds. */
async function startRelay(): Promise<void> {
  const { key, certificate: cert } = await servingCertificate(join(folder, "relay"), ["localhost"], Date.now());
  relay = createServer({ key, cert }, (_, response) => {
    theirBundle().then(
      (text) => response.end(instead ?? text.replace('"spiffe_refresh_hint":300', '"spiffe_refresh_hint":10')),
      () => response.writeHead(502).end(),
    );
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
}

function theirBundle(): Promise<string> {
  const ca = readFileSync(join(folder, "state", "serving", "ca.crt"), "utf8");
  return new Promise((resolve, reject) => {
    request(`${partnerUrl}/v1/bundle`, { ca, agent: false }, (incoming) => {
      let text = "";
      incoming.on("data", (chunk: Buffer) => (text += chunk.toString())).on("end", () => resolve(text));
    })
      .on("error", reject)
      .end();
  });
}

type Json = { readonly [key: string]: unknown };
const get = async (path: string): Promise<Json> => (await cluster.request("GET", path)).body as Json;

const fingerprint = (pem: string): string => new X509Certificate(pem).fingerprint256;
/** Fingerprints of what the partner publishes now. */
async function theirRoots(): Promise<readonly string[]> {
  const { keys } = JSON.parse(await theirBundle()) as {
    readonly keys: readonly { readonly x5c?: readonly string[] }[];
  };
  return keys.flatMap(({ x5c = [] }) =>
    x5c.map((der) => new X509Certificate(Buffer.from(der, "base64")).fingerprint256),
  );
}
/** Fingerprints of what a ClusterTrustBundle holds; "absent" where there is none. */
async function published(path: string): Promise<readonly string[]> {
  const { spec } = await get(path);
  const { trustBundle } = (spec ?? {}) as { readonly trustBundle?: string };
  if (trustBundle === undefined) return ["absent"];
  return trustBundle.split(/(?<=-----END CERTIFICATE-----\n)/).map(fingerprint);
}

type Condition = { readonly type: string; readonly status: string; readonly reason: string; readonly message: string };
async function condition(type: string): Promise<string> {
  const { status } = await get(PARTNER);
  const { conditions = [] } = (status ?? {}) as { readonly conditions?: readonly Condition[] };
  const found = conditions.find((each) => each.type === type);
  return found ? `${found.status} ${found.reason}: ${found.message}` : "";
}

async function approvePartner(): Promise<void> {
  const { metadata } = (await get(PARTNER)) as { readonly metadata: { readonly generation: number } };
  await accepted(cluster, "PATCH", `${PARTNER}/status`, {
    user: "alice",
    groups: ["system:masters"],
    contentType: "application/json-patch+json",
    body: [{ op: "add", path: "/status/approvals/-", value: { generation: metadata.generation, by: "alice" } }],
  });
}

function applyPartner(): Promise<void> {
  const { port } = relay.address() as AddressInfo;
  return applyEndpoint({ url: `https://localhost:${port}/bundle.json`, profile: "https_web" });
}

/** From the partner itself, and no relay. */
async function bySpiffe(endpointSpiffeID: string): Promise<void> {
  const url = `https://localhost:${partnerEndpoint()}/v1/bundle`;
  await applyEndpoint({ url, profile: "https_spiffe", endpointSpiffeID, bootstrapBundle: await theirBundle() });
  await approvePartner();
}

async function applyEndpoint(endpoint: object): Promise<void> {
  const object = {
    apiVersion: "signet.dev/v1alpha1",
    kind: "TrustDomain",
    metadata: { name: "partner", annotations: { "signet.dev/editors": "kubernetes-admin" } },
    spec: { domain: "partner.org", bundleEndpoint: endpoint },
  };
  await kubectlDone(cluster, ["apply", "-f", "-"], { stdin: JSON.stringify(object) });
}

const rotate = (...args: readonly string[]) =>
  promisify(execFile)(process.execPath, [join(ROOT, "src/bin/cli.ts"), "ca", "rotate", "--state", "state", ...args], {
    cwd: folder,
  });

test("without the component nothing is fetched, and the TrustDomain says so", { timeout: TEST_MS }, async () => {
  await applyPartner();
  await approvePartner();
  await expect.poll(() => condition("Fetched"), POLL).toMatch(/^False NotInstalled: /);
  expect(await published(THEIRS)).toEqual(["absent"]);
});

test("a bundle of another domain is published under a name of its own, and not pooled with ours", {
  timeout: TEST_MS,
}, async () => {
  for (const component of COMPONENTS) await kubectlDone(cluster, ["apply", "--server-side", "-f", component]);
  await expect.poll(() => published(THEIRS), POLL).toEqual(await theirRoots());
  await expect
    .poll(() => condition("Fetched"), POLL)
    .toBe("True Fetched: 1 authority is published; it is fetched every 10 s.");
  await expect.poll(() => published(OURS), POLL).toHaveLength(1);
  expect(await published(OURS)).not.toEqual(await published(THEIRS));
  const { spec } = await get(THEIRS);
  expect(spec).toMatchObject({ signerName: "signet.dev/federated.partner" });
  const figures = (await Promise.all(signet.replicas().map((replica) => replica.metrics()))).join("");
  expect(figures).toContain('signet_federation_domains{state="fetched"} 1\n');
  expect(figures).toMatch(/signet_federation_bundle_age_seconds\{trust_domain="partner"\} \d/);
});

test("a new root of theirs arrives beside the old one before it signs, and nothing is missing in between", {
  timeout: TEST_MS,
}, async () => {
  const old = await theirRoots();
  const seen = new Set<string>();
  const look = async (): Promise<readonly string[]> => {
    const found = await published(THEIRS);
    seen.add(String(old.every((one) => found.includes(one))));
    return found;
  };
  await rotate();
  await expect.poll(theirRoots, POLL).toHaveLength(2);
  await expect.poll(look, POLL).toEqual(await theirRoots());
  expect([...seen]).toEqual(["true"]);
});

test("an endpoint that lies changes nothing, and is told", { timeout: TEST_MS }, async () => {
  const before = await published(THEIRS);
  instead = (await theirBundle()).replace(/"spiffe_sequence":\d+/, '"spiffe_sequence":0');
  await expect
    .poll(() => condition("Fetched"), POLL)
    .toMatch(/^False Older: The endpoint gave sequence number 0 after .* The bundle of .*Z stays\.$/);
  expect(await published(THEIRS)).toEqual(before);
  instead = undefined;
  await expect.poll(() => condition("Fetched"), POLL).toMatch(/^True Fetched: /);
});

test("another replica goes on from what is published, and a root that they take away is gone", {
  timeout: TEST_MS,
}, async () => {
  const figures = await Promise.all(signet.replicas().map((replica) => replica.metrics()));
  const writer = signet.replicas()[figures.findIndex((text) => text.includes("signet_federation_domains{"))];
  expect(await writer?.end("SIGTERM")).toBe(0);
  await rotate("--compromised", "--remove", "now", "--yes");
  await expect.poll(theirRoots, POLL).toHaveLength(1);
  await expect.poll(() => published(THEIRS), POLL).toEqual(await theirRoots());
});

test("Signet's account writes and deletes no bundle of anybody else", { timeout: TEST_MS }, async () => {
  const { spec } = (await get(OURS)) as { readonly spec: { readonly trustBundle: string } };
  const body = { metadata: { name: "of-somebody" }, spec: { trustBundle: spec.trustBundle } };
  await accepted(cluster, "POST", BUNDLES, { body });
  const as = { serviceAccount: "signet-system/signet" };
  for (const path of [`${BUNDLES}/of-somebody`, OURS])
    expect(await cluster.request("DELETE", path, as)).toMatchObject({
      status: 403,
      body: {
        message: expect.stringContaining("Signet writes its own bundle and those of federated domains") as string,
      },
    });
  expect(
    await cluster.request("POST", BUNDLES, { ...as, body: { ...body, metadata: { name: "another" } } }),
  ).toMatchObject({
    status: 403,
  });
});

test("by https_spiffe: the other Signet is known by its own identity, and by no other", {
  timeout: TEST_MS,
}, async () => {
  const own = "spiffe://partner.org/ns/signet-system/sa/signet";
  await bySpiffe(`${own}-2`);
  await expect
    .poll(() => condition("Fetched"), POLL)
    .toMatch(new RegExp(`^False Unavailable: .* it shows ${own} and not ${own}-2\\. The bundle of .*Z stays\\.$`));
  await bySpiffe(own);
  await expect
    .poll(() => condition("Fetched"), POLL)
    .toBe("True Fetched: 1 authority is published; it is fetched every 300 s.");
  expect(await published(THEIRS)).toEqual(await theirRoots());
});

test("our bundle is served so by every replica", { timeout: TEST_MS }, async () => {
  for (const replica of signet.replicas().filter((each) => each.running())) {
    const { port } = replica.log().find(({ msg }) => msg === "The bundle endpoint listens.") ?? {};
    const endpoint = {
      url: `https://localhost:${String(port)}/v1/bundle`,
      profile: "https_spiffe",
      spiffeId: "spiffe://example.org/ns/signet-system/sa/signet",
      bootstrap: await replica.text("/v1/bundle"),
    } as const;
    const domain = { name: "us", uid: "u", domain: "example.org", generation: 1, endpoint: endpoint as never };
    const look = async () => {
      const found = await lookAt(domain, undefined, new AbortController().signal);
      return found.got === "bundle" ? found.roots.map(({ pem }) => fingerprint(pem)) : found.failure.message;
    };
    await expect.poll(look, POLL).toEqual(await published(OURS));
  }
});

test("with the TrustDomain its bundle goes", { timeout: TEST_MS }, async () => {
  await accepted(cluster, "DELETE", PARTNER);
  await expect.poll(() => published(THEIRS), POLL).toEqual(["absent"]);
  expect(await published(OURS)).toHaveLength(1);
});
