import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import { applyApproved } from "../api/approve.ts";
import { accepted, kubectlDone } from "../cluster/accepted.ts";
import type { BinaryName } from "../cluster/recipes.ts";
import type { Cluster } from "../cluster/boot.ts";
import { standinMembers } from "../cluster/node/images.ts";
import { type PodFacts, peersOf } from "../cluster/node/peers.ts";
import type { Peer } from "../cluster/node/probing.ts";
import { JUDGED_POD_NETWORK } from "../cluster/node/networks/calico.ts";
import { listensOf, readApplication, standInImages } from "../cluster/node/standins.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const DATA = join(ROOT, "test/conformance/data/apps/online-boutique");
/** The application, as its authors wrote it. */
export const MANIFESTS = join(DATA, "kubernetes-manifests.yaml");
/** The catalogue and the sentences of the worked example. */
export const EXAMPLE = join(ROOT, "docs/examples/online-boutique");

const SHOP = readApplication(readFileSync(MANIFESTS, "utf8"));
const PATIENCE = { timeout: 60_000, interval: 100 };

type Edge = { readonly from: string; readonly to: string; readonly podPort: number };

/** The true call graph, as lines of a matrix of probes. */
export const CALLS: ReadonlySet<string> = new Set(
  (JSON.parse(readFileSync(join(DATA, "edges.json"), "utf8")) as { readonly edges: readonly Edge[] }).edges.map(
    ({ from, to, podPort }) => `${from} -> ${to} tcp/${podPort}`,
  ),
);

/** Puts the stand-ins' images on the node, and the shop's catalogue and sentences, approved, into the cluster. */
export async function prepareShop(cluster: Cluster): Promise<void> {
  const bin = (name: BinaryName): string => join(cluster.stateDir, "bin", name);
  const images = standInImages(SHOP, await standinMembers(bin), readFileSync(bin("node-done")));
  await cluster.node().load(images);
  for (const file of ["catalogue.yaml", "guardrail.yaml", "policy.yaml"])
    await applyApproved(cluster, readFileSync(join(EXAMPLE, file), "utf8"), "alice");
  const stamped = async (): Promise<string | undefined> => {
    const body = {
      metadata: { name: "tried", labels: { app: "redis-cart" } },
      spec: TRIED,
      apiVersion: "v1",
      kind: "Pod",
    };
    const answer = await cluster.request("POST", "/api/v1/namespaces/default/pods?dryRun=All", { body });
    return (answer.body as PodFacts).metadata?.labels?.["signet.dev/role"];
  };
  await vi.waitFor(async () => {
    const role = await stamped();
    if (role !== "redis-cart") throw new Error(`stamped with ${role}`);
  }, PATIENCE);
}

const TRIED = { containers: [{ name: "main", image: "example.org/none" }] };

/** Applies the shop's own manifests, unmodified; its Pods come by and by. */
export const openShop = (cluster: Cluster): Promise<string> => kubectlDone(cluster, ["apply", "-f", MANIFESTS]);

/** The shop's Pods when all are Ready. */
export const shopPeers = (cluster: Cluster): Promise<readonly Peer[]> =>
  peersOf(cluster, ["default"], SHOP.size, ({ metadata }) => {
    const name = metadata.labels?.["app"] ?? metadata.name;
    const template = SHOP.get(name);
    return { name, listens: template === undefined ? [] : listensOf(template) };
  });

/** Takes the shop away, and all policies of its namespace. */
export async function closeShop(cluster: Cluster): Promise<void> {
  await kubectlDone(cluster, ["delete", "--ignore-not-found", "--wait=false", "-f", MANIFESTS]);
  await accepted(cluster, "DELETE", "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies");
}

/** What `signet policy apply` prints for a folder of definitions, over what the cluster holds. */
export async function publish(cluster: Cluster, catalogue: string, ...options: readonly string[]): Promise<string> {
  const where = ["--kubeconfig", cluster.kubeconfigPath, "--pod-cidr", JUDGED_POD_NETWORK];
  const { code, stdout, stderr } = await signetCli(["policy", "apply", "--catalogue", catalogue, ...where, ...options]);
  if (code !== 0) throw new Error(`policy apply: exit code ${code}\n${stderr}`);
  return stdout;
}

const componentFile = (name: string): string => join(ROOT, "manifests/components", name, `${name}.yaml`);

/** How a server publishes: the components of the manifests that let it, and a target that it then has. */
export type ByServer = { readonly components: readonly string[]; readonly target: string };

/** Has the server publish the shop's sentences; resolves when they are active in that target. */
export async function publishByServer(cluster: Cluster, { components, target }: ByServer): Promise<void> {
  for (const name of components) await kubectlDone(cluster, ["apply", "--server-side", "-f", componentFile(name)]);
  await vi.waitFor(async () => {
    const { body } = await cluster.request("GET", "/apis/signet.dev/v1alpha1/segmentpolicies");
    const waiting = (body as { readonly items: readonly Published[] }).items.flatMap(({ metadata, status = {} }) => {
      const said = status.conditions?.find(({ type }) => type === "Published");
      const stands = status.targets?.some(({ name }) => name === target) === true;
      return said?.reason === "Active" && stands ? [] : [`${metadata.name}: ${said?.message}`];
    });
    if (waiting.length > 0) throw new Error(waiting.join("\n"));
  }, PATIENCE);
}

type Published = {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly targets?: readonly { readonly name: string }[];
    readonly conditions?: readonly { readonly type: string; readonly reason: string; readonly message: string }[];
  };
};

/** From now on the server publishes nothing: whatever is taken away stays away. */
export async function endPublishing(cluster: Cluster, { components }: ByServer): Promise<void> {
  for (const name of components) await kubectlDone(cluster, ["delete", "-f", componentFile(name)]);
}

/** Runs a command line to its end. */
export function signetCli(args: readonly string[]): Promise<Ran> {
  const cli = join(ROOT, "src/bin/cli.ts");
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [cli, ...args], { maxBuffer: 1 << 26 }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Calls between the shop's workloads that were let through, of what `signet flows list -o json` prints. */
export const callsSeen = (json: string): readonly string[] =>
  (JSON.parse(json) as readonly SeenEdge[]).flatMap(({ from, to, port, verdict }) => {
    const [source, destination] = [from, to].map((name) => /^default\/(.*)$/.exec(name)?.[1]);
    const isCall = verdict === "forwarded" && source !== undefined && destination !== undefined;
    return isCall ? [`${source} -> ${destination} ${port.toLowerCase()}`] : [];
  });

type SeenEdge = { readonly from: string; readonly to: string; readonly port: string; readonly verdict: string };

/** The Pod of one of the shop's workloads: NAMESPACE/NAME, and its address. */
export async function podOf(cluster: Cluster, app: string): Promise<{ readonly name: string; readonly ip: string }> {
  const { body } = await cluster.request("GET", `/api/v1/namespaces/default/pods?labelSelector=app%3D${app}`);
  const [pod] = (body as { readonly items: readonly PodFacts[] }).items;
  return { name: `default/${pod?.metadata.name ?? ""}`, ip: pod?.status.podIP ?? "" };
}

/** Whether a connection from the node itself, as the kubelet's, is completed. */
export const reachedByNode = (cluster: Cluster, ip: string, port: number): Promise<boolean> =>
  cluster
    .node()
    .run("/usr/bin/timeout", "1", "/bin/bash", "-c", `: </dev/tcp/${ip}/${port}`)
    .then(
      () => true,
      () => false,
    );
