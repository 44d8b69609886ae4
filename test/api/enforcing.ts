import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parse } from "yaml";
import { admissionPolicies } from "../../src/wire/manifests/admission-policies.ts";
import { accepted } from "../cluster/accepted.ts";
import type { ApiAnswer } from "../cluster/api.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import type { Actor } from "../cluster/users.ts";

/** The first run on a machine may have to build the binaries. */
export const FIRST_BOOT_MS = 20 * 60_000;

const CRDS = new URL("../../manifests/crds/", import.meta.url).pathname;
const ADMISSION = "/apis/admissionregistration.k8s.io/v1";
const EXTENSIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** KubeVirt's kind as far as guards look at it. */
const VMI = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "virtualmachineinstances.kubevirt.io" },
  spec: {
    group: "kubevirt.io",
    scope: "Namespaced",
    names: { kind: "VirtualMachineInstance", plural: "virtualmachineinstances" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};

/** Boots a control plane that has Signet's kinds, its namespace and account, and all that the API server holds for it. */
export async function bootEnforcing(fakeNodes = 0): Promise<Cluster> {
  const cluster = await bootCluster({ components: [], audit: "off", fakeNodes });
  try {
    await enforce(cluster);
    return cluster;
  } catch (fault) {
    await cluster.stop();
    throw fault;
  }
}

async function enforce(cluster: Cluster): Promise<void> {
  const post = (path: string, body: unknown) => accepted(cluster, "POST", path, { body });
  for (const crd of await ourKinds()) await post(EXTENSIONS, crd);
  await post(EXTENSIONS, VMI);
  await post("/api/v1/namespaces", { metadata: { name: "signet-system" } });
  await post("/api/v1/namespaces/signet-system/serviceaccounts", { metadata: { name: "signet" } });
  await eventually("the kinds are served", () => established(cluster));
  for (const object of admissionPolicies())
    await post(`${ADMISSION}/${object.kind.toLowerCase().replace(/y$/, "ie")}s`, object);
  await inForce(cluster);
}

/** What `kubectl apply` takes from that folder, kustomize's own file aside. */
async function ourKinds(): Promise<readonly Json[]> {
  const files = (await readdir(CRDS)).sort();
  const objects = await Promise.all(
    files.map(async (file): Promise<Json> => parse(await readFile(join(CRDS, file), "utf8"))),
  );
  return objects.filter(({ kind }) => kind === "CustomResourceDefinition");
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 150; tries++) {
    if (await holds()) return;
    await setTimeout(200);
  }
  throw new Error(`it did not come about that ${what}`);
}

async function established(cluster: Cluster): Promise<boolean> {
  const { body } = await cluster.request("GET", EXTENSIONS);
  const { items } = body as {
    readonly items: readonly { readonly status?: { readonly conditions?: readonly Json[] } }[];
  };
  return items.every(({ status }) =>
    status?.conditions?.some(({ type, status }) => type === "Established" && status === "True"),
  );
}

/** The server takes notice of policies within a second or two of each other; the last ones come with the first. */
async function inForce(cluster: Cluster): Promise<void> {
  const body = { metadata: { name: "probe", labels: { "signet.dev/enrol": "neither" } } };
  const refused = async () => (await cluster.request("POST", "/api/v1/namespaces?dryRun=All", { body })).status === 403;
  await eventually("policies are in force", refused);
  await setTimeout(2_000);
}

export type Json = Readonly<Record<string, unknown>>;

export const SIGNET: Actor = { serviceAccount: "signet-system/signet" };

export const node = (name: string): Actor => ({ user: `system:node:${name}`, groups: ["system:nodes"] });

const MERGE = "application/merge-patch+json";

/** One request by one actor. */
export type Ask = (cluster: Cluster, who: Actor) => Promise<ApiAnswer>;

/** A request, made again while the API server is not ready for it (503), as it can be after new kinds: no policy says that. */
async function answered(cluster: Cluster, ...asked: Parameters<Cluster["request"]>): Promise<ApiAnswer> {
  for (let tries = 0; ; tries++) {
    const answer = await cluster.request(...asked);
    if (answer.status !== 503 || tries === 150) return answer;
    await setTimeout(200);
  }
}

export const post =
  (path: string, body: unknown): Ask =>
  (cluster, who) =>
    answered(cluster, "POST", path, { body, ...who });

export const merge =
  (path: string, body: unknown): Ask =>
  (cluster, who) =>
    answered(cluster, "PATCH", path, { body, contentType: MERGE, ...who });

export const jsonPatch =
  (path: string, body: readonly unknown[]): Ask =>
  (cluster, who) =>
    answered(cluster, "PATCH", path, { body, contentType: "application/json-patch+json", ...who });

export const apply =
  (path: string, body: unknown): Ask =>
  (cluster, who) =>
    answered(cluster, "PATCH", `${path}${path.includes("?") ? "&" : "?"}fieldManager=test&force=true`, {
      body: JSON.stringify(body),
      contentType: "application/apply-patch+yaml",
      ...who,
    });

/** Reads the object, changes it and puts the whole back. */
export const replace =
  (path: string, change: (object: Json) => Json, to = path): Ask =>
  async (cluster, who) => {
    const { body } = await cluster.request("GET", path);
    return answered(cluster, "PUT", to, { body: change(body as Json), ...who });
  };

export const remove =
  (path: string): Ask =>
  (cluster, who) =>
    answered(cluster, "DELETE", path, who);

/** Lets everybody named do everything that RBAC can give in these groups, so that only policies refuse. */
export async function permit(cluster: Cluster, name: string, users: readonly Actor[], rules: readonly Json[]) {
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  const role = { metadata: { name }, rules };
  await accepted(cluster, "POST", `${rbac}/clusterroles`, { body: role });
  const subjects = users.map(({ user, serviceAccount }) => {
    const [namespace, account] = (serviceAccount ?? "").split("/");
    return user === undefined
      ? { kind: "ServiceAccount", namespace, name: account }
      : { kind: "User", apiGroup: "rbac.authorization.k8s.io", name: user };
  });
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name };
  const binding = { metadata: { name }, subjects, roleRef };
  await accepted(cluster, "POST", `${rbac}/clusterrolebindings`, { body: binding });
}
