import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { PUBLISHED } from "../../src/reconcile/policies/published-kinds.ts";
import { compile } from "../../src/policy/compile/compile.ts";
import type { Rendered } from "../../src/policy/compile/rendered.ts";
import { TARGET_NAMES } from "../../src/policy/compile/targets.ts";
import { compileIntent } from "../../src/policy/intent/intent.ts";
import { accepted, kubectlDone } from "../cluster/accepted.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { type Installed, installSignet } from "../cluster/install.ts";
import type { Replica } from "../cluster/replica.ts";
import { type Files, signet } from "../fakes/io.ts";
import { must, NOON } from "../fakes/judging.ts";
import { estate, estateMembers } from "../policy/compile/estate.ts";
import { POD_NETWORK } from "../policy/compile/random-site.ts";
import { applyApproved } from "./approve.ts";
import { signetAs } from "./people.ts";

const FIRST_BOOT_MS = 20 * 60_000;
const TEST_MS = 60_000;
const CRDS = "test/conformance/data/crds";
const CRD_FILES = [
  "network-policy-api/v1alpha2-standard/policy.networking.k8s.io_clusternetworkpolicies.yaml",
  "network-policy-api/v1alpha1-standard/policy.networking.k8s.io_adminnetworkpolicies.yaml",
  "network-policy-api/v1alpha1-standard/policy.networking.k8s.io_baselineadminnetworkpolicies.yaml",
  "cilium/ciliumnetworkpolicies.yaml",
  "cilium/ciliumclusterwidenetworkpolicies.yaml",
  "istio/security.istio.io_authorizationpolicies.yaml",
];
const POLICIES = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies";

let cluster: Cluster;

beforeAll(async () => {
  cluster = await bootCluster({ components: [], audit: "off" });
  for (const file of CRD_FILES)
    await accepted(cluster, "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
      body: parse(readFileSync(`${CRDS}/${file}`, "utf8")) as object,
    });
  for (const name of ["pay", "shop"])
    await accepted(cluster, "POST", "/api/v1/namespaces", { body: { metadata: { name } } });
  for (const role of ["frontend", "cartservice", "checkoutservice"]) await addPod(role);
}, FIRST_BOOT_MS);

afterAll(() => cluster.stop(), TEST_MS);

/** A Pod as admission leaves it. */
async function addPod(role: string): Promise<void> {
  await accepted(cluster, "POST", "/api/v1/namespaces/default/serviceaccounts", { body: { metadata: { name: role } } });
  const labels = {
    app: role,
    "signet.dev/role": role,
    "signet.dev/segment": "boutique",
    "signet.dev/environment": "prod",
  };
  const spec = { serviceAccountName: role, containers: [{ name: "main", image: "x" }] };
  await accepted(cluster, "POST", "/api/v1/namespaces/default/pods", {
    body: { metadata: { name: role, labels }, spec },
  });
}

const EXAMPLE = "docs/examples/online-boutique";

/** The definitions of the example, some texts in them changed. */
const definitions = (change: (text: string) => string = (text) => text): Files =>
  Object.fromEntries(
    readdirSync(EXAMPLE)
      .filter((name) => name !== "intruder.yaml")
      .map((name) => [`shop/${name}`, change(readFileSync(`${EXAMPLE}/${name}`, "utf8"))]),
  );

const run = (words: string, files: Files = definitions()) =>
  signet(`policy ${words} --catalogue shop --pod-cidr 10.244.0.0/16 --kubeconfig ${cluster.kubeconfigPath}`, files);

const policyNames = async (): Promise<readonly string[]> => {
  const { body } = await cluster.request("GET", POLICIES);
  return (body as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name);
};

test("every kind is served", { timeout: TEST_MS }, async () => {
  for (const { group, version, plural } of Object.values(PUBLISHED).flat()) {
    if (group === "k8s.cni.cncf.io") continue;
    const path = `/apis/${group}/${version}/${plural}`;
    await expect.poll(async () => (await cluster.request("GET", path)).status, { timeout: 30_000 }).toBe(200);
  }
});

/** The path under which an object is made. */
function pathOf({ kind, metadata }: Rendered): string {
  const resource = Object.values(PUBLISHED)
    .flat()
    .find((one) => one.kind === kind);
  if (!resource) throw new Error(kind);
  const namespace = resource.namespaced ? `namespaces/${metadata.namespace ?? ""}/` : "";
  return `/apis/${resource.group}/${resource.version}/${namespace}${resource.plural}`;
}

test.each(TARGET_NAMES.filter((name) => PUBLISHED[name] && name !== "multinetworkpolicy"))(
  "what is compiled for %s is an object to the real API server",
  { timeout: TEST_MS },
  async (target) => {
    const catalogue = estate();
    const order = { intent: compileIntent(catalogue), foreign: [], members: estateMembers(catalogue), now: NOON };
    const quarantined = [{ namespace: "pay", role: "db", rulings: [{ object: "Restriction q", path: "spec.target" }] }];
    const site = { canaries: [], machines: [], pods: [], networks: [], podNetworks: POD_NETWORK, quarantined };
    const { compiled } = must(compile({ ...order, site, targets: [target] }));
    const answers = await Promise.all(
      (compiled.get(target) ?? []).map((body) =>
        cluster.request("POST", `${pathOf(body)}?dryRun=All&fieldValidation=Strict`, { body }),
      ),
    );
    expect(answers.filter(({ status }) => status !== 201).map(({ body }) => body)).toEqual([]);
  },
);

describe("applied to a cluster, in order", () => {
  test("a dry run shows the pairs that close, and writes nothing", { timeout: TEST_MS }, async () => {
    const ran = await run("apply --dry-run");
    expect([ran.code, await policyNames()]).toEqual([0, []]);
    expect(ran.out).toMatch(/default\/cartservice\[Pod\] +default\/frontend\[Pod\] +- +everything/);
    expect(ran.out).toMatch(/apply NetworkPolicy default\/signet-role-frontend \(add\)\n/);
    expect(ran.out).toMatch(/\d+ writes would be made\.\n$/);
  });

  test("the sentences are published to the targets that the cluster has", { timeout: TEST_MS }, async () => {
    const ran = await run("apply");
    expect([ran.code, (await policyNames()).length]).toEqual([0, 13]);
    for (const plural of ["v1alpha2/clusternetworkpolicies", "v1alpha1/adminnetworkpolicies"]) {
      const { body } = await cluster.request("GET", `/apis/policy.networking.k8s.io/${plural}`);
      expect((body as { items: unknown[] }).items.length).toBeGreaterThan(0);
    }
    expect((await run("status")).code).toBe(0);
  });

  test("applied again, nothing is written", { timeout: TEST_MS }, async () => {
    expect((await run("apply")).out).toBe("No pair opens or closes.\n0 writes.\n");
  });

  test("one changed sentence shows the pair it opens and closes, and its two doors follow", {
    timeout: TEST_MS,
  }, async () => {
    const moved = definitions((text) =>
      text.replace("on: [tcp/7070]\n    why: shows", "on: [tcp/7071]\n    why: shows"),
    );
    const ran = await run("apply", moved);
    expect(ran.out).toMatch(/default\/frontend\[Pod\] +default\/cartservice\[Pod\] +tcp\/7071 +tcp\/7070\n/);
    expect(ran.out).toMatch(/4 writes\.\n$/);
    const { body } = await cluster.request("GET", `${POLICIES}/signet-role-frontend`);
    expect(JSON.stringify(body)).toContain('"port":7071');
    expect((await run("apply")).code).toBe(0);
  });

  test("what somebody changed is named by status, and mended by apply", { timeout: TEST_MS }, async () => {
    await accepted(cluster, "PATCH", `${POLICIES}/signet-role-redis-cart`, {
      body: { spec: { ingress: [{}] } },
      contentType: "application/merge-patch+json",
    });
    const status = await run("status");
    expect(status.code).toBe(3);
    expect(status.out).toContain(
      "NetworkPolicy default/signet-role-redis-cart: somebody changed it since it was written.\n",
    );
    const mended = await run("apply");
    expect(mended.out).toContain("Somebody changed NetworkPolicy default/signet-role-redis-cart; it is mended.\n");
    expect((await run("status")).code).toBe(0);
  });

  test("a NetworkPolicy of somebody else is left alone, and blocks where it opens more", {
    timeout: TEST_MS,
  }, async () => {
    const open = { metadata: { name: "open" }, spec: { podSelector: {}, ingress: [{}], egress: [{}] } };
    await accepted(cluster, "POST", POLICIES, { body: open });
    const ran = await run("apply");
    expect(ran.code).toBe(3);
    expect(ran.err).toContain("FOREIGN_ALLOW");
    await accepted(cluster, "DELETE", `${POLICIES}/open`);
  });

  test("what is no longer meant is taken away, whole", { timeout: TEST_MS }, async () => {
    const watched = definitions((text) => text.replace("mode: enforce", "mode: observe"));
    expect((await run("apply", watched)).code).toBe(0);
    expect(await policyNames()).toEqual([]);
  });

  test("each run takes away only what its targets publish, and a bare one goes on with what stands", {
    timeout: TEST_MS,
  }, async () => {
    const count = async (): Promise<number> => {
      const { body } = await cluster.request("GET", "/apis/cilium.io/v2/ciliumnetworkpolicies");
      return (body as { items: unknown[] }).items.length;
    };
    expect((await run("apply --target ciliumnetworkpolicy")).code).toBe(0);
    const before = await count();
    expect(before).toBeGreaterThan(0);
    const other = await run("apply --target networkpolicy");
    expect([other.code, other.err]).toEqual([3, expect.stringContaining("FOREIGN_UNREAD  CiliumNetworkPolicy")]);
    expect((await run("apply")).code).toBe(0);
    expect([await count(), await policyNames()]).toEqual([before, []]);
    expect(
      (
        await run(
          "apply",
          definitions((text) => text.replace("mode: enforce", "mode: observe")),
        )
      ).code,
    ).toBe(0);
    expect(await count()).toBe(0);
    await accepted(cluster, "DELETE", "/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies");
  });
});

const DEFINITIONS = `
apiVersion: signet.dev/v1alpha1
kind: TrustDomain
metadata: {name: local}
spec: {domain: test.example.org, approvals: {required: 1}}
---
apiVersion: v1
kind: Namespace
metadata: {name: till, labels: {signet.dev/enrol: "true"}}
---
apiVersion: signet.dev/v1alpha1
kind: Segment
metadata: {name: till}
spec: {namespaces: [till], mode: enforce, policyApproval: none}
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata: {name: till-db}
spec: {segment: till, match: {serviceAccounts: [till-db]}}
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata: {name: till-web}
spec: {segment: till, match: {serviceAccounts: [till-web]}}
`;

const sentences = (ports: readonly number[]): string => `
apiVersion: signet.dev/v1alpha1
kind: SegmentPolicy
metadata: {name: till, namespace: till}
spec:
  segment: till
  allow: [{from: {role: till-web}, to: {role: till-db}, "on": [${ports.map((port) => `tcp/${port}`).join(", ")}], why: orders}]
`;

const COMPONENTS = ["publishing", "publishing-tiers"] as const;
const TILL = "/apis/networking.k8s.io/v1/namespaces/till/networkpolicies";
const RESTRICTIONS = "/apis/signet.dev/v1alpha1/restrictions";

describe("published by the server, which has two replicas", () => {
  let signetd: Installed;

  beforeAll(async () => {
    const account = { body: { metadata: { name: "default" } } };
    await accepted(cluster, "POST", "/api/v1/namespaces/default/serviceaccounts", account);
    signetd = await installSignet(cluster, {
      replicas: 2,
      config: { cluster: { settle: "1s", podNetworks: ["10.244.0.0/16"] } },
    });
    await applyApproved(cluster, DEFINITIONS, "bob");
    await kubectlDone(cluster, ["apply", "-f", "-"], { stdin: sentences([5432]) });
    for (const name of ["till-db", "till-web"]) await addTillPod(name);
  }, FIRST_BOOT_MS);

  afterAll(() => signetd?.stop(), TEST_MS);

  const grant = async (): Promise<void> => {
    for (const name of COMPONENTS)
      await kubectlDone(cluster, ["apply", "-f", `manifests/components/${name}/${name}.yaml`]);
  };

  const addTillPod = async (name: string): Promise<void> => {
    await accepted(cluster, "POST", "/api/v1/namespaces/till/serviceaccounts", { body: { metadata: { name } } });
    const spec = { serviceAccountName: name, containers: [{ name: "main", image: "x" }] };
    await accepted(cluster, "POST", "/api/v1/namespaces/till/pods", {
      body: { metadata: { name, labels: { app: name } }, spec },
    });
  };

  const get = async (path: string): Promise<Record<string, unknown>> =>
    (await cluster.request("GET", path)).body as Record<string, unknown>;

  const tillPolicies = async (): Promise<readonly string[]> =>
    ((await get(TILL))["items"] as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);

  /** `Published` of the SegmentPolicy: its status, reason and message. */
  const published = async (): Promise<string> => {
    const { status } = (await get("/apis/signet.dev/v1alpha1/namespaces/till/segmentpolicies/till")) as {
      status?: { conditions?: readonly { type: string; status: string; reason: string; message: string }[] };
    };
    const found = status?.conditions?.find(({ type }) => type === "Published");
    return found ? `${found.status} ${found.reason}: ${found.message}` : "not said";
  };

  const settled = (text: string) => expect.poll(published, { timeout: 50_000, interval: 200 }).toBe(text);
  const dbPorts = async (): Promise<string> => JSON.stringify((await get(`${TILL}/signet-role-till-db`))["spec"] ?? {});

  /** The replicas that publish now, by what their metrics say. */
  const publishers = async (): Promise<readonly Replica[]> => {
    const running = signetd.replicas().filter((replica) => replica.running());
    const texts = await Promise.all(running.map((replica) => replica.metrics()));
    return running.filter((_replica, index) => texts[index]?.includes("signet_policy_writes_total{"));
  };

  /** Has the API server refuse changes of one NetworkPolicy, until the function that it gives is called. */
  const holdBack = async (name: string): Promise<() => Promise<void>> => {
    const path = "/apis/admissionregistration.k8s.io/v1";
    const [group, resource] = ["networking.k8s.io", "networkpolicies"];
    const rule = { apiGroups: [group], apiVersions: ["v1"], operations: ["UPDATE"], resources: [resource] };
    const spec = {
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: `object.metadata.name != '${name}'` }],
    };
    const binding = { policyName: "hold-back", validationActions: ["Deny"] };
    const metadata = { name: "hold-back" };
    await accepted(cluster, "POST", `${path}/validatingadmissionpolicies`, { body: { metadata, spec } });
    const bindings = `${path}/validatingadmissionpolicybindings`;
    await accepted(cluster, "POST", bindings, { body: { metadata, spec: binding } });
    const change = { body: { metadata: { labels: { tried: "yes" } } }, contentType: "application/merge-patch+json" };
    const tried = async () => (await cluster.request("PATCH", `${TILL}/${name}?dryRun=All`, change)).status;
    await expect.poll(tried, { timeout: 30_000 }).toBe(422);
    return async () => {
      for (const plural of ["validatingadmissionpolicybindings", "validatingadmissionpolicies"])
        await accepted(cluster, "DELETE", `${path}/${plural}/hold-back`);
    };
  };

  const ACTIVE = "True Active: 2 objects stand as they are meant, of networkpolicy.";

  test("nothing is written before the right is granted; then it is, by one replica, and says so", {
    timeout: 2 * TEST_MS,
  }, async () => {
    expect(await tillPolicies()).toEqual([]);
    await grant();
    await settled(ACTIVE);
    expect(await tillPolicies()).toEqual(["signet", "signet-role-till-db", "signet-role-till-web"]);
    expect((await publishers()).length).toBe(1);
    const { status } = (await get("/apis/signet.dev/v1alpha1/namespaces/till/segmentpolicies/till")) as {
      status: { revision: string; targets: unknown };
    };
    expect(status.revision).toMatch(/^[0-9a-f]{8}$/);
    expect(status.targets).toEqual([
      { name: "networkpolicy", objects: 2, active: 2, losses: 0 },
      { name: "clusternetworkpolicy", objects: 0, active: 0, losses: 0 },
      { name: "adminnetworkpolicy", objects: 0, active: 0, losses: 0 },
    ]);
  });

  test("the command line comes to the same: it finds nothing that differs, and would write nothing", {
    timeout: TEST_MS,
  }, async () => {
    const seen = (words: string) =>
      signet(`policy ${words} --pod-cidr 10.244.0.0/16 --kubeconfig ${cluster.kubeconfigPath}`, {});
    const status = await seen("status");
    expect([status.code, status.out]).toEqual([
      0,
      expect.stringMatching(/till\/till +1 +[0-9a-f]{8} +2 of 2 objects +exact/),
    ]);
    expect((await seen("apply")).out).toBe("No pair opens or closes.\n0 writes.\n");
  });

  test("what is opened in an object without such rules is closed again, and said only then", {
    timeout: TEST_MS,
  }, async () => {
    const webSpec = async () => (await get(`${TILL}/signet-role-till-web`))["spec"];
    const before = await webSpec();
    expect(before).not.toHaveProperty("ingress");
    await accepted(cluster, "PATCH", `${TILL}/signet-role-till-web?fieldManager=kubectl-edit`, {
      body: { spec: { ingress: [{}] } },
      contentType: "application/merge-patch+json",
    });
    const events = async (): Promise<string> =>
      JSON.stringify((await get("/apis/events.k8s.io/v1/namespaces/till/events"))["items"]);
    await expect.poll(events, { timeout: 20_000, interval: 50 }).toContain("It was written anew");
    expect(await webSpec()).toEqual(before);
  });

  test("an edit is mended, and an object that is deleted comes back", { timeout: TEST_MS }, async () => {
    await accepted(cluster, "PATCH", `${TILL}/signet-role-till-db`, {
      body: { spec: { ingress: [{}] } },
      contentType: "application/merge-patch+json",
    });
    await expect.poll(dbPorts, { timeout: 20_000 }).toContain("5432");
    await accepted(cluster, "DELETE", `${TILL}/signet`);
    await expect.poll(tillPolicies, { timeout: 20_000 }).toContain("signet");
  });

  test("a policy of somebody else that opens more keeps it back until it is gone", {
    timeout: 2 * TEST_MS,
  }, async () => {
    await accepted(cluster, "POST", TILL, {
      body: { metadata: { name: "open" }, spec: { podSelector: {}, ingress: [{}] } },
    });
    await kubectlDone(cluster, ["apply", "-f", "-"], { stdin: sentences([5432, 5433]) });
    await expect
      .poll(published, { timeout: 30_000 })
      .toMatch(/^False WouldBeWider: Nothing is published, .*FOREIGN_ALLOW/);
    expect(await dbPorts()).not.toContain("5433");
    await accepted(cluster, "DELETE", `${TILL}/open`);
    await settled(ACTIVE);
    expect(await dbPorts()).toContain("5433");
  });

  test("killed while it writes, the other replica goes on from what stands", { timeout: 3 * TEST_MS }, async () => {
    const [writer, none] = await publishers();
    if (!writer || none) throw new Error("not one replica publishes");
    const release = await holdBack("signet-role-till-web");
    await kubectlDone(cluster, ["apply", "-f", "-"], { stdin: sentences([6000, 6001, 6002]) });
    await expect.poll(dbPorts, { timeout: 30_000, interval: 50 }).toMatch(/6000.*6001.*6002/);
    await writer.end("SIGKILL");
    expect(JSON.stringify(await get(`${TILL}/signet-role-till-web`))).not.toContain("6000");
    await release();
    await expect.poll(dbPorts, { timeout: 60_000 }).toMatch(/6000.*6001.*6002/);
    await expect.poll(dbPorts, { timeout: 60_000 }).not.toContain("5432");
    await settled(ACTIVE);
    expect(await tillPolicies()).toEqual(["signet", "signet-role-till-db", "signet-role-till-web"]);
  });

  const ADMIN = { user: "alice", groups: ["system:masters"] };
  const SECOND = { user: "bob", groups: ["system:masters"] };

  test("a quarantine of one Pod is in effect when the command ends, and only somebody else lifts it", {
    timeout: 3 * TEST_MS,
  }, async () => {
    const cut = await signetAs(cluster, ADMIN, [
      "quarantine",
      "till/till-web",
      "--reason",
      "key in a log",
      "--wait",
      "60",
    ]);
    expect([cut.code, cut.out]).toEqual([
      0,
      expect.stringMatching(
        /In effect after \d+\.\d s: 1 workload is cut off by networkpolicy, clusternetworkpolicy, adminnetworkpolicy\. Connections that stand may live on until it is restarted\.\n$/,
      ),
    ]);
    const pod = await get("/api/v1/namespaces/till/pods/till-web");
    expect(JSON.stringify(pod["metadata"])).toContain('"signet.dev/quarantine":"true"');
    expect(await tillPolicies()).toContain("signet-quarantine");
    const own = await signetAs(cluster, ADMIN, "quarantine till/till-web --lift");
    expect([own.code, own.err]).toEqual([3, expect.stringContaining("somebody other than its maker")]);
    const other = await signetAs(cluster, SECOND, "quarantine till/till-web --lift");
    expect([other.code, other.err]).toEqual([0, ""]);
    await expect.poll(tillPolicies, { timeout: 30_000 }).not.toContain("signet-quarantine");
    expect((await get(RESTRICTIONS))["items"]).toEqual([]);
  });

  test("what is no longer meant is taken away", { timeout: TEST_MS }, async () => {
    await kubectlDone(cluster, ["delete", "segmentpolicy", "-n", "till", "till"]);
    await expect.poll(dbPorts, { timeout: 30_000 }).not.toContain("6000");
  });
});
