import { describe, expect, test } from "vitest";
import { type Files, signet } from "../fakes/io.ts";

const POLICY = `apiVersion: v1
kind: Namespace
metadata: {name: payments, labels: {signet.dev/enrol: "true"}}
---
apiVersion: signet.dev/v1alpha1
kind: Segment
metadata: {name: payments}
spec: {environment: prod, namespaces: [payments, legacy], mode: enforce}
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata: {name: orders-db}
spec:
  segment: payments
  match: {serviceAccounts: [orders-db]}
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata: {name: orders-vm}
spec:
  segment: payments
  match: {serviceAccounts: [orders-db], kinds: [VirtualMachine]}
---
apiVersion: signet.dev/v1alpha1
kind: SegmentException
metadata: {namespace: payments, name: host}
spec:
  permit: {check: hostNetwork}
  workloads: {role: orders-db}
  reason: old exporter
  expires: 2026-12-24T00:00:00Z
`;

type Template = { readonly labels?: string; readonly annotations?: string; readonly spec?: string };

/** A Deployment of namespace payments; what is not given is harmless. */
const deployment = (name: string, { labels = "app: x", annotations = "a: b", spec = "" }: Template = {}): string =>
  `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: payments}
spec:
  template:
    metadata:
      labels: {${labels}}
      annotations: {${annotations}}
    spec: {serviceAccountName: orders-db, ${spec}containers: [{name: a, image: b}]}
`;

const files = (app: string, policy = POLICY): Files => ({ "policy/p.yaml": policy, "app.yaml": app });
const why = (words: string, app: string, policy = POLICY) =>
  signet(`why ${words} -f app.yaml -c policy`, files(app, policy));

type Report = {
  readonly verdict: string;
  readonly decided: readonly string[];
  readonly candidates: readonly { readonly name: string; readonly fits: boolean; readonly misfit: string | null }[];
  readonly problems: readonly {
    readonly code: string;
    readonly source: string;
    readonly mend: string;
    readonly command: string;
  }[];
};

async function report(words: string, app: string, policy = POLICY): Promise<Report> {
  const { out, err } = await why(`${words} --output json`, app, policy);
  expect(err).toBe("");
  return JSON.parse(out) as Report;
}

describe("`signet why`", () => {
  test("tells everything that made a verdict", async () => {
    const app = deployment("orders", {
      annotations: "signet.dev/exception: host",
      spec: "hostNetwork: true, hostPID: true, ",
    });
    expect(await why("deploy/orders", app)).toEqual({
      code: 3,
      err: "",
      out: `deny  Deployment payments/orders  role orders-db, segment payments
  app.yaml:1, at 2026-11-23T12:00:00Z
  account payments/orders-db, created by system:serviceaccount:kube-system:replicaset-controller
  spiffe://cluster.local/ns/payments/sa/orders-db

Decided by
  Namespace payments (policy/p.yaml:1) is enrolled: a workload without a role is refused there.
  Segment payments is in mode enforce: a failed check refuses.
  Exception host is active.
  Approval is unchecked: a folder carries none, and --require-approval would refuse.

Roles that can be held in payments
  fits          orders-db  segment payments  policy/p.yaml:10
  does not fit  orders-vm  segment payments  policy/p.yaml:17  it is for kind VirtualMachine, not Pod

Definitions
  namespace             policy/p.yaml:1
  role       orders-db  policy/p.yaml:10  approval unchecked
  segment    payments   policy/p.yaml:5   approval unchecked
  exception  host       policy/p.yaml:24  active, 30d12h left; approval unchecked

Problems
  HOST_PID spec.template.spec.hostPID: It sees the node's processes, which role orders-db does not permit.
    at    app.yaml:9
    rule  Through /proc it can read the keys of every workload on the node.
    mend  Take it away, or have "hostPID" permitted by the role or by an exception.
          $ kubectl patch deployment/orders -n payments --type=json -p '[{"op":"remove","path":"/spec/template/spec/hostPID"}]'

  EXCEPTION_MISMATCH spec.template.metadata.annotations.signet.dev/exception: Exception "host" does not cover all that is refused.
    at    app.yaml:8
    rule  It permits one check for the workloads of one role; this is another check, path or role.
    mend  Request one that does, or take the rest away.
          $ signet exceptions --catalogue policy
`,
    });
  });

  test("an admitted workload has no problems, and exit code 0", async () => {
    const { code, out } = await why("deploy/orders", deployment("orders"));
    expect(code).toBe(0);
    expect(out.startsWith("admit  Deployment payments/orders  role orders-db, segment payments\n")).toBe(true);
    expect(out).not.toContain("Problems");
  });

  test("JSON has the verdict's own form, and what explains it", async () => {
    const { out } = await why("deploy/orders -o json", deployment("orders"));
    expect(Object.keys(JSON.parse(out) as object)).toEqual([
      "kind",
      "namespace",
      "name",
      "verdict",
      "role",
      "segment",
      "spiffeId",
      "approval",
      "labels",
      "annotations",
      "patch",
      "at",
      "source",
      "serviceAccount",
      "creator",
      "enrolled",
      "decided",
      "candidates",
      "definitions",
      "problems",
    ]);
  });

  test("every role of the namespace says what keeps it from fitting", async () => {
    const roles = [
      ["by-label", "{serviceAccounts: [orders-db], podLabels: {matchLabels: {app: z}}}"],
      ["by-creator", "{serviceAccounts: [orders-db], createdBy: [ann]}"],
      ["by-account", "{serviceAccounts: [web, api]}"],
    ].map(
      ([name, match]) => `---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata: {name: ${name}}
spec: {segment: payments, match: ${match}}
`,
    );
    const { candidates } = await report("deploy/orders", deployment("orders"), POLICY + roles.join(""));
    expect(candidates.map(({ name, fits, misfit }) => [name, fits, misfit])).toEqual([
      ["orders-db", true, null],
      ["by-creator", false, "system:serviceaccount:kube-system:replicaset-controller is not among its createdBy"],
      ["by-label", false, "the labels do not match its podLabels"],
      ["orders-vm", false, "it is for kind VirtualMachine, not Pod"],
      ["by-account", false, "it names the service accounts web, api, not orders-db"],
    ]);
  });

  test("the account `default` is told why no role without accounts fits it", async () => {
    const wide = POLICY.replace("match: {serviceAccounts: [orders-db]}", "match: {}");
    const app = deployment("orders").replace("serviceAccountName: orders-db, ", "");
    const { candidates } = await report("deploy/orders", app, wide);
    expect(candidates[0]?.misfit).toBe("it names no service account, and default fits only a role that names it");
  });

  test("--as and --at change what is judged", async () => {
    const policy = POLICY.replace(
      "match: {serviceAccounts: [orders-db]}",
      "match: {serviceAccounts: [orders-db], createdBy: [ann]}",
    );
    const pod =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: payments}\nspec: {serviceAccountName: orders-db, containers: []}\n";
    expect((await report("pod/p --as ann", pod, policy)).verdict).toBe("admit");
    expect((await report("pod/p --as bob", pod, policy)).verdict).toBe("deny");
    const app = deployment("orders", { annotations: "signet.dev/exception: host", spec: "hostNetwork: true, " });
    expect((await report("deploy/orders", app)).verdict).toBe("admit");
    const later = await report("deploy/orders --at 2026-12-24T00:00:00Z", app);
    expect(later.problems.map(({ code }) => code)).toEqual(["HOST_NETWORK", "EXCEPTION_EXPIRED"]);
  });

  test.each([
    ["enforce", "Segment payments is in mode enforce: a failed check refuses.", "deny"],
    ["observe", "Segment payments is in mode observe: a failed check warns.", "warn"],
    ["simulate", "Segment payments is in mode simulate: a failed check warns.", "warn"],
    ["canary", "Segment payments is in mode canary, which does not name this workload: a failed check warns.", "warn"],
    [
      "canary, canary: {workloads: [Deployment/orders]}",
      "Segment payments is in mode canary, which names this workload: a failed check refuses.",
      "deny",
    ],
  ])("mode %s is told", async (mode, sentence, verdict) => {
    const told = await report(
      "deploy/orders",
      deployment("orders", { spec: "hostNetwork: true, " }),
      POLICY.replace("mode: enforce", `mode: ${mode}`),
    );
    expect([told.decided[1], told.verdict]).toEqual([sentence, verdict]);
  });

  test("a namespace that is not enrolled, and one that is exempt, are told", async () => {
    const elsewhere = (namespace: string) =>
      deployment("orders").replace("namespace: payments", `namespace: ${namespace}`);
    expect((await report("deploy/orders", elsewhere("legacy"))).decided[0]).toBe(
      "Namespace legacy is not enrolled: whatever is found is a warning.",
    );
    expect((await report("deploy/orders", elsewhere("kube-system"))).decided).toEqual([
      "Namespace kube-system is exempt by name: nothing is refused there but reserved keys.",
    ]);
  });
});

describe("the command that mends", () => {
  const commands = async (app: string, policy = POLICY, words = "deploy/orders"): Promise<readonly string[]> =>
    (await report(words, app, policy)).problems.map(({ code, command }) => `${code}: ${command}`);

  test("an account of no role: another account, where kubectl can set it", async () => {
    const app = deployment("orders").replace("serviceAccountName: orders-db", "serviceAccountName: web");
    expect(await commands(app)).toEqual([
      "ROLE_NONE: kubectl set serviceaccount deployment orders orders-db -n payments",
    ]);
    const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: payments}\nspec: {containers: []}\n";
    expect(await commands(pod, POLICY, "po/p")).toEqual(["ROLE_NONE: signet roles --catalogue policy --output wide"]);
  });

  test("two roles that fit: the annotation that picks", async () => {
    expect(await commands(deployment("orders"), POLICY.replace(", kinds: [VirtualMachine]", ""))).toEqual([
      `ROLE_AMBIGUOUS: kubectl patch deployment/orders -n payments --type=merge -p '{"spec":{"template":{"metadata":{"annotations":{"signet.dev/use-role":"orders-db"}}}}}'`,
    ]);
  });

  test("a claim, and a reserved key: their removal", async () => {
    const app = deployment("orders", { labels: "signet.dev/role: root, role.signet.dev/a.b: c" });
    const patch = (key: string): string =>
      `kubectl patch deployment/orders -n payments --type=merge -p '{"spec":{"template":{"metadata":{"labels":{"${key}":null}}}}}'`;
    expect(await commands(app)).toEqual([
      `ROLE_NOT_ENTITLED: ${patch("signet.dev/role")}`,
      `STAMP_OVERWRITTEN: ${patch("role.signet.dev/a.b")}`,
    ]);
  });

  test("a privileged container: its removal in the template", async () => {
    const app = deployment("orders").replace("image: b", "image: b, securityContext: {privileged: true}");
    expect(await commands(app)).toEqual([
      `PRIVILEGED: kubectl patch deployment/orders -n payments --type=json -p '[{"op":"remove","path":"/spec/template/spec/containers/0/securityContext/privileged"}]'`,
    ]);
  });

  test("a host path, which only its author can do without: help", async () => {
    const app = deployment("orders", { spec: "volumes: [{name: v, hostPath: {path: /srv}}], " });
    expect(await commands(app)).toEqual(["HOST_PATH: signet help HOST_PATH"]);
  });

  test("what no generation of is approved: the approval", async () => {
    const told = await report("deploy/orders --require-approval", deployment("orders"));
    expect(told.problems.map(({ command }) => command)).toEqual([
      `kubectl patch workloadrole/orders-db --subresource=status --type=json -p '[{"op":"add","path":"/status/approvals/-","value":{"generation":GENERATION,"by":"YOU"}}]'`,
    ]);
  });

  test("one account in two segments: lint", async () => {
    const other = `---
apiVersion: signet.dev/v1alpha1
kind: Segment
metadata: {name: shop}
spec: {namespaces: [payments]}
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata: {name: web}
spec: {segment: shop, match: {serviceAccounts: [orders-db]}}
`;
    expect(await commands(deployment("orders"), POLICY + other)).toEqual([
      "IDENTITY_SPANS_SEGMENTS: signet lint policy",
    ]);
  });
});

describe("which workload is meant", () => {
  const two = `${deployment("orders")}---\n${deployment("web")}---\n${deployment("web").replace("namespace: payments", "namespace: legacy")}`;

  test.each([
    "deploy/orders",
    "Deployment/orders",
    "deployments/orders",
    "DEPLOYMENT/orders",
    "deployment.apps/orders",
    "deployments.v1.apps/orders",
  ])("`%s` is found", async (words) => {
    expect((await why(words, two)).code).toBe(0);
  });

  test.each([
    [
      "orders",
      'signet: "orders" names no workload. [USAGE]\n        Write KIND/NAME, for example deploy/orders or vm/orders-db.\n',
    ],
    [
      "a/b/c",
      'signet: "a/b/c" names no workload. [USAGE]\n        Write KIND/NAME, for example deploy/orders or vm/orders-db.\n',
    ],
    ["deploy/ordrs", "signet: The files hold no deploy/ordrs. [NOT_FOUND]\n        Did you mean deploy/orders?\n"],
    ["po/orders", "signet: The files hold no po/orders. [NOT_FOUND]\n        Did you mean deployment/orders?\n"],
    [
      "pod/something-else",
      "signet: The files hold no pod/something-else. [NOT_FOUND]\n        They hold deployment/orders, deployment/web, deployment/web.\n",
    ],
    [
      "deploy/web",
      "signet: There are 2 workloads deploy/web. [USAGE]\n        Name one with --namespace: payments, legacy.\n",
    ],
    [
      "deploy/orders -n legacy",
      "signet: The files hold no deploy/orders in namespace legacy. [NOT_FOUND]\n        It stands in namespace payments.\n",
    ],
  ])("`%s` is exit code 2, in words", async (words, err) => {
    expect(await why(words, two)).toEqual({ code: 2, out: "", err });
  });

  test("--namespace tells two of one name apart", async () => {
    expect((await why("deploy/web -n payments", two)).code).toBe(0);
  });

  test("without -f the workload is looked for in the catalogue's folder", async () => {
    const all = { "all/p.yaml": POLICY, "all/app.yaml": deployment("orders") };
    expect((await signet("why deploy/orders -c all", all)).code).toBe(0);
  });
});
