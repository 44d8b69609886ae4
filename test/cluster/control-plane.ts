import { request as httpRequest } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { type ApiClient, makeApiClient } from "./api.ts";
import { COMPONENT_NAMES, type ComponentName, flagsOf, kubeconfigOf } from "./components.ts";
import { ADMIN, type CredentialStore, makeCredentialStore } from "./kubeconfig.ts";
import { FILES } from "./layout.ts";
import type { Authority } from "./pki.ts";
import { ComponentFailure, type Runner } from "./runner.ts";

export type ControlPlaneOptions = {
  readonly stateDir: string;
  readonly authority: Authority;
  readonly runner: Runner;
  readonly components: readonly ComponentName[];
  readonly address: string;
  readonly audit: boolean;
  readonly extraFlags: Partial<Readonly<Record<ComponentName, readonly string[]>>>;
};

/** Started components and the way to start one again on the same port. */
export type ControlPlane = {
  readonly url: string;
  readonly credentials: CredentialStore;
  readonly admin: ApiClient;
  /** Starts one and waits until it is ready; already running, it only waits. */
  readonly start: (name: ComponentName) => Promise<void>;
};

/** Below the range that kernels take for outgoing connections, so that nobody gets the port while a restart has it free. */
const FIRST_PORT = 21_000;
const PORT_COUNT = 11_000;
const PORT_TRIES = 5;

/** Starts the components in their order, each when the one below is ready. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { runner } = options;
  runner.start("etcd", flags("etcd", options, 0));
  await runner.until("etcd", "its health", () => etcdHealthy(join(options.stateDir, FILES.etcdSocket)));
  for (let attempt = 1; ; attempt++) {
    const plane = await planeOn(await freePort(options.address), options);
    try {
      for (const name of COMPONENT_NAMES) if (options.components.includes(name)) await plane.start(name);
      return plane;
    } catch (error) {
      plane.admin.close();
      if (attempt === PORT_TRIES || !lostPort(error)) throw error;
    }
  }
}

async function planeOn(port: number, options: ControlPlaneOptions): Promise<ControlPlane> {
  const { runner, stateDir, authority } = options;
  const url = `https://${options.address}:${port}`;
  const credentials = makeCredentialStore(authority, stateDir, url);
  const { proof } = await credentials(ADMIN, FILES.adminKubeconfig);
  const admin = makeApiClient(url, authority.cert, proof);
  const ready: Readonly<Record<ComponentName, () => Promise<boolean>>> = {
    etcd: () => etcdHealthy(join(stateDir, FILES.etcdSocket)),
    "kube-apiserver": () => answers(admin, "/readyz"),
    // A Pod needs both: the account it runs as, and the root certificate in its token volume.
    "kube-controller-manager": async () =>
      (await answers(admin, "/api/v1/namespaces/default/serviceaccounts/default")) &&
      (await answers(admin, "/api/v1/namespaces/default/configmaps/kube-root-ca.crt")),
    "kube-scheduler": async () => true,
  };
  return {
    url,
    credentials,
    admin,
    start: async (name) => {
      if (!runner.running().includes(name)) {
        await credentialsOf(name, credentials);
        runner.start(name, flags(name, options, port));
      }
      await runner.until(name, "its health", ready[name]);
    },
  };
}

async function credentialsOf(name: ComponentName, credentials: CredentialStore): Promise<void> {
  if (name === "kube-controller-manager" || name === "kube-scheduler") {
    await credentials({ name: `system:${name}` }, kubeconfigOf(name));
  }
}

function flags(name: ComponentName, options: ControlPlaneOptions, port: number): readonly string[] {
  const { address, audit, extraFlags } = options;
  return [...flagsOf(name, { address, port, audit }), ...(extraFlags[name] ?? [])];
}

async function answers(admin: ApiClient, path: string): Promise<boolean> {
  return admin.request("GET", path, { timeoutMs: 2_000 }).then(
    (answer) => answer.status === 200,
    () => false,
  );
}

function etcdHealthy(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const outgoing = httpRequest({ socketPath, path: "/health", timeout: 2_000 }, (incoming) => {
      incoming.resume();
      resolve(incoming.statusCode === 200);
    });
    outgoing.once("timeout", () => outgoing.destroy());
    outgoing.once("error", () => resolve(false));
    outgoing.end();
  });
}

/** Random first, so that clusters booted side by side seldom meet; a meeting is mended by another try. */
async function freePort(address: string): Promise<number> {
  const port = FIRST_PORT + Math.floor(Math.random() * PORT_COUNT);
  return (await canListen(address, port)) ? port : freePort(address);
}

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else reject(error);
    });
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

function lostPort(error: unknown): boolean {
  return error instanceof ComponentFailure && error.logTail.includes("address already in use");
}
