import { mkdir, realpath, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { kubectlDone } from "./accepted.ts";
import { startBalancer } from "./balancer.ts";
import type { Cluster } from "./boot.ts";
import { startReaper } from "./reaper.ts";
import { type Replica, startReplica } from "./replica.ts";

const ROOT = join(import.meta.dirname, "..", "..");
/** The address that the manifests for a server beside the API server are written for. */
const WRITTEN_URL = "https://127.0.0.1:8443";
const BY_URL = "manifests/overlays/by-url";
const READY_MS = 40_000;
const POLL_MS = 100;

/** Signet in a test cluster: its replicas, and the one address by which the API server calls them. */
export type Installed = {
  readonly url: string;
  readonly replicas: () => readonly Replica[];
  /** Starts one replica more, by this kubeconfig instead of the usual one, and resolves when it is ready. */
  readonly add: (through?: string) => Promise<Replica>;
  /** Asks replicas no longer whether they are ready: a bench that calls one by its own port would measure that too. */
  readonly leaveRoutes: () => void;
  /** API servers keep their connections: this makes them connect anew, to each replica in turn. */
  readonly reconnect: () => void;
  /** Ends everything that was started; the objects stay. */
  readonly stop: () => Promise<void>;
};

/** How Signet is installed. */
export type InstallOptions = {
  readonly replicas?: number;
  /** Goes over each replica's configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Folder of the overlay; left out: `manifests/overlays/by-url`. */
  readonly overlay?: string;
  /** Names of components that are added to it. */
  readonly components?: readonly string[];
  /** Where the API server finds it; left out: a free port. */
  readonly port?: number;
  /** What Node is given to run a replica; left out: the command line's source. */
  readonly program?: readonly string[];
};

/**
 * Installs Signet as its manifests do (`manifests/overlays/by-url`) and runs replicas of the server as child processes on
 * loopback, as Signet's own service account. Resolves when all are ready and the API server's calls arrive.
 */
export async function installSignet(cluster: Cluster, options: InstallOptions = {}): Promise<Installed> {
  const reaper = startReaper(undefined);
  const balancer = await startBalancer(options.port);
  const url = `https://127.0.0.1:${balancer.port}`;
  const replicas: Replica[] = [];
  const start = async (through?: string): Promise<Replica> => {
    const name = `replica-${replicas.length + 1}`;
    const { stateDir } = cluster;
    const kubeconfig = through ?? (await cluster.kubeconfigForServiceAccount("signet-system/signet"));
    const replica = await startReplica({
      name,
      stateDir,
      kubeconfig,
      reaper,
      ...(options.config ? { config: options.config } : {}),
      ...(options.program ? { program: options.program } : {}),
    });
    replicas.push(replica);
    return replica;
  };
  const watching = setInterval(() => void routeToReady(), POLL_MS);
  const routeToReady = async (): Promise<void> => {
    const answers = await Promise.all(replicas.map(async (each) => ({ each, answer: await each.readyz() })));
    balancer.route(answers.filter(({ answer }) => answer.status === 200).map(({ each }) => each.port));
  };
  const stop = async (): Promise<void> => {
    clearInterval(watching);
    await Promise.all(replicas.map((replica) => replica.end("SIGTERM")));
    balancer.close();
    await reaper.close();
  };
  const add = async (through?: string): Promise<Replica> => {
    const replica = await start(through);
    await untilReady(replica);
    await routeToReady();
    return replica;
  };
  try {
    await applyManifests(cluster, url, options);
    for (let count = options.replicas ?? 1; count > 0; count--) await start();
    await Promise.all(replicas.map(untilReady));
    await routeToReady();
    await untilTrusted(cluster);
  } catch (fault) {
    await stop();
    throw fault;
  }
  return {
    url,
    replicas: () => replicas,
    add,
    leaveRoutes: () => clearInterval(watching),
    reconnect: balancer.cut,
    stop,
  };
}

async function applyManifests(
  cluster: Cluster,
  url: string,
  { overlay = join(ROOT, BY_URL), components = [] }: InstallOptions,
): Promise<void> {
  const folder = join(await realpath(cluster.stateDir), "overlay");
  await mkdir(folder, { recursive: true });
  const added = components.map((name) => relative(folder, join(ROOT, "manifests/components", name)));
  const kustomization = stringify({ resources: [relative(folder, overlay)], components: added });
  await writeFile(join(folder, "kustomization.yaml"), kustomization);
  const rendered = await kubectlDone(cluster, ["kustomize", folder]);
  const stdin = rendered.replaceAll(WRITTEN_URL, url);
  await kubectlDone(cluster, ["apply", "--server-side", "-f", "-"], { stdin });
  await kubectlDone(cluster, ["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]);
}

async function untilReady(replica: Replica): Promise<void> {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    const { status, text } = await replica.readyz();
    if (status === 200) return;
    if (!replica.running() || Date.now() > deadline)
      throw new Error(
        `${replica.name} is not ready: ${text}\n${JSON.stringify(replica.log().slice(-5), undefined, 1)}`,
      );
    await sleep(POLL_MS);
  }
}

/** Whoever holds the Lease publishes the authority; until then calls of the API server end at an unknown one. */
async function untilTrusted(cluster: Cluster): Promise<void> {
  const deadline = Date.now() + READY_MS;
  const path = "/api/v1/namespaces/default/pods?dryRun=All&fieldValidation=Ignore";
  const body = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "signet-install-probe", annotations: { "signet.dev/stamp": "{}" } },
    spec: { containers: [{ name: "probe", image: "example.org/none" }] },
  };
  for (;;) {
    // Mutation takes a reserved key away; where it was not reached, validation refuses it, or is not reached either.
    const answer = await cluster.request("POST", path, { body });
    const { metadata } = answer.body as { readonly metadata?: { readonly annotations?: object } };
    if (answer.status === 201 && metadata?.annotations === undefined) return;
    if (Date.now() > deadline)
      throw new Error(`the webhooks are not called: ${answer.status} ${JSON.stringify(answer.body)}`);
    await sleep(POLL_MS);
  }
}
