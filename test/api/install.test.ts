import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { parseAllDocuments, stringify } from "yaml";
import { ACCOUNT_USER } from "../../src/wire/manifests/names.ts";
import { accepted, kubectlDone } from "../cluster/accepted.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { ALLOWED, type Attempt, FORBIDDEN, PEOPLE, SIGNER_ONLY } from "./rights.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;
const TEST_MS = 120_000;
const root = join(import.meta.dirname, "..", "..");
const overlay = (name: string): string => join(root, "manifests", "overlays", name);
const SIGNET = {
  user: ACCOUNT_USER,
  groups: ["system:serviceaccounts", "system:serviceaccounts:signet-system", "system:authenticated"],
};

let cluster: Cluster;
let folder: string;

beforeAll(async () => {
  cluster = await bootCluster();
  folder = await mkdtemp(join(await realpath(tmpdir()), "signet-overlay-"));
}, FIRST_BOOT_MS);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await cluster.stop();
}, TEST_MS);

const kubectl = (...args: readonly string[]): Promise<string> => kubectlDone(cluster, args);

const applyServerSide = (path: string): Promise<string> =>
  kubectl("apply", "--server-side", "--force-conflicts", "-k", path);

type Listed = {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly resourceVersion: string; readonly generation?: number };
};

/** Controllers write the status of these as they please. */
const BUSY: readonly string[] = ["Deployment", "PodDisruptionBudget", "ResourceQuota", "ValidatingAdmissionPolicy"];

/** Kind and name → resource version of everything that the overlay holds, as the server has it; generation of the busy. */
async function versions(path: string): Promise<Readonly<Record<string, string>>> {
  const list = JSON.parse(await kubectl("get", "-k", path, "-o", "json")) as { readonly items: readonly Listed[] };
  return Object.fromEntries(
    list.items.map(({ kind, metadata }) => [
      `${kind} ${metadata.name}`,
      BUSY.includes(kind) ? String(metadata.generation) : metadata.resourceVersion,
    ]),
  );
}

/** Statuses written after creation (CRDs, flow schemas, quota) have come to rest. */
async function settled(path: string): Promise<Readonly<Record<string, string>>> {
  let last = await versions(path);
  await vi.waitFor(
    async () => {
      const before = last;
      last = await versions(path);
      expect(last).toEqual(before);
    },
    { timeout: 30_000, interval: 1_000 },
  );
  return last;
}

describe.each(["by-url", "in-cluster"])("the overlay %s", (name) => {
  test("is accepted whole, and changes nothing the second time", { timeout: TEST_MS }, async () => {
    await applyServerSide(overlay(name));
    const first = await settled(overlay(name));
    await applyServerSide(overlay(name));
    expect(await versions(overlay(name))).toEqual(first);
  });
});

test("kubectl without server-side apply takes it too, and changes nothing the second time", {
  timeout: TEST_MS,
}, async () => {
  await kubectl("apply", "-k", overlay("in-cluster"));
  const first = await settled(overlay("in-cluster"));
  await kubectl("apply", "-k", overlay("in-cluster"));
  expect(await versions(overlay("in-cluster"))).toEqual(first);
});

describe("what Signet writes at run time", () => {
  const configurations = "/apis/admissionregistration.k8s.io/v1";
  const caBundle = (): string => Buffer.from(cluster.authority.cert).toString("base64");
  const bundles = async (): Promise<readonly unknown[]> => {
    const found: unknown[] = [];
    for (const plural of ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"]) {
      const { body } = await cluster.request("GET", `${configurations}/${plural}/signet`);
      const { webhooks } = body as { webhooks: { clientConfig: { caBundle?: string } }[] };
      found.push(...webhooks.map(({ clientConfig }) => clientConfig.caBundle));
    }
    return found;
  };

  test("caBundle, keys and Lease stay when the manifests are applied again", { timeout: TEST_MS }, async () => {
    for (const plural of ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"]) {
      const { body } = await cluster.request("GET", `${configurations}/${plural}/signet`, SIGNET);
      const { webhooks } = body as { webhooks: { name: string }[] };
      const patch = {
        webhooks: webhooks.map((entry) => ({ name: entry.name, clientConfig: { caBundle: caBundle() } })),
      };
      const options = { body: patch, contentType: "application/strategic-merge-patch+json", ...SIGNET };
      const answer = await cluster.request("PATCH", `${configurations}/${plural}/signet`, options);
      expect(answer).toMatchObject({ status: 200 });
    }
    const merge = { contentType: "application/merge-patch+json", ...SIGNET };
    const own = "/namespaces/signet-system";
    const secret = `/api/v1${own}/secrets/signet-authorities`;
    const lease = `/apis/coordination.k8s.io/v1${own}/leases/signet-leader`;
    const key = Buffer.from("a key").toString("base64");
    expect((await cluster.request("PATCH", secret, { body: { data: { key } }, ...merge })).status).toBe(200);
    const held = { spec: { holderIdentity: "signet-0", leaseDurationSeconds: 15 } };
    expect((await cluster.request("PATCH", lease, { body: held, ...merge })).status).toBe(200);

    await kubectl("apply", "-k", overlay("in-cluster"));
    await applyServerSide(overlay("in-cluster"));

    expect(new Set(await bundles())).toEqual(new Set([caBundle()]));
    expect(await cluster.request("GET", secret)).toMatchObject({ body: { data: { key } } });
    expect(await cluster.request("GET", lease)).toMatchObject({ body: held });
  });

  test("a lost Secret is made again by server-side apply, and by no other name", { timeout: TEST_MS }, async () => {
    const secret = (name: string): string =>
      `/api/v1/namespaces/signet-system/secrets/${name}?fieldManager=signet&force=true`;
    const apply = (name: string) => ({
      body: { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "signet-system" } },
      contentType: "application/apply-patch+yaml",
      ...SIGNET,
    });
    await accepted(cluster, "DELETE", "/api/v1/namespaces/signet-system/secrets/signet-serving");
    expect((await cluster.request("PATCH", secret("signet-serving"), apply("signet-serving"))).status).toBe(201);
    expect((await cluster.request("PATCH", secret("other"), apply("other"))).status).toBe(403);
  });
});

test("the server's Pods pass the strictest Pod security, and its critical priority", { timeout: TEST_MS }, async () => {
  await vi.waitFor(
    async () => {
      const pods = JSON.parse(await kubectl("get", "pods", "-n", "signet-system", "-o", "json")) as {
        readonly items: readonly { readonly spec: { readonly priorityClassName: string } }[];
      };
      const priorities = pods.items.map(({ spec }) => spec.priorityClassName);
      expect(priorities).toEqual(["system-cluster-critical", "system-cluster-critical"]);
    },
    { timeout: 30_000, interval: 500 },
  );
});

test("the flow schemas point to levels that exist", { timeout: TEST_MS }, async () => {
  const conditions = ["signet", "signet-leases"].map((name) =>
    kubectl("get", "flowschema", name, "-o", 'jsonpath={.status.conditions[?(@.type=="Dangling")].status}'),
  );
  expect(await Promise.all(conditions)).toEqual(["False", "False"]);
});

/** Asks the API server's authorizer. */
async function may(attempt: Attempt, who: { readonly user: string; readonly groups: readonly string[] }) {
  const { verb, group = "", resource, subresource, name, namespace } = attempt;
  const resourceAttributes = { verb, group, resource, subresource, name, namespace };
  const body = { spec: { ...who, resourceAttributes } };
  const answer = await cluster.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", { body });
  return (answer.body as { readonly status: { readonly allowed: boolean } }).status.allowed;
}

const told = ({ verb, group, resource, subresource, name, namespace }: Attempt): string =>
  [
    verb,
    [resource, subresource].filter(Boolean).join("/"),
    group && `of ${group}`,
    name && `"${name}"`,
    namespace && `in ${namespace}`,
  ]
    .filter(Boolean)
    .join(" ");

describe("Signet's account", () => {
  test.each(ALLOWED.map((attempt) => [told(attempt), attempt] as const))("may %s", async (_told, attempt) => {
    expect(await may(attempt, SIGNET)).toBe(true);
  });

  test.each([...FORBIDDEN, ...SIGNER_ONLY].map((attempt) => [told(attempt), attempt] as const))(
    "may not %s",
    async (_told, attempt) => {
      expect(await may(attempt, SIGNET)).toBe(false);
    },
  );
});

describe("people", () => {
  beforeAll(async () => {
    await kubectl("create", "namespace", "team");
    for (const role of new Set(PEOPLE.map(({ role }) => role))) {
      await kubectl("create", "clusterrolebinding", `test-${role}`, `--clusterrole=${role}`, `--user=all-${role}`);
      await kubectl(
        "create",
        "rolebinding",
        `test-${role}`,
        "-n",
        "team",
        `--clusterrole=${role}`,
        `--user=team-${role}`,
      );
    }
    // The controller that aggregates roles.
    await vi.waitFor(
      async () => {
        const attempt = { verb: "create", group: "signet.dev", resource: "segmentpolicies", namespace: "team" };
        expect(await may(attempt, { user: "team-admin", groups: [] })).toBe(true);
      },
      { timeout: 30_000, interval: 500 },
    );
  }, TEST_MS);

  test.each(PEOPLE.map((row) => [row.role, row.bound, row.allowed ? "may" : "may not", told(row), row] as const))(
    "%s, bound in the %s, %s %s",
    async (_role, _bound, _may, _told, { role, bound, allowed, ...attempt }) => {
      const user = bound === "cluster" ? `all-${role}` : `team-${role}`;
      expect(await may(attempt, { user, groups: ["system:authenticated"] })).toBe(allowed);
    },
  );
});

describe("components", () => {
  /** An overlay of one's own, as docs/install.md shows it. */
  async function withComponents(...names: readonly string[]): Promise<string> {
    const components = names.map((name) => relative(folder, join(root, "manifests", "components", name)));
    const kustomization = { resources: [relative(folder, overlay("in-cluster"))], components };
    await writeFile(join(folder, "kustomization.yaml"), stringify(kustomization));
    return folder;
  }

  test("`signer` lets Signet sign for one signer and publish one bundle", { timeout: TEST_MS }, async () => {
    await applyServerSide(await withComponents("signer"));
    await vi.waitFor(
      async () => {
        const answers = await Promise.all(SIGNER_ONLY.map((attempt) => may(attempt, SIGNET)));
        expect(answers).toEqual(SIGNER_ONLY.map(() => true));
      },
      { timeout: 10_000 },
    );
    expect(await publish("signet.dev:svid:bundle")).toMatchObject({ status: 201 });
    expect(await publish("signet.dev:svid:other")).toMatchObject({ status: 403 });
    for (const attempt of FORBIDDEN) expect(await may(attempt, SIGNET), told(attempt)).toBe(false);
  });

  const publish = (name: string) =>
    cluster.request("PATCH", `/apis/certificates.k8s.io/v1/clustertrustbundles/${name}?fieldManager=signet`, {
      body: {
        apiVersion: "certificates.k8s.io/v1",
        kind: "ClusterTrustBundle",
        metadata: { name },
        spec: { signerName: "signet.dev/svid", trustBundle: cluster.authority.cert },
      },
      contentType: "application/apply-patch+yaml",
      ...SIGNET,
    });

  test("`database` exempts its namespace from every entry", { timeout: TEST_MS }, async () => {
    await applyServerSide(await withComponents("database"));
    const shown = await kubectl(
      "get",
      "mutatingwebhookconfiguration/signet",
      "validatingwebhookconfiguration/signet",
      "-o",
      "json",
    );
    type Selector = { readonly operator: string; readonly values: readonly string[] };
    type Entry = { readonly namespaceSelector: { readonly matchExpressions: readonly Selector[] } };
    const { items } = JSON.parse(shown) as { readonly items: readonly { readonly webhooks: readonly Entry[] }[] };
    const selectors = items.flatMap(({ webhooks }) =>
      webhooks.map((each) => each.namespaceSelector.matchExpressions[0]),
    );
    // Beside these stand the two self-tests, which are about Signet's own namespace alone.
    const exempting = selectors.filter((each) => each?.operator === "NotIn");
    expect(exempting.map((each) => each?.values.at(-1))).toEqual(Array.from({ length: 10 }, () => "signet-database"));
    expect(selectors).toHaveLength(12);
  });

  test("nobody is believed to make launchers where no component says so", { timeout: TEST_MS }, async () => {
    expect(await kubectl("kustomize", await withComponents())).not.toContain("kubevirt-controller");
  });

  test.each([
    ["kubevirt", "kubevirt"],
    ["openshift-virtualization", "openshift-cnv"],
  ])("`%s` names its virt-controller wherever one is named", { timeout: TEST_MS }, async (component, namespace) => {
    const path = await withComponents(component);
    // Six conditions of the webhooks, and the argument of the server.
    const named = (await kubectl("kustomize", path)).match(/[a-z-]+:kubevirt-controller/g);
    expect(named).toEqual(Array.from({ length: 7 }, () => `${namespace}:kubevirt-controller`));
    await applyServerSide(path);
  });

  test("`monitoring` brings what the Prometheus operator reads", { timeout: TEST_MS }, async () => {
    const rendered = await kubectl("kustomize", await withComponents("monitoring"));
    const kinds = parseAllDocuments(rendered).map((document) => String(document.get("kind")));
    expect(kinds).toEqual(expect.arrayContaining(["ServiceMonitor", "PrometheusRule"]));
  });

  test("`cert-manager` brings a certificate that the server mounts, and nothing that Signet would write", {
    timeout: TEST_MS,
  }, async () => {
    const rendered = await kubectl("kustomize", await withComponents("cert-manager"));
    expect(rendered.match(/cert-manager.io\/inject-ca-from: signet-system\/signet-certificate/g)).toHaveLength(2);
    expect(rendered).toContain("--certificate-folder");
    expect(rendered.match(/mountPath: \/etc\/signet-certificate/g)).toHaveLength(1);
    const kinds = parseAllDocuments(rendered).map((document) => String(document.get("kind")));
    expect(kinds.filter((kind) => kind === "Certificate" || kind === "Issuer")).toHaveLength(4);
  });
});
