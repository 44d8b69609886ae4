import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readFile, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { accepted, kubectlDone } from "../cluster/accepted.ts";
import { findBinaries, sourcesFromEnvironment } from "../cluster/binaries.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { type Installed, installSignet } from "../cluster/install.ts";
import { type Reaper, startReaper } from "../cluster/reaper.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 30 * 60_000;
const TEST_MS = 120_000;
const PATIENCE = { timeout: 60_000, interval: 200 };
const ROOT = join(import.meta.dirname, "..", "..");
const LOG = "cert-manager.log";
const OWN = "namespaces/signet-system";
const CERTIFICATES = `/apis/cert-manager.io/v1/${OWN}/certificates`;
const BODY = { metadata: { name: "any" }, spec: { containers: [{ name: "main", image: "example.org/none" }] } };

let folder: string;
let cluster: Cluster;
let signet: Installed;
let reaper: Reaper;
let kubelet: NodeJS.Timeout;

/** cert-manager runs, the overlay with its component is applied, and the Secret lies where a Pod would have it mounted. */
beforeAll(async () => {
  folder = await mkdtemp(join(await realpath(tmpdir()), "signet-cert-manager-"));
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const binaries = await findBinaries(["cert-manager", "cert-manager-crds"], sourcesFromEnvironment(process.env), log);
  cluster = await bootCluster({ audit: "off" });
  reaper = startReaper(undefined);
  await kubectlDone(cluster, ["apply", "--server-side", "-f", binaries.get("cert-manager-crds") ?? ""]);
  await kubectlDone(cluster, ["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]);
  await kubectlDone(cluster, ["apply", "--server-side", "-k", await overlay()], { timeoutMs: TEST_MS });
  startCertManager(binaries.get("cert-manager") ?? "");
  await vi.waitFor(mountSecret, PATIENCE).catch(async (cause: unknown) => {
    throw new Error(`cert-manager made no Secret:\n${await readFile(join(folder, LOG), "utf8")}`, { cause });
  });
  kubelet = setInterval(() => void mountSecret().catch(() => undefined), 500);
  const config = { cluster: { certificateFolder: join(folder, "mounted") } };
  signet = await installSignet(cluster, { overlay: await overlay(), config });
  const labels = { "signet.dev/enrol": "true" };
  await accepted(cluster, "POST", "/api/v1/namespaces", { body: { metadata: { name: "enrolled", labels } } });
}, FIRST_BOOT_MS);

afterAll(async () => {
  clearInterval(kubelet);
  await signet?.stop();
  await reaper?.close();
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
}, TEST_MS);

async function overlay(): Promise<string> {
  const at = join(folder, "my-signet");
  await mkdir(at, { recursive: true });
  const [resource, component] = ["overlays/by-url", "components/cert-manager"].map((name) =>
    relative(at, join(ROOT, "manifests", name)),
  );
  await writeFile(join(at, "kustomization.yaml"), `resources: [${resource}]\ncomponents: [${component}]\n`);
  return at;
}

function startCertManager(program: string): void {
  const child = reaper.spawn(program, [], {
    env: { ...process.env, KUBECONFIG: cluster.kubeconfigPath },
    stdio: ["ignore", "ignore", "pipe"],
  });
  child.stderr?.pipe(createWriteStream(join(folder, LOG)));
}

/** What the API server answers; a test that fails says what it was where there is none. */
async function read(path: string): Promise<unknown> {
  const { status, body } = await cluster.request("GET", path);
  expect(status, path).toBe(200);
  return body;
}

type Secret = {
  readonly metadata: { readonly resourceVersion: string };
  readonly data: Readonly<Record<string, string>>;
};

let mounted = "";

/** As kubelet does: the files of one version in a folder of their own, and a link that is changed at one stroke. */
async function mountSecret(): Promise<void> {
  const { metadata, data } = (await read(`/api/v1/${OWN}/secrets/signet-certificate`)) as Secret;
  if (mounted === metadata.resourceVersion) return;
  const version = join(folder, metadata.resourceVersion);
  await mkdir(version, { recursive: true });
  for (const [name, value] of Object.entries(data)) await writeFile(join(version, name), Buffer.from(value, "base64"));
  await symlink(version, join(folder, "next"));
  await rename(join(folder, "next"), join(folder, "mounted"));
  mounted = metadata.resourceVersion;
}

/** What `cmctl renew` does. */
async function renew(certificate: string): Promise<void> {
  const condition = {
    type: "Issuing",
    status: "True",
    reason: "ManuallyTriggered",
    message: "asked for by a test",
    lastTransitionTime: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
  };
  await accepted(cluster, "PATCH", `${CERTIFICATES}/${certificate}/status`, {
    contentType: "application/json-patch+json",
    body: [{ op: "add", path: "/status/conditions/-", value: condition }],
  });
}

/** The serial number of the certificate that the address of the webhooks serves, if this authority has signed it. */
function served(ca: string): Promise<string> {
  const { hostname: host, port } = new URL(signet.url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), ca }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

/** The authority in each entry of the webhook configurations. */
async function bundles(): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const which of ["mutating", "validating"]) {
    const path = `/apis/admissionregistration.k8s.io/v1/${which}webhookconfigurations/signet`;
    const { webhooks } = (await read(path)) as {
      readonly webhooks: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
    };
    for (const { clientConfig } of webhooks) found.add(clientConfig.caBundle ?? "none");
  }
  return found;
}

/** Asks for Pods until it is told to stop; gives every answer that was no verdict of Signet's. */
function keepAsking(): () => Promise<readonly string[]> {
  const failures: string[] = [];
  const until = new AbortController();
  const run = async (): Promise<void> => {
    while (!until.signal.aborted) {
      const { body } = await cluster.request("POST", "/api/v1/namespaces/enrolled/pods?dryRun=All", { body: BODY });
      const { message = "" } = body as { readonly message?: string };
      if (!message.includes("ROLE_NONE")) failures.push(message);
      await sleep(50);
    }
  };
  const running = run();
  return async () => {
    until.abort();
    await running;
    return failures;
  };
}

const secretData = async (): Promise<Readonly<Record<string, string>>> =>
  ((await read(`/api/v1/${OWN}/secrets/signet-certificate`)) as Secret).data;

test("Signet serves with cert-manager's certificate, and cert-manager writes caBundle", {
  timeout: TEST_MS,
}, async () => {
  const { "ca.crt": authority = "" } = await secretData();
  expect(await bundles()).toEqual(new Set([authority]));
  expect(await served(Buffer.from(authority, "base64").toString("utf8"))).toMatch(/^[0-9A-F]+$/);
  const failures = keepAsking();
  await sleep(500);
  expect(await failures()).toEqual([]);
  const { body } = await cluster.request("GET", `/api/v1/${OWN}/secrets/signet-serving`);
  expect(body).not.toHaveProperty("data");
});

test("a renewed certificate is served without a restart, and no call fails meanwhile", {
  timeout: TEST_MS,
}, async () => {
  const before = await secretData();
  const ca = Buffer.from(before["ca.crt"] ?? "", "base64").toString("utf8");
  const old = await served(ca);
  const stop = keepAsking();
  await renew("signet-certificate");
  await vi.waitFor(async () => expect(await served(ca)).not.toBe(old), PATIENCE);
  await sleep(1_000);
  expect(await stop()).toEqual([]);
  expect((await secretData())["ca.crt"]).toBe(before["ca.crt"]);
});
