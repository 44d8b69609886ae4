import { mkdir, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ApiClient } from "../api.ts";
import type { Reaper } from "../reaper.ts";
import type { BinaryName } from "../recipes.ts";
import { type Image, imageArchive } from "./image.ts";
import { baseImages } from "./images.ts";
import { statusInside } from "./inside.ts";
import { type NodeLayout, writeNodeFiles } from "./layout.ts";
import { makeNamespaces, type Namespaces, type Program, tailOf } from "./namespaces.ts";
import type { NetworkName, NodeAccess } from "./networks/network.ts";
import { NETWORKS } from "./networks/table.ts";
import { NODE, NODE_FILES } from "./place.ts";
import { emptyNode, setSchedulable } from "./pods-gone.ts";
import { setUpScript } from "./scripts.ts";

/** The daemons of a node that a test may stop and start. */
export type DaemonName = "containerd" | "kubelet";

/** A node with kubelet, containerd and Pods that run, in namespaces of its own. */
export type RealNode = {
  readonly name: string;
  /** Its network namespace, as a file of the machine to enter it by. */
  readonly namespace: string;
  /** The network that its Pods are on now. */
  readonly network: () => NetworkName;
  /** Deletes every Pod of the node and puts another network in place of the old one, which must have been named at the boot. */
  readonly useNetwork: (name: NetworkName) => Promise<void>;
  /** Puts images into containerd's store, under the references they name. */
  readonly load: (images: readonly Image[]) => Promise<void>;
  /** Runs a program inside the node's namespaces to its end; throws when its code is not 0. */
  readonly run: (...argv: [string, ...string[]]) => Promise<void>;
  readonly restart: (daemon: DaemonName) => Promise<void>;
};

export type NodeOptions = NodeLayout & {
  readonly reaper: Reaper;
  readonly admin: ApiClient;
  /** Where the API server listens on the machine's loopback. */
  readonly serverPort: number;
  readonly signal: AbortSignal | undefined;
};

const READY_MS = 90_000;
const POLL_MS = 40;
const STOP_MS = 5_000;

/** Starts a node with that network and resolves when it is Ready. */
export async function startNode(options: NodeOptions, network: NetworkName): Promise<RealNode> {
  const { stateDir, reaper, admin } = options;
  await writeNodeFiles(options);
  const bin = join(stateDir, "bin");
  const namespaces = makeNamespaces(reaper, bin);
  const access = accessTo(namespaces, options);
  await access.run("/bin/sh", "-euc", setUpScript(stateDir));
  openDoor(options, namespaces.network);
  let current = network;
  const configure = (name: NetworkName): Promise<void> => {
    const conflist = JSON.stringify(NETWORKS[name].conflist(access));
    return writeFile(join(stateDir, NODE_FILES.cniConfig, "10-network.conflist"), conflist);
  };
  const load = (images: readonly Image[]) => loadImages(images, access);
  await configure(network);
  await startDaemon("containerd", access);
  await load(await baseImages(access.bin));
  await startDaemon("kubelet", access);
  await NETWORKS[network].start(access);
  const restart = async (daemon: DaemonName): Promise<void> => {
    await access.stop(daemon);
    await startDaemon(daemon, access);
  };
  return {
    name: NODE.name,
    namespace: namespaces.network,
    network: () => current,
    load,
    run: access.run,
    restart,
    useNetwork: async (name) => {
      await setSchedulable(admin, NODE.name, false);
      await emptyNode(admin, NODE.name);
      await NETWORKS[current].stop(access);
      await rm(join(stateDir, "node/addresses"), { recursive: true, force: true });
      await configure(name);
      // containerd reads its network when it starts; later it only notices, at some time.
      await restart("containerd");
      await NETWORKS[name].start(access);
      current = name;
      await setSchedulable(admin, NODE.name, true);
    },
  };
}

function accessTo(namespaces: Namespaces, options: NodeOptions): NodeAccess {
  const { stateDir, admin, signal } = options;
  const bin = (name: BinaryName): string => join(stateDir, "bin", name);
  const program = (id: string, argv: readonly [string, ...string[]], env = {}): Program => ({
    id,
    argv,
    env: { PATH: `${join(stateDir, "bin")}:/usr/sbin:/usr/bin:/sbin:/bin`, HOME: stateDir, ...env },
    dir: stateDir,
    log: join(stateDir, "logs", `${id}.log`),
  });
  let runs = 0;
  return {
    stateDir,
    admin,
    bin,
    daemonKubeconfig: join(stateDir, NODE_FILES.daemonKubeconfig),
    run: (...argv) => namespaces.run(program(`run-${++runs}-${basename(argv[0])}`, argv)),
    start: (id, argv, env) => namespaces.start(program(id, argv, env)),
    stop: (id) => namespaces.stop(id, STOP_MS),
    until: async (id, check) => {
      const deadline = Date.now() + READY_MS;
      const fail = (what: string) =>
        new Error(`${id} ${what}; the end of its log:\n${tailOf(join(stateDir, "logs", `${id}.log`))}`);
      while (!(await check())) {
        signal?.throwIfAborted();
        if (!namespaces.isRunning(id)) throw fail("ended by itself");
        if (Date.now() > deadline) throw fail("was not ready in time");
        await sleep(POLL_MS);
      }
    },
    statusInside: (address, path) => statusInside(join(stateDir, NODE_FILES.proxySocket), address, path),
  };
}

async function startDaemon(daemon: DaemonName, access: NodeAccess): Promise<void> {
  const { stateDir, admin } = access;
  const commands: Readonly<Record<DaemonName, readonly [string, ...string[]]>> = {
    containerd: [access.bin("containerd"), "--config", join(stateDir, NODE_FILES.containerdConfig)],
    kubelet: [
      access.bin("kubelet"),
      `--config=${join(stateDir, NODE_FILES.kubeletConfig)}`,
      `--kubeconfig=${join(stateDir, NODE_FILES.kubeconfig)}`,
      `--node-ip=${NODE.address}`,
      `--hostname-override=${NODE.name}`,
      `--root-dir=${join(stateDir, NODE_FILES.kubeletRoot)}`,
      `--cert-dir=${join(stateDir, "pki")}`,
    ],
  };
  access.start(daemon, commands[daemon]);
  const socket = join(stateDir, NODE_FILES.containerdSocket);
  await access.until(daemon, () => (daemon === "containerd" ? accepts(socket) : nodeReady(admin)));
}

async function loadImages(images: readonly Image[], access: NodeAccess): Promise<void> {
  const file = join(access.stateDir, NODE_FILES.images, `${images[0]?.reference.replaceAll(/[^a-z0-9]/g, "-")}.tar`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, imageArchive(images));
  const socket = join(access.stateDir, NODE_FILES.containerdSocket);
  await access.run(access.bin("ctr"), "--address", socket, "--namespace", "k8s.io", "images", "import", file);
}

/** The door runs outside, where the API server is; see its source for what it does. */
function openDoor({ stateDir, reaper, serverPort }: NodeOptions, network: string): void {
  const flags = [
    `--netns=${network}`,
    `--listen=${NODE.address}:${NODE.apiPort}`,
    `--dial=127.0.0.1:${serverPort}`,
    `--proxy=${join(stateDir, NODE_FILES.proxySocket)}`,
  ];
  reaper.spawn(join(stateDir, "bin/node-door"), flags, { stdio: ["ignore", "inherit", "inherit"] }).unref();
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

type NodeRead = {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
};

async function nodeReady(admin: ApiClient): Promise<boolean> {
  const { status, body } = await admin.request("GET", `/api/v1/nodes/${NODE.name}`);
  if (status !== 200) return false;
  const conditions = (body as NodeRead).status?.conditions ?? [];
  if (!conditions.some((each) => each.type === "Ready" && each.status === "True")) return false;
  // The condition outlives a kubelet that was stopped; its own word does not.
  return (await admin.request("GET", `/api/v1/nodes/${NODE.name}/proxy/healthz`)).status === 200;
}
