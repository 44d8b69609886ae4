import { once } from "node:events";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { findBinaries, MissingBinary, sourcesFromEnvironment } from "./binaries.ts";
import { bootCluster, type Cluster } from "./boot.ts";
import { CALICO_COMMANDS, CILIUM_COMMANDS, ensureCommands, NODE_COMMANDS } from "../parts/packages.ts";
import { COMPONENT_NAMES, type ComponentName } from "./components.ts";
import { type Installed, installSignet } from "./install.ts";
import type { NetworkName } from "./node/networks/network.ts";
import { readNetworkName } from "./node/networks/table.ts";
import { nodePlan } from "./node/plan.ts";
import { startReaper } from "./reaper.ts";
import { ComponentFailure } from "./runner.ts";

const HELP = `npm run cluster -- [options]

Boots a Kubernetes control plane of its own on loopback (etcd, kube-apiserver, kube-controller-manager; without
--nodes Pods stay Pending) and ends it, with all its state, on Ctrl-C.

  --once 'CMD'                run CMD in a shell against the cluster (KUBECONFIG set, its kubectl first in PATH),
                              end the cluster, and exit with CMD's code
  --with kube-scheduler       run this component too
  --signet [N]                install Signet and run N replicas of its server (default 1) beside the API server
  --nodes 1                   run a real node, n1: kubelet, containerd and Pods, in namespaces of its own; needs root
  --network calico            what connects its Pods: bridge (the default, no policies), calico or cilium; with
                              several the first is started, and --prepare gets all ready
  --fake-nodes N              create N Node objects n1 … nN that have no kubelet
  --extra-apiserver-flag=F    hand F to kube-apiserver; may be repeated
  --extra-controller-flag=F   hand F to kube-controller-manager; may be repeated
  --keep                      leave the state folder (logs, keys, etcd's data) behind
  --prepare                   only get the binaries ready, and print where they are
  --help

The binaries come from KUBEBUILDER_ASSETS, else from the cache (SIGNET_CACHE, by default ~/.cache/signet), else from
the official releases (not with SIGNET_DOWNLOAD=off), else they are built from Go modules: that needs Go, and about
eight minutes on two cores, once.
`;

/** How long a command, or a cluster still booting, may take to end after a signal. */
const GRACE_MS = 1_500;
const PARENT_POLL_MS = 500;

type Settings = {
  readonly command: string | undefined;
  readonly components: readonly ComponentName[];
  readonly fakeNodes: number;
  readonly nodes: 0 | 1;
  readonly networks: readonly NetworkName[];
  /** How many replicas of Signet's server; 0 installs nothing. */
  readonly signet: number;
  readonly apiServerFlags: readonly string[];
  readonly controllerFlags: readonly string[];
  readonly keep: boolean;
  readonly prepare: boolean;
};

class UsageError extends Error {}

function readSettings(args: readonly string[]): Settings | "help" {
  const flags = { type: "string", multiple: true, default: [] as string[] } as const;
  const options = {
    once: { type: "string" },
    with: flags,
    "fake-nodes": { type: "string", default: "0" },
    nodes: { type: "string", default: "0" },
    network: flags,
    signet: { type: "string", default: "0" },
    "extra-apiserver-flag": flags,
    "extra-controller-flag": flags,
    keep: { type: "boolean", default: false },
    prepare: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  } as const;
  const { values } = parsed(() => parseArgs({ args: withCounts(args), options, strict: true }));
  if (values.help) return "help";
  return {
    command: values.once,
    components: ["kube-controller-manager", ...values.with.map(componentName)],
    networks: values.network.map(networkName),
    nodes: countOf("--nodes", values.nodes, 1) > 0 ? 1 : 0,
    fakeNodes: countOf("--fake-nodes", values["fake-nodes"], 9999),
    signet: countOf("--signet", values.signet, 9),
    apiServerFlags: values["extra-apiserver-flag"],
    controllerFlags: values["extra-controller-flag"],
    keep: values.keep,
    prepare: values.prepare,
  };
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function componentName(text: string): ComponentName {
  const found = COMPONENT_NAMES.find((name) => name === text);
  if (found === undefined) throw new UsageError(`--with ${text}: not one of ${COMPONENT_NAMES.join(", ")}`);
  return found;
}

function networkName(text: string): NetworkName {
  const found = readNetworkName(text);
  if (found === undefined) throw new UsageError(`--network ${text}: not one of bridge, calico, cilium`);
  return found;
}

function countOf(option: string, text: string, most: number): number {
  if (!/^\d{1,4}$/.test(text) || Number(text) > most)
    throw new UsageError(`${option} ${text}: not a number from 0 to ${most}`);
  return Number(text);
}

/** `--signet` alone means one replica. */
const withCounts = (args: readonly string[]): string[] =>
  args.map((arg, index) => (arg === "--signet" && !/^\d/.test(args[index + 1] ?? "") ? "--signet=1" : arg));

async function main(): Promise<number> {
  const settings = readSettings(process.argv.slice(2));
  if (settings === "help") {
    process.stdout.write(HELP);
    return 0;
  }
  if (settings.nodes > 0) makeRoomForNode(settings);
  const interruption = firstSignal();
  leaveWithNpm();
  const abort = new AbortController();
  const ready = settings.prepare ? prepare(settings) : boot(settings, abort.signal);
  const cluster = await Promise.race([ready, interruption]);
  if (typeof cluster === "string") {
    abort.abort();
    // A build in progress does not look at the signal; its reaper ends it behind us.
    await Promise.race([ready.then((late) => late?.stop()).catch(() => undefined), sleep(GRACE_MS)]);
    return exitCodeOf(cluster);
  }
  if (cluster === undefined) return 0;
  let signet: Installed | undefined;
  try {
    if (settings.signet > 0) signet = await install(cluster, settings.signet);
    return await (settings.command === undefined
      ? stayUp(cluster, interruption)
      : runCommand(settings.command, cluster, interruption));
  } finally {
    await signet?.stop();
    await cluster.stop();
    if (settings.keep) log(`kept: ${cluster.stateDir}`);
  }
}

/** A node needs programs of the machine, and the right to make namespaces. */
function makeRoomForNode({ networks }: Settings): void {
  if (process.getuid?.() !== 0) throw new UsageError("--nodes 1: making a node's namespaces needs root");
  const missing = ensureCommands([
    ...NODE_COMMANDS,
    ...(networks.includes("calico") ? CALICO_COMMANDS : []),
    ...(networks.includes("cilium") ? CILIUM_COMMANDS : []),
    "setpriv",
  ]);
  if (missing.length > 0) throw new UsageError(`--nodes 1: not on this machine: ${missing.join(", ")}`);
}

async function prepare({ components, nodes, networks }: Settings): Promise<undefined> {
  const names = ["etcd", "kube-apiserver", ...components, "kubectl", ...nodePlan(nodes, networks).binaries] as const;
  const binaries = await findBinaries(names, sourcesFromEnvironment(process.env), log);
  for (const [name, file] of binaries) process.stdout.write(`${name} ${file}\n`);
}

function boot(settings: Settings, signal: AbortSignal): Promise<Cluster> {
  const { components, fakeNodes, nodes, networks, keep, apiServerFlags, controllerFlags } = settings;
  const extraFlags = { "kube-apiserver": apiServerFlags, "kube-controller-manager": controllerFlags };
  return bootCluster({ components, fakeNodes, nodes, networks, keep, extraFlags, signal, log });
}

async function install(cluster: Cluster, replicas: number): Promise<Installed> {
  const signet = await installSignet(cluster, { replicas });
  log(`Signet is ready: ${replicas} behind ${signet.url}, logs in ${cluster.stateDir}/signet`);
  return signet;
}

async function stayUp(cluster: Cluster, interruption: Promise<NodeJS.Signals>): Promise<number> {
  process.stdout.write(`The cluster is ready after ${(cluster.readyMs / 1000).toFixed(1)} s at ${cluster.url}

  export KUBECONFIG=${cluster.kubeconfigPath}
  export PATH=${cluster.stateDir}/bin:$PATH

Try
  kubectl get namespaces
  kubectl create deployment hello --image=example.org/hello --replicas=3
  kubectl get pods            # Pending: the controllers are real, but there is no node
  tail -f ${cluster.auditLogPath}

Logs are in ${cluster.stateDir}/logs. Ctrl-C ends the cluster and removes its state.
`);
  const alive = setInterval(() => undefined, 60_000);
  const signal = await interruption;
  clearInterval(alive);
  return exitCodeOf(signal);
}

/** At a terminal the command stays in our process group, so that keys reach it; else it heads one of its own. */
async function runCommand(command: string, cluster: Cluster, interruption: Promise<NodeJS.Signals>): Promise<number> {
  log(`the cluster is ready after ${(cluster.readyMs / 1000).toFixed(1)} s`);
  const ownGroup = !process.stdin.isTTY;
  const reaper = startReaper(undefined);
  const env = { ...process.env, ...cluster.env };
  const shell = reaper.spawn("/bin/sh", ["-c", command], { stdio: "inherit", env, ownGroup });
  const send = (signal: NodeJS.Signals) => tryKill(ownGroup ? -(shell.pid ?? 0) : (shell.pid ?? 0), signal);
  void interruption.then((signal) => {
    send(signal);
    setTimeout(() => send("SIGKILL"), GRACE_MS).unref();
  });
  const [code, signal] = (await once(shell, "exit")) as [number | null, NodeJS.Signals | null];
  // What the command left running in the background ends with it.
  if (ownGroup) send("SIGKILL");
  await reaper.close();
  return code ?? exitCodeOf(signal ?? "SIGKILL");
}

function tryKill(pid: number, signal: NodeJS.Signals): void {
  try {
    if (pid !== 0) process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, resolve);
  });
}

/** A killed npm cannot pass its signal on; that our parent has changed tells it. */
function leaveWithNpm(): void {
  if (process.env["npm_lifecycle_event"] === undefined) return;
  const parent = process.ppid;
  const check = () => {
    if (process.ppid !== parent) process.kill(process.pid, "SIGTERM");
  };
  setInterval(check, PARENT_POLL_MS).unref();
}

function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A sentence for what the person at the keyboard can mend, a stack for what only we can. */
function explain(error: unknown): number {
  if (error instanceof UsageError) {
    log(`${error.message}\n\n${HELP}`);
    return 2;
  }
  const ours = error instanceof MissingBinary || error instanceof ComponentFailure;
  log(ours ? error.message : String(error instanceof Error ? error.stack : error));
  return 1;
}

process.exit(await main().catch(explain));
