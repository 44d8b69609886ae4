import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ApiClient } from "../api.ts";
import { writeKubeconfig } from "../kubeconfig.ts";
import { nodeSubject } from "../nodes.ts";
import type { Authority } from "../pki.ts";
import { commandInPath, type Reaper } from "../reaper.ts";
import type { BinaryName } from "../recipes.ts";
import { bridgeConflist, containerdConfig, egressConfig, kubeletConfig } from "./configs.ts";
import { type Image, imageArchive } from "./image.ts";
import { baseImages } from "./images.ts";
import { makeNamespaces, type Namespaces, tailOf } from "./namespaces.ts";
import { NODE, NODE_API_URL, NODE_FILES } from "./place.ts";
import { setUpScript } from "./scripts.ts";

/** The daemons of a node that a test may stop and start. */
export type DaemonName = "containerd" | "kubelet";

/** A node with kubelet, containerd and Pods that run, in namespaces of its own. */
export type RealNode = {
  readonly name: string;
  /** Its network namespace as a file, and a number for probes from the node itself. */
  readonly network: string;
  readonly namespaces: Namespaces;
  /** Puts images into containerd's store, under the references they name. */
  readonly load: (images: readonly Image[]) => Promise<void>;
  /** Runs a program inside the node's namespaces to its end; throws when its code is not 0. */
  readonly run: (...argv: [string, ...string[]]) => Promise<void>;
  readonly restart: (daemon: DaemonName) => Promise<void>;
};

export type NodeOptions = {
  readonly stateDir: string;
  readonly authority: Authority;
  readonly reaper: Reaper;
  readonly admin: ApiClient;
  /** Where the API server listens on the machine's loopback. */
  readonly serverPort: number;
  readonly signal: AbortSignal | undefined;
};

/** The binaries a node needs besides those of the control plane. */
export const NODE_BINARIES: readonly BinaryName[] = [
  "kubelet",
  "kube-scheduler",
  "containerd",
  "containerd-shim-runc-v2",
  "ctr",
  "node-init",
  "node-door",
  "node-probe",
  "pause",
  "standin",
];

const READY_MS = 90_000;
const POLL_MS = 40;

/** The control group that holds a node's Pods. */
export const cgroupOf = (stateDir: string): string => basename(stateDir);

/** What the API server reads at its start; it must lie there before. */
export async function layOutNode(stateDir: string): Promise<void> {
  await mkdir(join(stateDir, "node"));
  await writeFile(join(stateDir, NODE_FILES.egress), egressConfig(stateDir));
}

/** Starts a node and resolves when it is Ready. */
export async function startNode(options: NodeOptions): Promise<RealNode> {
  const { stateDir, reaper } = options;
  await writeConfigs(options);
  const bin = join(stateDir, "bin");
  const namespaces = makeNamespaces(reaper, bin);
  const cgroup = cgroupOf(stateDir);
  const daemons: Readonly<Record<DaemonName, readonly [string, ...string[]]>> = {
    containerd: [join(bin, "containerd"), "--config", join(stateDir, NODE_FILES.containerdConfig)],
    kubelet: kubeletCommand(stateDir),
  };
  const program = (id: string, argv: readonly [string, ...string[]]) => ({
    id,
    argv,
    env: { PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin`, HOME: stateDir },
    dir: stateDir,
    log: join(stateDir, "logs", `${id}.log`),
  });
  let runs = 0;
  const run = (...argv: [string, ...string[]]) => namespaces.run(program(`run-${++runs}-${basename(argv[0])}`, argv));
  const start = async (daemon: DaemonName): Promise<void> => {
    namespaces.start(program(daemon, daemons[daemon]));
    const log = join(stateDir, "logs", `${daemon}.log`);
    await until(daemon, () => isUp(daemon, options), namespaces, log, options.signal);
  };
  const load = async (images: readonly Image[]): Promise<void> => {
    const file = join(stateDir, NODE_FILES.images, `${++runs}.tar`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, imageArchive(images));
    const socket = join(stateDir, NODE_FILES.containerdSocket);
    await run(join(bin, "ctr"), "--address", socket, "--namespace", "k8s.io", "images", "import", file);
  };
  await run("/bin/sh", "-euc", setUpScript(stateDir, cgroup));
  openDoor(options, namespaces.network);
  await start("containerd");
  await load(await baseImages((name) => join(bin, name)));
  await start("kubelet");
  return {
    name: NODE.name,
    network: namespaces.network,
    namespaces,
    load,
    run,
    restart: async (daemon) => {
      await namespaces.stop(daemon, 5_000);
      await start(daemon);
    },
  };
}

function kubeletCommand(stateDir: string): readonly [string, ...string[]] {
  return [
    join(stateDir, "bin/kubelet"),
    `--config=${join(stateDir, NODE_FILES.kubeletConfig)}`,
    `--kubeconfig=${join(stateDir, NODE_FILES.kubeconfig)}`,
    `--node-ip=${NODE.address}`,
    `--hostname-override=${NODE.name}`,
    `--root-dir=${join(stateDir, NODE_FILES.kubeletRoot)}`,
    `--cert-dir=${join(stateDir, "pki")}`,
  ];
}

async function writeConfigs({ stateDir, authority }: NodeOptions): Promise<void> {
  const subject = nodeSubject(NODE.name);
  const serving = await authority.server(subject, [NODE.address, NODE.name]);
  const pair = await authority.client(subject);
  const runc = commandInPath("runc") ?? "/usr/sbin/runc";
  await writeKubeconfig(join(stateDir, NODE_FILES.kubeconfig), NODE_API_URL, authority.cert, { pair });
  const contents: Readonly<Record<string, string>> = {
    [NODE_FILES.kubeletCert]: serving.cert,
    [NODE_FILES.kubeletKey]: serving.key,
    [NODE_FILES.kubeletConfig]: kubeletConfig(stateDir, cgroupOf(stateDir)),
    [NODE_FILES.containerdConfig]: containerdConfig(stateDir, runc, ["/usr/lib/cni"]),
    [NODE_FILES.resolvConf]: "nameserver 10.96.0.10\n",
    [join(NODE_FILES.cniConfig, "10-bridge.conflist")]: bridgeConflist(stateDir),
  };
  for (const folder of [NODE_FILES.cniConfig, NODE_FILES.staticPods, NODE_FILES.volumePlugins, NODE_FILES.podLogs]) {
    await mkdir(join(stateDir, folder), { recursive: true });
  }
  for (const [file, text] of Object.entries(contents)) await writeFile(join(stateDir, file), text, { mode: 0o600 });
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

function isUp(daemon: DaemonName, { stateDir, admin }: NodeOptions): Promise<boolean> {
  return daemon === "containerd" ? accepts(join(stateDir, NODE_FILES.containerdSocket)) : nodeReady(admin);
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

async function until(
  daemon: DaemonName,
  check: () => Promise<boolean>,
  namespaces: Namespaces,
  log: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = Date.now() + READY_MS;
  while (!(await check())) {
    signal?.throwIfAborted();
    if (!namespaces.isRunning(daemon))
      throw new Error(`${daemon} ended by itself; the end of its log:\n${tailOf(log)}`);
    if (Date.now() > deadline) throw new Error(`${daemon} was not ready in time; the end of its log:\n${tailOf(log)}`);
    await sleep(POLL_MS);
  }
}
