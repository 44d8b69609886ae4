import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { RequestOptions } from "node:https";
import { delimiter, join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { reasonOf } from "./log.ts";

/** What proves the server to us and us to the server, as of now; PEM throughout. */
export type Credentials = {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
  /** Name expected in the server's certificate where it is not the URL's host. */
  readonly serverName?: string;
  /** Only what a kubeconfig says in so many words (`insecure-skip-tls-verify`). */
  readonly skipVerify: boolean;
};

/** Where the API server is, and how to come by credentials for it; these are read anew because files rotate. */
export type ClusterAccess = {
  readonly server: URL;
  /** The namespace that we live in, or that the context names; `default` where nothing says. */
  readonly namespace: string;
  /** Throws where a file or a plugin fails; `fresh` forgets whatever was cached, after the server has said 401. */
  readonly credentials: (fresh: boolean) => Promise<Credentials>;
};

/** Where to look, in the order of the fields: a file named, KUBECONFIG, a Pod's own account, ~/.kube/config. */
export type AccessSources = {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder of the Pod's service account; the kubelet mounts it at one fixed place. */
  readonly accountFolder?: string;
};

const ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Finds out which cluster is meant and how to authenticate there. Nothing is connected yet. */
export async function readClusterAccess(sources: AccessSources): Promise<Result<ClusterAccess>> {
  const { env } = sources;
  const named = sources.kubeconfig ?? env["KUBECONFIG"];
  if (named !== undefined && named !== "") return fromKubeconfig(named.split(delimiter), sources.context);
  const folder = sources.accountFolder ?? ACCOUNT_FOLDER;
  const host = env["KUBERNETES_SERVICE_HOST"];
  if (host !== undefined && host !== "" && existsSync(join(folder, "token"))) return inCluster(host, folder, env);
  const home = join(env["HOME"] ?? "", ".kube", "config");
  if (existsSync(home)) return fromKubeconfig([home], sources.context);
  return refuse("NOT_FOUND", "", "No cluster is named.", "Set KUBECONFIG, or run in a Pod with a service account.");
}

/** A Pod's own account is three files. Reading them here spares a Pod the 90 MB that the client library takes. */
function inCluster(host: string, folder: string, env: AccessSources["env"]): Result<ClusterAccess> {
  const file = (name: string): Promise<string> => readFile(join(folder, name), "utf8");
  const port = env["KUBERNETES_SERVICE_PORT"] ?? "443";
  const namespaceFile = join(folder, "namespace");
  return ok({
    server: new URL(`https://${host.includes(":") ? `[${host}]` : host}:${port}`),
    namespace: existsSync(namespaceFile) ? readFileSync(namespaceFile, "utf8").trim() : "default",
    credentials: async () => {
      const [ca, token] = await Promise.all([file("ca.crt"), file("token")]);
      return { ca, token: token.trim(), skipVerify: false };
    },
  });
}

async function fromKubeconfig(files: readonly string[], context?: string): Promise<Result<ClusterAccess>> {
  try {
    const first = await loadKubeconfig(files, context);
    const cluster = first.getCurrentCluster();
    if (!cluster)
      return refuse("FIELD_MISSING", "current-context", "The kubeconfig's context names no cluster.", "Set a context.");
    if (cluster.proxyUrl !== undefined)
      return refuse("FIELD_INVALID", "proxy-url", "A proxy to the API server is not supported.", "Take it away.");
    const namespace = first.getContextObject(first.getCurrentContext())?.namespace;
    let current = first;
    return ok({
      server: new URL(cluster.server),
      namespace: namespace ?? "default",
      credentials: async (fresh) => {
        if (fresh) current = await loadKubeconfig(files, context);
        return credentialsOf(current);
      },
    });
  } catch (fault) {
    const mend = "Check the path, its permissions and its contents.";
    return refuse("FILE_UNREADABLE", "", `The kubeconfig cannot be used: ${reasonOf(fault)}`, mend);
  }
}

/** The client library is loaded here and nowhere else: it knows kubeconfigs, their plugins and their merging. */
async function loadKubeconfig(files: readonly string[], context?: string): Promise<KubeConfig> {
  const library = await import("@kubernetes/client-node");
  const config = new library.KubeConfig();
  for (const [index, file] of files.filter((each) => each !== "").entries()) {
    if (index === 0) {
      config.loadFromFile(file);
      continue;
    }
    const more = new library.KubeConfig();
    more.loadFromFile(file);
    config.mergeConfig(more, true);
  }
  if (context !== undefined) config.setCurrentContext(context);
  return config;
}

async function credentialsOf(config: KubeConfig): Promise<Credentials> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const header = (options.headers as Readonly<Record<string, unknown>> | undefined)?.["Authorization"];
  const bearer = typeof header === "string" ? /^Bearer (.+)$/.exec(header)?.[1] : undefined;
  const pem = (value: unknown): string | undefined =>
    typeof value === "string" || Buffer.isBuffer(value) ? value.toString() : undefined;
  return compact({
    ca: pem(options.ca),
    cert: pem(options.cert),
    key: pem(options.key),
    token: bearer,
    serverName: options.servername,
    skipVerify: options.rejectUnauthorized === false,
  });
}

type Loose<T> = { readonly [K in keyof T]: T[K] | undefined };

function compact(found: Loose<Required<Credentials>>): Credentials {
  const present = Object.entries(found).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(present), skipVerify: found.skipVerify === true };
}
