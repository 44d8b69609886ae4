import { expect, test } from "vitest";
import { signet } from "../fakes/io.ts";

const role = (name: string, kinds: string): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: ${name}}, spec: {segment: shop, match: {serviceAccounts: [${name}], kinds: [${kinds}]}}}\n---\n`;

const CATALOGUE = `
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [shop], mode: enforce}}
---
${role("resize", "Function")}${role("thumbs", "Function")}${role("store", "Machine")}${role("web", "Pod")}
{apiVersion: signet.dev/v1alpha1, kind: SegmentPolicy, metadata: {name: shop, namespace: shop}, spec: {segment: shop, allow: [
  {from: {role: web}, to: {role: resize}, "on": [tcp/8080], why: pictures},
  {from: {role: resize}, to: {role: store}, "on": [tcp/5432], why: what was made},
  {from: {role: thumbs}, to: {role: store}, "on": [tcp/5432], why: what was made}]}}
`;

const external = (name: string, kind: string, account: string): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: ExternalWorkload, metadata: {name: ${name}, namespace: shop}, spec: {kind: ${kind}, serviceAccount: ${account}, join: {method: oidc, issuer: "https://issuer.example.org", subject: s}, addresses: [10.0.0.7]}}`;

const knative = `{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: resize, namespace: shop}, spec: {template: {spec: {serviceAccountName: resize, containers: [{name: user, image: i, ports: [{containerPort: 8080}]}]}}}}`;

/** What Knative and Kubernetes make of a revision, down to the Pod that starts when the first request comes. */
const made = (kind: "Deployment" | "ReplicaSet" | "Pod", more: { label?: string; owner?: string } = {}): string => {
  const labels = {
    "serving.knative.dev/service": "resize",
    "serving.knative.dev/revision": more.label ?? "resize-00001",
  };
  const owners = {
    Deployment: ["Revision", "resize-00001"],
    ReplicaSet: ["Deployment", "resize-00001-deployment"],
    Pod: ["ReplicaSet", "resize-00001-deployment-5d8c"],
  };
  const [ownerKind, ownerName] = owners[kind];
  const metadata = { labels };
  const spec = {
    serviceAccountName: "resize",
    containers: [
      { name: "user-container", image: "i" },
      { name: "queue-proxy", image: "q" },
    ],
  };
  return JSON.stringify({
    apiVersion: kind === "Pod" ? "v1" : "apps/v1",
    kind,
    metadata: {
      name: `made-${kind.toLowerCase()}`,
      namespace: "shop",
      labels,
      ownerReferences: [
        { apiVersion: "v1", kind: ownerKind, name: more.owner ?? ownerName, uid: "u", controller: true },
      ],
    },
    spec: kind === "Pod" ? spec : { template: { metadata, spec } },
  });
};

const decided = async (object: string): Promise<readonly unknown[]> => {
  const { out } = await signet("review app.yaml -c policy -o json", { "app.yaml": object, "policy/p.yaml": CATALOGUE });
  const [only] = JSON.parse(out) as readonly { readonly verdict: string; readonly role: string | null }[];
  return [only?.verdict, only?.role];
};

test.each([
  ["a Knative Service", knative],
  ["the Deployment of a revision", made("Deployment")],
  ["its ReplicaSet", made("ReplicaSet")],
  ["a Pod scaled up from zero", made("Pod")],
  ["a function elsewhere", external("resize-eu", "Function", "resize")],
])("%s holds a role for functions", async (_what, object) => {
  expect(await decided(object)).toEqual(["admit", "resize"]);
});

test.each([
  ["a Pod that only carries the label", made("Pod", { owner: "web-5d8c" })],
  ["a Pod of another revision's ReplicaSet", made("Pod", { label: "other-00001" })],
  ["a machine", external("resize-eu", "Machine", "resize")],
])("%s holds none", async (_what, object) => {
  expect(await decided(object)).toEqual(["deny", null]);
});

test("a role for Pods alone takes a function's Pods too: they are Pods", async () => {
  expect(await decided(made("Pod").replaceAll('"serviceAccountName":"resize"', '"serviceAccountName":"web"'))).toEqual([
    "admit",
    "web",
  ]);
});

test("a machine and a function are asked about like Pods: why, and whom they reach", async () => {
  const files = {
    "app.yaml": [external("thumbs-eu", "Function", "thumbs"), external("store-7", "Machine", "store"), knative].join(
      "\n---\n",
    ),
    "policy/p.yaml": CATALOGUE,
  };
  const why = await signet("why ExternalWorkload/store-7 -n shop -f app.yaml -c policy", files);
  expect(why.out).toContain("spiffe://example.org/ns/shop/sa/store");
  expect(why.code).toBe(0);
  for (const [workload, shown] of [
    ["thumbs-eu", "shop/thumbs-eu[ExternalWorkload] (role thumbs, segment shop)"],
    ["resize", "shop/resize[Service] (role resize, segment shop)"],
  ]) {
    const reach = await signet(`reach ${workload} app.yaml -c policy`, files);
    expect([reach.code, reach.out.split("\n")[0]]).toEqual([
      0,
      `${shown} reaches 1 of 2 other workloads directly, 1 within any number of hops.`,
    ]);
    expect(reach.out).toContain("shop/store-7[ExternalWorkload]  tcp/5432");
  }
});
