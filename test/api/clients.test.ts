import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { accepted, kubectlDone } from "../cluster/accepted.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { type Installed, installSignet } from "../cluster/install.ts";
import { type KeyPair, makeAuthority } from "../cluster/pki.ts";
import { freePort } from "../fakes/free-port.ts";
import { pathOf, pod } from "./objects.ts";
import { blocksOf, runScript } from "./runbook.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;
const TEST_MS = 120_000;
const NONE = "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins: []\n";

let clone: string;
let cluster: Cluster;
let signet: Installed;

const made = (name: string): string => join(clone, "my-signet", "clients", name);

/** The page's commands, and the API server started as it says; here Signet is called by URL. */
beforeAll(async () => {
  clone = await mkdtemp(join(await realpath(tmpdir()), "signet-clients-"));
  await symlink(join(import.meta.dirname, "..", "..", "manifests"), join(clone, "manifests"));
  await mkdir(join(clone, "my-signet", "clients"), { recursive: true });
  await writeFile(made("admission.yaml"), NONE);
  const flag = `--admission-control-config-file=${made("admission.yaml")}`;
  cluster = await bootCluster({ components: [], audit: "off", extraFlags: { "kube-apiserver": [flag] } });
  const port = await freePort();
  for (const start of ["A certificate for the API servers", "What the API servers read"])
    await run(start, { "signet.signet-system.svc": `127.0.0.1:${port}`, "/etc/kubernetes/signet": made("") });
  await cluster.restart("kube-apiserver");
  await accepted(cluster, "POST", pathOf("default", "serviceaccounts"), { body: { metadata: { name: "default" } } });
  const clients = { ca: made("ca.crt"), names: ["kube-apiserver"] };
  signet = await installSignet(cluster, { port, config: { clients } });
  await accepted(cluster, "POST", "/api/v1/namespaces", {
    body: { metadata: { name: "shop", labels: { "signet.dev/enrol": "true" } } },
  });
  await accepted(cluster, "POST", pathOf("shop", "serviceaccounts"), { body: { metadata: { name: "default" } } });
}, FIRST_BOOT_MS);

afterAll(async () => {
  await signet?.stop();
  await cluster?.stop();
  await rm(clone, { recursive: true, force: true });
}, TEST_MS);

async function run(start: string, instead: Readonly<Record<string, string>> = {}): Promise<void> {
  const block = blocksOf("install.md").find(({ title }) => title.replace(/^\d+: /, "").startsWith(start));
  const script = Object.entries(instead).reduce((text, [from, to]) => text.replaceAll(from, to), block?.script ?? "no");
  const { code, output } = await runScript(script, clone, cluster.env);
  expect(code, `${script}\n${output}`).toBe(0);
}

/** What a Pod's creation in an enrolled namespace comes to: the words of the verdict, or why there is none. */
async function created(): Promise<string> {
  const { body } = await cluster.request("POST", `${pathOf("shop", "pods")}?dryRun=All`, { body: pod("new") });
  return (body as { readonly message: string }).message;
}

test("the API server that shows the certificate gets its verdict", { timeout: TEST_MS }, async () => {
  await vi.waitFor(async () => expect(await created()).toContain("[ROLE_NONE]"), { timeout: 30_000 });
});

/** A review as an API server sends it, by whoever shows this certificate. */
function ask(client?: KeyPair): Promise<{ readonly status: number; readonly body: unknown }> {
  return new Promise((resolve, reject) => {
    const options = { method: "POST", headers: { "content-type": "application/json" }, rejectUnauthorized: false };
    const outgoing = request(`${signet.url}/validate`, { ...options, ...client, agent: false }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.once("end", () =>
        resolve({ status: incoming.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString("utf8")) }),
      );
    });
    outgoing.once("error", reject);
    outgoing.end("{}");
  });
}

test("whoever shows none, or another's, is not answered", { timeout: TEST_MS }, async () => {
  const stranger = await makeAuthority("stranger");
  const unknown = { status: 401, body: { type: "urn:signet:problem:CALLER_UNKNOWN" } };
  expect(await ask()).toMatchObject(unknown);
  expect(await ask(await stranger.client({ name: "kube-apiserver" }))).toMatchObject(unknown);
  const page = { cert: await readFile(made("client.crt"), "utf8"), key: await readFile(made("client.key"), "utf8") };
  expect(await ask(page)).toMatchObject({ status: 400, body: { type: "urn:signet:problem:REVIEW_INVALID" } });
});

test("an API server that was forgotten is not answered either, and says so", { timeout: TEST_MS }, async () => {
  await writeFile(made("admission.yaml"), NONE);
  await cluster.restart("kube-apiserver");
  await vi.waitFor(async () => expect(await created()).toContain("failed calling webhook"), { timeout: 30_000 });
});

test("the component mounts the authority that the page's command makes, and another opens its port beside it", {
  timeout: TEST_MS,
}, async () => {
  await run("When all API servers have it");
  const path = join(clone, "my-signet", "kustomization.yaml");
  const components = "components: [../manifests/components/clients, ../manifests/components/istio-certificates]";
  await writeFile(path, `resources: [../manifests/overlays/in-cluster]\n${components}\n`);
  const rendered = await kubectlDone(cluster, ["kustomize", join(clone, "my-signet")]);
  const container = rendered.slice(rendered.indexOf("- args:"), rendered.indexOf("image: signet"));
  expect(container).toContain("- --client-ca\n        - /etc/signet-clients/ca.crt");
  expect(container).toContain("- --grpc-listen\n        - 0.0.0.0:15012");
  for (const port of [
    "containerPort: 15012\n          name: grpc",
    "port: 15012\n    protocol: TCP\n    targetPort: grpc",
  ])
    expect(rendered).toContain(port);
  expect(rendered).toContain("- configMap:\n          name: signet-clients\n        name: clients");
});
