import { mkdtemp, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { ApiAnswer, ApiBody } from "./api.ts";
import { type AuditEvent, type AuditResource, DEFAULT_AUDITED, readAuditLog } from "./audit.ts";
import { type BinarySources, findBinaries, type Log, sourcesFromEnvironment } from "./binaries.ts";
import { COMPONENT_NAMES, type ComponentName } from "./components.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { type KubectlOptions, type KubectlResult, runKubectl } from "./kubectl.ts";
import { FILES, layOut } from "./layout.ts";
import { createFakeNodes, nodeSubject } from "./nodes.ts";
import type { Authority } from "./pki.ts";
import type { NetworkName } from "./node/networks/network.ts";
import { type ExtraFlags, nodePlan } from "./node/plan.ts";
import type { RealNode } from "./node/start-node.ts";
import { type Reaper, startReaper } from "./reaper.ts";
import { makeRunner, type Runner } from "./runner.ts";
import { type Actor, makeUsers } from "./users.ts";

export type ClusterOptions = {
  /** Besides etcd and kube-apiserver, which always run; default kube-controller-manager. */
  readonly components?: readonly ComponentName[];
  /** Added after the flags of `components.ts`, so that they win. */
  readonly extraFlags?: ExtraFlags;
  /** What the audit log records with bodies; "off" writes none. */
  readonly audit?: readonly AuditResource[] | "off";
  /** How many Node objects without kubelet to create, named n1, n2 … */
  readonly fakeNodes?: number;
  /** A real node, n1, with kubelet, containerd and running Pods, in namespaces of its own (needs root); default 0. */
  readonly nodes?: 0 | 1;
  /** What connects its Pods: the first of these, `bridge` by default; the others can be switched to. */
  readonly networks?: readonly NetworkName[];
  /** Where the API server listens; default 127.0.0.1. */
  readonly address?: string;
  /** The folder in which the state folder is made; default the system's for temporary files. */
  readonly parent?: string;
  /** Leave the state folder behind after stop(). */
  readonly keep?: boolean;
  readonly sources?: BinarySources;
  /** Gives up booting: what was started is ended, and the call throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told of downloads and builds, which may take minutes; default: standard error. */
  readonly log?: Log;
};

/** A running control plane, the administrator's ways into it, and the handle to end it. */
export type Cluster = {
  readonly url: string;
  /** Mode 0700; holds logs/, pki/, kubeconfig/, bin/, audit.log. Gone after stop(), unless kept. */
  readonly stateDir: string;
  /** The administrator's (system:masters). */
  readonly kubeconfigPath: string;
  /** The cluster's authority: signs client certificates and serves as root of the API server's. */
  readonly authority: Authority;
  /** For programs that shall work with this cluster: KUBECONFIG, KUBECACHEDIR, PATH with our kubectl first. */
  readonly env: Readonly<Record<string, string>>;
  readonly auditLogPath: string;
  /** Milliseconds from the call to ready, binaries' making not counted. */
  readonly readyMs: number;
  /** The path of a kubeconfig with a client certificate for that user. */
  readonly kubeconfigFor: (user: string, groups?: readonly string[]) => Promise<string>;
  /** The kubeconfig of `system:node:NAME`, for playing kubelet. */
  readonly kubeconfigForNode: (name: string) => Promise<string>;
  /** The path of a kubeconfig with an hour's token of a service account that exists, given as NAMESPACE/NAME. */
  readonly kubeconfigForServiceAccount: (serviceAccount: string) => Promise<string>;
  /** As administrator unless somebody else is named; a failure is a value. */
  readonly kubectl: (args: readonly string[], options?: KubectlOptions & Actor) => Promise<KubectlResult>;
  /** One raw API request, much quicker than kubectl; as administrator unless somebody else is named. */
  readonly request: (method: string, path: string, options?: ApiBody & Actor) => Promise<ApiAnswer>;
  /** Creates `count` more Node objects; gives their names. */
  readonly addFakeNodes: (count: number) => Promise<readonly string[]>;
  readonly auditEvents: () => Promise<readonly AuditEvent[]>;
  /** Killed at once with `graceMs` 0, else (default 2000) only if it does not end on SIGTERM. */
  readonly stopComponent: (name: ComponentName, graceMs?: number) => Promise<void>;
  /** Starts a stopped component and waits until it is ready. */
  readonly startComponent: (name: ComponentName) => Promise<void>;
  readonly restart: (name: ComponentName) => Promise<void>;
  /** The real node; throws where the cluster was booted without. */
  readonly node: () => RealNode;
  /** Ends every process and removes the state folder; later calls do nothing. */
  readonly stop: () => Promise<void>;
};

const DEFAULT_COMPONENTS: readonly ComponentName[] = ["kube-controller-manager"];
/** A component that does not end by itself in this time is killed. */
const GRACE_MS = 2_000;

/**
 * Boots a control plane of its own and resolves when Pods can be created in it. Throws MissingBinary or
 * ComponentFailure, having ended all it started. When this process is killed, nothing stays either.
 */
export async function bootCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const log = options.log ?? ((line: string) => process.stderr.write(`${line}\n`));
  const nodes = nodePlan(options.nodes ?? 0, options.networks);
  const asked = [...(options.components ?? DEFAULT_COMPONENTS), ...nodes.components];
  const wanted: readonly ComponentName[] = ["etcd", "kube-apiserver", ...asked];
  const components = COMPONENT_NAMES.filter((name) => wanted.includes(name));
  const sources = options.sources ?? sourcesFromEnvironment(process.env);
  const binaries = await findBinaries([...components, "kubectl", ...nodes.binaries], sources, log);
  const began = Date.now();
  const stateDir = await mkdtemp(join(await realpath(options.parent ?? tmpdir()), "signet-cluster-"));
  const reaper = startReaper(options.keep === true ? undefined : stateDir, nodes.lastWork(stateDir));
  try {
    const address = options.address ?? "127.0.0.1";
    const audit = options.audit !== "off";
    const audited = options.audit === "off" ? [] : (options.audit ?? DEFAULT_AUDITED);
    const authority = await layOut(stateDir, binaries, address, audited);
    const runner = makeRunner(stateDir, reaper, options.signal);
    await nodes.layOut(stateDir);
    const extraFlags = nodes.flags(options.extraFlags ?? {});
    const plane = await startControlPlane({ stateDir, authority, runner, components, address, audit, extraFlags });
    const place = { stateDir, authority, reaper, admin: plane.admin, serverPort: Number(new URL(plane.url).port) };
    const node = await nodes.start({ ...place, signal: options.signal });
    const cluster = handle({ stateDir, authority, runner, reaper, plane, began, node });
    await cluster.addFakeNodes(options.fakeNodes ?? 0);
    return cluster;
  } catch (error) {
    await reaper.close();
    throw error;
  }
}

type Parts = {
  readonly stateDir: string;
  readonly authority: Authority;
  readonly runner: Runner;
  readonly reaper: Reaper;
  readonly plane: ControlPlane;
  readonly began: number;
  readonly node: RealNode | undefined;
};

function handle(parts: Parts): Cluster {
  const { stateDir, authority, runner, reaper, plane, began } = parts;
  const kubeconfigPath = join(stateDir, FILES.adminKubeconfig);
  const env = environment(stateDir, kubeconfigPath);
  const auditLogPath = join(stateDir, FILES.auditLog);
  const users = makeUsers(plane, authority.cert, stateDir);
  const stopComponent = (name: ComponentName, graceMs = GRACE_MS) => runner.stop(name, graceMs);
  let nodes = parts.node === undefined ? 0 : 1;
  return {
    url: plane.url,
    stateDir,
    kubeconfigPath,
    authority,
    env,
    auditLogPath,
    readyMs: Date.now() - began,
    kubeconfigFor: async (name, groups = []) => (await plane.credentials({ name, groups })).kubeconfigPath,
    kubeconfigForServiceAccount: async (serviceAccount) => (await users.credentials({ serviceAccount })).kubeconfigPath,
    kubeconfigForNode: async (name) => (await plane.credentials(nodeSubject(name))).kubeconfigPath,
    kubectl: async (args, options = {}) => {
      const { kubeconfigPath: file } = await users.credentials(options);
      return runKubectl(join(stateDir, "bin", "kubectl"), args, { ...env, KUBECONFIG: file }, options);
    },
    request: async (method, path, options = {}) => (await users.client(options)).request(method, path, options),
    addFakeNodes: async (count) => {
      const names = Array.from({ length: count }, () => `n${++nodes}`);
      await createFakeNodes(plane.admin, names);
      return names;
    },
    auditEvents: () => readAuditLog(auditLogPath),
    stopComponent,
    startComponent: plane.start,
    restart: async (name) => {
      await stopComponent(name);
      await plane.start(name);
    },
    node: () => {
      if (parts.node === undefined) throw new Error("this cluster was booted without a node");
      return parts.node;
    },
    stop: async () => {
      users.close();
      await reaper.close();
    },
  };
}

/** kubectl keeps what it learned of a server under its address, and ports come again: so a cache per cluster. */
function environment(stateDir: string, kubeconfigPath: string): Readonly<Record<string, string>> {
  return {
    KUBECONFIG: kubeconfigPath,
    KUBECACHEDIR: join(stateDir, "kubectl-cache"),
    KUBERC: "off",
    PATH: [join(stateDir, "bin"), process.env["PATH"] ?? ""].join(delimiter),
  };
}
