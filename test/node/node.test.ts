import { spawn } from "node:child_process";
import { once } from "node:events";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { STANDIN_IMAGE } from "../cluster/node/images.ts";
import { groupsNamed, type HostState, hostState, tracesOf } from "./traces.ts";

const BOOT_MS = 100_000;
const TEST_MS = 60_000;

function pod(name: string): object {
  const containers = [{ name: "main", image: STANDIN_IMAGE, args: ["tcp/8080"] }];
  return { apiVersion: "v1", kind: "Pod", metadata: { name }, spec: { terminationGracePeriodSeconds: 0, containers } };
}

const wait = (name: string, what: string): readonly string[] => [
  "wait",
  `--for=${what}`,
  `pod/${name}`,
  "--timeout=50s",
];

describe("a real node", { timeout: TEST_MS }, () => {
  let cluster: Cluster;
  let before: HostState;

  beforeAll(async () => {
    before = hostState();
    cluster = await bootCluster({ nodes: 1 });
    expect(hostState()).toEqual(before);
  }, BOOT_MS);

  afterAll(async () => {
    await cluster.stop();
    expect(await tracesOf(cluster.stateDir, 10_000)).toEqual([]);
    expect(hostState()).toEqual(before);
  }, TEST_MS);

  test("a Pod becomes Ready on it, a command runs inside, and what is deleted is gone", async () => {
    const made = await cluster.request("POST", "/api/v1/namespaces/default/pods", { body: pod("hello") });
    expect(made.status).toBe(201);
    expect(await cluster.kubectl(wait("hello", "condition=Ready"))).toMatchObject({ code: 0 });
    const said = await cluster.kubectl(["exec", "hello", "--", "standin", "connect", "127.0.0.1:8080"]);
    expect(said).toMatchObject({ code: 0, stdout: "open\n" });
    expect((await cluster.kubectl(["exec", "hello", "--", "standin", "connect", "127.0.0.1:81"])).stdout).toBe(
      "refused\n",
    );
    await cluster.request("DELETE", "/api/v1/namespaces/default/pods/hello");
    expect(await cluster.kubectl(wait("hello", "delete"))).toMatchObject({ code: 0 });
  });

  test("a Pod outlives a restart of kubelet and of containerd", async () => {
    await cluster.request("POST", "/api/v1/namespaces/default/pods", { body: pod("stays") });
    expect(await cluster.kubectl(wait("stays", "condition=Ready"))).toMatchObject({ code: 0 });
    await cluster.node().restart("containerd");
    await cluster.node().restart("kubelet");
    const said = () => cluster.kubectl(["exec", "stays", "--", "standin", "connect", "127.0.0.1:8080"]);
    await expect.poll(said, { timeout: 40_000 }).toMatchObject({ code: 0, stdout: "open\n" });
    const read = await cluster.request("GET", "/api/v1/namespaces/default/pods/stays");
    expect(read.body).toMatchObject({ status: { containerStatuses: [{ restartCount: 0 }] } });
  });
});

test("kill -9 of the program leaves nothing of a node and its Pods", { timeout: BOOT_MS }, async () => {
  const before = hostState();
  const main = join(import.meta.dirname, "../cluster/main.ts");
  const command = `kubectl create -f - <<'POD' && kubectl ${wait("left", "condition=Ready").join(" ")} && echo "UP $KUBECONFIG"; sleep 600.125
${JSON.stringify(pod("left"))}
POD`;
  const child = spawn(process.execPath, [main, "--nodes", "1", "--once", command], {
    env: { ...process.env, npm_lifecycle_event: undefined },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString("utf8");
  });
  await expect.poll(() => out, { timeout: BOOT_MS }).toMatch(/UP (\S+)\/kubeconfig\/admin/);
  const stateDir = dirname(dirname(/UP (\S+)/.exec(out)?.[1] ?? ""));
  expect(groupsNamed(basename(stateDir))).not.toEqual([]);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await tracesOf(stateDir, 20_000)).toEqual([]);
  expect(hostState()).toEqual(before);
});
