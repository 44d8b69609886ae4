import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { accepted, kubectlDone } from "../cluster/accepted.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { type Installed, installSignet } from "../cluster/install.ts";
import { applyApproved } from "./approve.ts";
import { blocksOf, runScript } from "./runbook.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;
const TEST_MS = 300_000;
const PATIENCE = { timeout: 60_000, interval: 200 };
/** A step is several programs one after the other. */
const STEP_PATIENCE = { timeout: 150_000, interval: 500 };
const ROOT = join(import.meta.dirname, "..", "..");
const REPORT_KINDS = join(ROOT, "test/conformance/data/crds/openreports");
const EXCEPTIONS = "/apis/signet.dev/v1alpha1/namespaces/payments/segmentexceptions";

const CATALOGUE = `
apiVersion: signet.dev/v1alpha1
kind: TrustDomain
metadata: {name: local}
spec: {domain: example.org}
---
apiVersion: signet.dev/v1alpha1
kind: Segment
metadata: {name: payments}
spec: {environment: prod, classification: pci, namespaces: [payments], mode: enforce}
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata: {name: orders-db}
spec: {segment: payments, match: {serviceAccounts: [orders-db]}}
`;

let cluster: Cluster;
let signet: Installed;
let folder = "";

beforeAll(async () => {
  cluster = await bootCluster({ components: [], audit: "off" });
  await kubectlDone(cluster, ["apply", "--server-side", "-f", REPORT_KINDS]);
  await accepted(cluster, "POST", "/api/v1/namespaces/default/serviceaccounts", {
    body: { metadata: { name: "default" } },
  });
  signet = await installSignet(cluster);
  folder = await mkdtemp(join(await realpath(tmpdir()), "signet-exceptions-"));
  await mkdir(join(folder, "bin"));
  await writeFile(
    join(folder, "bin", "signet"),
    `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, "src/bin/cli.ts")}" "$@"\n`,
  );
  await chmod(join(folder, "bin", "signet"), 0o755);
  await accepted(cluster, "POST", "/api/v1/namespaces", { body: { metadata: { name: "payments" } } });
  await accepted(cluster, "POST", "/api/v1/namespaces/payments/serviceaccounts", {
    body: { metadata: { name: "orders-db" } },
  });
  await applyApproved(cluster, CATALOGUE, "bert");
  await people();
  await kubectlDone(cluster, ["label", "namespace", "payments", "signet.dev/enrol=true"]);
  await vi.waitFor(async () => expect((await dryRun(await importer())).status).toBe(403), PATIENCE);
}, FIRST_BOOT_MS);

afterAll(async () => {
  await signet?.stop();
  await cluster?.stop();
  if (folder !== "") await rm(folder, { recursive: true, force: true });
}, TEST_MS);

/** The rights that the page names; ClusterRoles for people are bound by the administrator. */
async function people(): Promise<void> {
  const bind = (kind: string, name: string, role: string, users: readonly string[], where: readonly string[] = []) =>
    kubectlDone(cluster, [
      "create",
      kind,
      name,
      `--clusterrole=${role}`,
      ...where,
      ...users.map((user) => `--user=${user}`),
    ]);
  // Without the controller manager roles do not aggregate, so that what edit brings in is bound by its own name.
  await bind("rolebinding", "ann-team", "signet-team-editor", ["ann"], ["-n", "payments"]);
  await bind("rolebinding", "ann-edit", "system:aggregate-to-edit", ["ann"], ["-n", "payments"]);
  await bind("rolebinding", "ann-view", "system:aggregate-to-view", ["ann"], ["-n", "payments"]);
  await bind("clusterrolebinding", "viewers", "signet-viewer", ["ann", "bert", "carla"]);
  await bind("clusterrolebinding", "seers", "system:aggregate-to-view", ["ann", "bert", "carla"]);
  await bind("clusterrolebinding", "approvers", "signet-approver", ["bert", "carla"]);
}

const blocks = blocksOf("exceptions.md");
const stages = blocksOf("stages.md");

/** Runs each block of a step as whoever the page names; what was written may take a moment to be known everywhere. */
async function step(number: number, user?: string, page = blocks): Promise<string> {
  const found = page.filter(({ title }) => title.replace(/^\d+: /, "").startsWith(`${number}. `));
  if (found.length === 0) throw new Error(`There is no step ${number}.`);
  const config = user === undefined ? {} : { KUBECONFIG: await cluster.kubeconfigFor(user) };
  const env = { ...cluster.env, ...config, PATH: `${join(folder, "bin")}${delimiter}${cluster.env["PATH"] ?? ""}` };
  let said = "";
  for (const { script } of found)
    await vi.waitFor(async () => {
      const { code, output } = await runScript(script, folder, env);
      expect(code, `${script}\n${output}`).toBe(0);
      said += output;
    }, STEP_PATIENCE);
  return said;
}

/** The Pod of the page's own file. */
const importer = async (): Promise<object> => {
  const [first] = blocks;
  if (first) await runScript(first.script, folder, {});
  return parse(await readFile(join(folder, "importer.yaml"), "utf8")) as object;
};

const dryRun = (body: object) => cluster.request("POST", "/api/v1/namespaces/payments/pods?dryRun=All", { body });

type Condition = { readonly type: string; readonly status: string; readonly reason: string; readonly message: string };
async function condition(name: string, type: string): Promise<Condition | undefined> {
  const { body } = await cluster.request("GET", `${EXCEPTIONS}/${name}`);
  const { status } = body as { readonly status: { readonly conditions?: readonly Condition[] } };
  return status.conditions?.find((each) => each.type === type);
}

const events = async (): Promise<readonly string[]> => {
  const { body } = await cluster.request("GET", "/apis/events.k8s.io/v1/namespaces/payments/events");
  const { items } = body as { items: { reason: string; regarding: { kind: string; name: string } }[] };
  return items.map(({ reason, regarding }) => `${reason} ${regarding.kind}/${regarding.name}`);
};

const report = async () => {
  const { body } = await cluster.request("GET", "/apis/openreports.io/v1alpha1/namespaces/payments/reports/signet");
  return body as { summary?: object; results?: { rule: string; result: string }[] };
};

test("1: what a role does not permit is refused, in the page's words", async () => {
  const refused = await dryRun(await importer());
  const { message } = refused.body as { message: string };
  expect(refused.status).toBe(403);
  for (const said of [
    "It mounts a path of the node, which role orders-db does not permit (/srv/import). [HOST_PATH]",
    'There is no exception "legacy-import" in namespace payments. [EXCEPTION_MISSING]',
  ])
    expect(message).toContain(said);
});

test("2, 3: who asked does not grant, and one person is too few", { timeout: TEST_MS }, async () => {
  expect(await step(2, "ann")).toContain("Requested: payments/legacy-import permits hostPath:/srv/import");
  const own = await runScript("signet exceptions approve legacy-import -n payments", folder, {
    ...cluster.env,
    KUBECONFIG: await cluster.kubeconfigFor("ann"),
    PATH: `${join(folder, "bin")}${delimiter}${cluster.env["PATH"] ?? ""}`,
  });
  expect([own.code, own.output]).toEqual([3, expect.stringContaining("You, ann, edited generation 1 yourself.")]);
  expect(await step(3, "bert")).toContain("Approved by bert.");
  await expect
    .poll(async () => (await condition("legacy-import", "Approved"))?.message, PATIENCE)
    .toContain("has that of bert");
  expect((await dryRun(await importer())).body).toMatchObject({
    message: expect.stringContaining("EXCEPTION_UNAPPROVED"),
  });
});

test("4, 5: a second person brings it into force, and another is turned down", { timeout: TEST_MS }, async () => {
  await step(4, "carla");
  await step(5, "bert");
  await expect
    .poll(async () => (await condition("debugging", "Approved"))?.message, PATIENCE)
    .toBe("Generation 1 was denied by bert: use kubectl debug");
});

test("6, 7: the workload starts, is listed, reported, and its end is told", { timeout: TEST_MS }, async () => {
  const said = await step(6, "ann");
  expect(said).toMatch(/payments +legacy-import +hostPath:\/srv\/import +orders-db +active/);
  expect(said).toContain("0 would be refused at the next start");
  await expect.poll(async () => (await report()).summary, PATIENCE).toMatchObject({ pass: 1, fail: 0 });
  await expect.poll(events, PATIENCE).toContain("ExceptionWithinAWeek SegmentException/legacy-import");
  expect(await step(7, "ann")).toMatch(/It ends at .*; extend it/);
});

test("8: a later end waits for somebody else, and what was granted counts", { timeout: TEST_MS }, async () => {
  expect(await step(8, "ann")).toContain("Somebody else approves it");
  await expect.poll(async () => (await condition("legacy-import", "Approved"))?.status, PATIENCE).toBe("False");
  expect((await dryRun({ ...(await importer()), metadata: { ...META, name: "second" } })).status).toBe(201);
});

const META = { namespace: "payments", annotations: { "signet.dev/exception": "legacy-import" } };

test("9: when it is ended what runs is flagged everywhere, and the next start is refused", {
  timeout: TEST_MS,
}, async () => {
  await step(9, "bert");
  const next = { ...(await importer()), metadata: { ...META, name: "next" } };
  await expect.poll(async () => (await dryRun(next)).status, PATIENCE).toBe(403);
  await expect
    .poll(async () => (await condition("legacy-import", "RunningBeyondEnd"))?.message, PATIENCE)
    .toBe("One Pod runs that only this let in: importer. Their next start will be refused.");
  const metrics = async () => signet.replicas()[0]?.metrics();
  await expect.poll(metrics, PATIENCE).toMatch(/^signet_pods_beyond_exception 1$/m);
  await expect
    .poll(async () => (await report()).results?.map(({ rule, result }) => `${result} ${rule}`), PATIENCE)
    .toEqual(["fail EXCEPTION_UNAPPROVED", "fail HOST_PATH"]);
  const { body } = await cluster.request("GET", "/api/v1/namespaces/payments/pods/importer");
  expect((body as { metadata: { deletionTimestamp?: string } }).metadata.deletionTimestamp).toBeUndefined();
});

test("a template is reported though nothing of it runs, and a report goes when nothing is left", {
  timeout: TEST_MS,
}, async () => {
  await accepted(cluster, "DELETE", "/api/v1/namespaces/payments/pods/importer?gracePeriodSeconds=0");
  const deployments = "/apis/apps/v1/namespaces/payments/deployments";
  const { spec } = (await importer()) as { readonly spec: object };
  // The webhook refuses it: it is made while the namespace is not enrolled.
  await kubectlDone(cluster, ["label", "namespace", "payments", "signet.dev/enrol-"]);
  const labels = { app: "later" };
  const body = {
    metadata: { name: "later" },
    spec: { replicas: 0, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
  await vi.waitFor(
    async () => expect(await cluster.request("POST", deployments, { body })).toMatchObject({ status: 201 }),
    PATIENCE,
  );
  await kubectlDone(cluster, ["label", "namespace", "payments", "signet.dev/enrol=true"]);
  const found = async () => {
    const { results } = (await report()) as { results?: { result: string; rule: string; resources: object[] }[] };
    return results?.map(({ result, rule, resources }) => [result, rule, ...resources]);
  };
  const resource = { apiVersion: "apps/v1", kind: "Deployment", namespace: "payments", name: "later" };
  await expect.poll(found, PATIENCE).toEqual([["fail", "HOST_PATH", expect.objectContaining(resource)]]);
  await accepted(cluster, "DELETE", `${deployments}/later`);
  await expect.poll(async () => (await report()) as object, PATIENCE).toMatchObject({ code: 404 });
});

test("10: a signature grants where no server does", { timeout: TEST_MS }, async () => {
  const said = await step(10);
  expect(said).toContain("payments/pipeline: counts; permits hostPath:/srv/import for Pod importer of role orders-db");
  expect(said).toContain("1 admitted, 0 with warnings, 0 refused.");
});

test("11: grants reach a cluster in ConfigMaps of Signet's namespace", { timeout: TEST_MS }, async () => {
  expect(await step(11)).toBe("configmap/signet-grant-keys created\nconfigmap/signet-grants created\n");
});

describe("stages.md", () => {
  const SHOP = `
apiVersion: signet.dev/v1alpha1
kind: Segment
metadata: {name: shop}
spec: {namespaces: [shop], mode: observe}
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata: {name: web}
spec: {segment: shop, match: {serviceAccounts: [web]}}
`;
  const escaping = {
    metadata: { name: "w" },
    spec: { serviceAccountName: "web", hostPID: true, containers: [{ name: "m", image: "x" }] },
  };
  const start = async () =>
    (await cluster.request("POST", "/api/v1/namespaces/shop/pods?dryRun=All", { body: escaping })).status;
  const mode = async () => {
    const { body } = await cluster.request("GET", "/apis/signet.dev/v1alpha1/segments/shop");
    return (body as { status?: { approved?: { spec: { mode: string } } } }).status?.approved?.spec.mode;
  };

  beforeAll(async () => {
    await accepted(cluster, "POST", "/api/v1/namespaces", { body: { metadata: { name: "shop" } } });
    await accepted(cluster, "POST", "/api/v1/namespaces/shop/serviceaccounts", { body: { metadata: { name: "web" } } });
    await applyApproved(cluster, SHOP, "bert");
    await vi.waitFor(async () => expect(await mode()).toBe("observe"), PATIENCE);
  }, TEST_MS);

  test("criteria first, then an edit that waits, then in force, and back", { timeout: TEST_MS }, async () => {
    const look = await step(1, undefined, stages);
    expect(look).toContain("Segment shop: observe → simulate");
    expect(look).toContain("Namespace shop is not enrolled: nothing is refused there.");
    expect(await step(2, undefined, stages)).toContain("until then it stays observe.");
    expect([await mode(), await start()]).toEqual(["observe", 201]);
    await step(3, "bert", stages);
    await expect.poll(start, PATIENCE).toBe(403);
    expect(await mode()).toBe("enforce");
    await step(4, undefined, stages);
    expect([await mode(), await start()]).toEqual(["enforce", 403]);
  });
});

describe("what time alone does", () => {
  const room = (name: string, more = "") => `
apiVersion: signet.dev/v1alpha1
kind: Segment
metadata: {name: ${name}}
spec: {namespaces: [${name}], mode: enforce${more}}
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata: {name: ${name}-app}
spec: {segment: ${name}, match: {serviceAccounts: [app]}}
`;
  const ends = new Date(Date.now() + 3_600_000);
  const escaping = (name: string, annotations = {}) => ({
    metadata: { name, annotations },
    spec: { serviceAccountName: "app", hostPID: true, containers: [{ name: "m", image: "example.org/x" }] },
  });
  const start = (namespace: string, body: object, query = "") =>
    cluster.request("POST", `/api/v1/namespaces/${namespace}/pods${query}`, { body });
  const segment = async (name: string) => {
    const { body } = await cluster.request("GET", `/apis/signet.dev/v1alpha1/segments/${name}`);
    return body as { status: { fallback?: { mode: string; why: string }; conditions: readonly Condition[] } };
  };

  beforeAll(async () => {
    for (const name of ["brief", "risky", "firm"]) {
      await accepted(cluster, "POST", "/api/v1/namespaces", { body: { metadata: { name } } });
      await accepted(cluster, "POST", `/api/v1/namespaces/${name}/serviceaccounts`, {
        body: { metadata: { name: "app" } },
      });
    }
    await applyApproved(cluster, room("brief"), "bert");
    await applyApproved(cluster, `${room("risky", ", fallback: observe")}---${room("firm")}`, "bert");
    for (const namespace of ["risky", "firm"])
      for (const name of ["a", "b", "c", "d"])
        expect(await start(namespace, escaping(name))).toMatchObject({ status: 201 });
    for (const name of ["brief", "risky", "firm"])
      await kubectlDone(cluster, ["label", "namespace", name, "signet.dev/enrol=true"]);
    ends.setTime(Math.ceil(Date.now() / 1000) * 1000 + 45_000);
    const exception = `
apiVersion: signet.dev/v1alpha1
kind: SegmentException
metadata: {namespace: brief, name: short}
spec: {permit: {check: hostPID}, workloads: {role: brief-app}, reason: r, expires: "${ends.toISOString()}"}
`;
    await applyApproved(cluster, exception, "bert", "carla");
    const body = escaping("outliving", { "signet.dev/exception": "short" });
    await vi.waitFor(async () => expect(await start("brief", body)).toMatchObject({ status: 201 }), PATIENCE);
  }, TEST_MS);

  const inBrief = async (name: string, type: string) => {
    const { body } = await cluster.request("GET", `${EXCEPTIONS.replace("payments", "brief")}/${name}`);
    const { status } = body as { readonly status: { readonly conditions?: readonly Condition[] } };
    return status.conditions?.find((each) => each.type === type);
  };
  const told = async () => {
    const { body } = await cluster.request("GET", "/apis/events.k8s.io/v1/namespaces/brief/events");
    const { items } = body as { items: { reason: string; regarding: { kind: string; name: string } }[] };
    return items.map(({ reason, regarding }) => `${reason} ${regarding.kind}/${regarding.name}`);
  };

  test("an exception ends by itself: what runs is flagged everywhere, and refused at its next start", {
    timeout: TEST_MS,
  }, async () => {
    const soon = { timeout: 120_000, interval: 500 };
    await expect.poll(async () => (await inBrief("short", "Ending"))?.reason, soon).toBe("Ended");
    const next = escaping("next", { "signet.dev/exception": "short" });
    expect(await start("brief", next, "?dryRun=All")).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining(`Exception "short" ended at`) },
    });
    await expect
      .poll(async () => (await inBrief("short", "RunningBeyondEnd"))?.message, soon)
      .toBe("One Pod runs that only this let in: outliving. Their next start will be refused.");
    expect(await inBrief("short", "Ready")).toMatchObject({ status: "False", reason: "Ended" });
    await expect.poll(told, soon).toEqual(expect.arrayContaining(["ExceptionEnded SegmentException/short"]));
    expect((await told()).filter((each) => each.endsWith("Pod/outliving"))).toEqual(["ExceptionExpired Pod/outliving"]);
    expect(await signet.replicas()[0]?.metrics()).toMatch(/^signet_pods_beyond_exception 1$/m);
    await expect
      .poll(async () => {
        const path = "/apis/openreports.io/v1alpha1/namespaces/brief/reports/signet";
        const { results } = (await cluster.request("GET", path)).body as {
          results?: { rule: string; result: string }[];
        };
        return results?.map(({ rule, result }) => `${result} ${rule}`);
      }, soon)
      .toEqual(["fail EXCEPTION_EXPIRED", "fail HOST_PID"]);
    expect(await cluster.request("GET", "/api/v1/namespaces/brief/pods/outliving")).toMatchObject({ status: 200 });
  });

  test("a segment whose approved spec says so falls back, another does not", { timeout: TEST_MS }, async () => {
    await expect
      .poll(async () => (await segment("risky")).status.fallback, { timeout: 150_000, interval: 500 })
      .toMatchObject({ mode: "observe", why: "4 of 4 workloads would not start again in mode enforce." });
    await expect.poll(async () => (await start("risky", escaping("e"), "?dryRun=All")).status, PATIENCE).toBe(201);
    const fell = async () => (await segment("risky")).status.conditions.find(({ type }) => type === "FellBack");
    await expect.poll(async () => (await fell())?.status, PATIENCE).toBe("True");
    expect((await segment("firm")).status.fallback).toBeUndefined();
    expect(await start("firm", escaping("e"), "?dryRun=All")).toMatchObject({ status: 403 });
    const forged = await cluster.request("PATCH", "/apis/signet.dev/v1alpha1/segments/firm/status", {
      body: { status: { fallback: { mode: "observe", since: "2026-11-01T00:00:00Z", why: "let me in" } } },
      contentType: "application/merge-patch+json",
    });
    expect(forged).toMatchObject({
      body: { message: expect.stringContaining("Of a status only the list of approvals is yours to write") },
    });
  });
});
