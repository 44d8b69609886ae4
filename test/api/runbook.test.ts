import { mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ownerLabels } from "../../src/policy/compile/rendered.ts";
import { accepted, kubectlDone } from "../cluster/accepted.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { type Block, blocksOf, runScript } from "./runbook.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;
const TEST_MS = 120_000;

let cluster: Cluster;
let clone: string;

beforeAll(async () => {
  cluster = await bootCluster({ audit: "off" });
  clone = await mkdtemp(join(await realpath(tmpdir()), "signet-clone-"));
  await symlink(join(import.meta.dirname, "..", "..", "manifests"), join(clone, "manifests"));
}, FIRST_BOOT_MS);

afterAll(async () => {
  await rm(clone, { recursive: true, force: true });
  await cluster.stop();
}, TEST_MS);

/** Blocks that need nodes wait for Pods to run; here is an API server alone, so Signet is called by URL. */
const runnable = (page: string): readonly (readonly [string, Block])[] =>
  blocksOf(page)
    .filter(({ needsNodes }) => !needsNodes)
    .map((block) => [block.title, block]);

async function run({ script }: Block): Promise<string> {
  const here = script.replaceAll("overlays/in-cluster", "overlays/by-url");
  const { code, output } = await runScript(here, clone, cluster.env);
  expect(code, `${here}\n${output}`).toBe(0);
  return output;
}

const names = async (...args: readonly string[]): Promise<readonly string[]> => {
  const { stdout } = await cluster.kubectl([...args, "-o", "name"]);
  return stdout.split("\n").filter((line) => line !== "");
};

const WEBHOOKS = [
  "mutatingwebhookconfiguration.admissionregistration.k8s.io/signet",
  "validatingwebhookconfiguration.admissionregistration.k8s.io/signet",
];
const webhooks = () => names("get", "mutatingwebhookconfiguration,validatingwebhookconfiguration");

describe("install.md", () => {
  test.each(runnable("install.md"))("%s", { timeout: TEST_MS }, async (_title, block) => {
    await run(block);
  });

  test("then kinds, webhooks and an enrolled namespace are there, approved by somebody else", async () => {
    expect(await names("get", "crd")).toHaveLength(8);
    expect(await webhooks()).toEqual(WEBHOOKS);
    expect(await names("get", "namespace", "-l", "signet.dev/enrol=true")).toEqual(["namespace/payments"]);
    const { stdout } = await cluster.kubectl(["get", "segment/payments", "-o", "jsonpath={.status.approvals[*].by}"]);
    expect(stdout).toBe("ann@example.org");
  });
});

describe("upgrade.md", () => {
  test.each(runnable("upgrade.md"))("%s", { timeout: TEST_MS }, async (_title, block) => {
    await run(block);
  });
});

describe("break-glass.md", () => {
  const blocks = runnable("break-glass.md");
  const step = (start: string): Block => {
    const found = blocks.find(([title]) => title.replace(/^\d+: /, "").startsWith(start));
    if (!found) throw new Error(`There is no step "${start}".`);
    return found[1];
  };
  const createPod = (namespace: string) =>
    cluster.request("POST", `/api/v1/namespaces/${namespace}/pods?dryRun=All`, {
      body: { metadata: { name: "new" }, spec: { containers: [{ name: "main", image: "example.org/none" }] } },
    });

  test("with Signet away, an enrolled namespace refuses new Pods", { timeout: TEST_MS }, async () => {
    await run(step("1. Is it Signet"));
    await expect.poll(async () => (await createPod("payments")).status, { timeout: 10_000 }).toBe(500);
  });

  test("a namespace taken out takes Pods again, and one put back does not", { timeout: TEST_MS }, async () => {
    await run(step("3. Take one namespace out"));
    await expect.poll(async () => (await createPod("payments")).status, { timeout: 10_000 }).toBe(201);
    await kubectlDone(cluster, ["label", "namespace", "payments", "signet.dev/enrol=true"]);
    await expect.poll(async () => (await createPod("payments")).status, { timeout: 10_000 }).toBe(500);
  });

  test("failing open, an enrolled namespace takes Pods", { timeout: TEST_MS }, async () => {
    await run(step("4. Let everything through"));
    await expect.poll(async () => (await createPod("payments")).status, { timeout: 10_000 }).toBe(201);
  });

  test("the webhooks go, and the guards' bindings", { timeout: TEST_MS }, async () => {
    await run(step("5. Take the webhooks away"));
    await run(step("6. Take the guards away"));
    expect(await webhooks()).toEqual([]);
    expect(await names("get", "validatingadmissionpolicybinding,mutatingadmissionpolicybinding")).toEqual([]);
  });

  test("afterwards all is as before", { timeout: TEST_MS }, async () => {
    for (const [, block] of blocks.slice(-2)) await run(block);
    expect(await webhooks()).toEqual(WEBHOOKS);
    await expect.poll(async () => (await createPod("payments")).status, { timeout: 10_000 }).toBe(500);
  });
});

describe("uninstall.md", () => {
  const PUBLISHED = ["networkpolicy", "--all-namespaces", "-l", "app.kubernetes.io/managed-by=signet"];

  beforeAll(async () => {
    const metadata = { name: "signet-default-deny", namespace: "payments", labels: ownerLabels("networkpolicy") };
    const spec = { podSelector: {}, policyTypes: ["Ingress", "Egress"] };
    const body = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec };
    await accepted(cluster, "POST", "/apis/networking.k8s.io/v1/namespaces/payments/networkpolicies", { body });
    expect(await names("get", ...PUBLISHED)).toHaveLength(1);
  });

  test.each(runnable("uninstall.md"))("%s", { timeout: TEST_MS }, async (_title, block) => {
    await run(block);
  });

  test("then nothing of Signet is left, and Pods are created as ever", { timeout: TEST_MS }, async () => {
    expect(await webhooks()).toEqual([]);
    expect(
      await names("get", "crd,clusterrole,clusterrolebinding,flowschema", "-l", "app.kubernetes.io/part-of=signet"),
    ).toEqual([]);
    expect(await names("get", "namespace", "signet-system", "--ignore-not-found")).toEqual([]);
    expect(await names("get", ...PUBLISHED)).toEqual([]);
    const { code } = await cluster.kubectl(["run", "probe", "-n", "payments", "--image=example.org/none"]);
    expect(code).toBe(0);
  });
});
