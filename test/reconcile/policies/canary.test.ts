import { expect, test } from "vitest";
import { compileForCluster } from "../../../src/reconcile/policies/cluster.ts";
import type { Raw } from "../../../src/wire/read-object.ts";
import { catalogueOf, must, NOON } from "../../fakes/judging.ts";
import { POD_NETWORK } from "../../policy/compile/random-site.ts";

/** A Pod of a Deployment, of the one role of namespace lab. */
const podOf = (app: string, deployment = app): Raw => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: `${deployment}-5d8f-x`,
    namespace: "lab",
    uid: `u-${deployment}`,
    labels: { app, "pod-template-hash": "5d8f" },
    ownerReferences: [
      { apiVersion: "apps/v1", kind: "ReplicaSet", name: `${deployment}-5d8f`, uid: "r", controller: true },
    ],
  },
  spec: { serviceAccountName: "web", containers: [{ name: "main" }] },
  status: { phase: "Running", podIP: "10.0.0.5", podIPs: [{ ip: "10.0.0.5" }] },
});

const canary = (named: string) =>
  catalogueOf(`
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: lab}, spec: {namespaces: [lab], mode: canary, canary: {workloads: [${named}]}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: web}, spec: {segment: lab, match: {serviceAccounts: [web]}}}
`);

/** What is compiled to NetworkPolicies for these Pods under a canary that names one workload. */
function compiled(named: string, pods: readonly Raw[]) {
  const state = {
    catalogue: canary(named),
    namespaces: new Map([["lab", {}]]),
    pods,
    nodes: [],
    policies: [],
    attachments: [],
  };
  const targets = ["networkpolicy"] as const;
  const wanted = { targets, ours: new Set(targets), podNetworks: POD_NETWORK, now: NOON };
  const { compilation } = must(compileForCluster(state, wanted));
  expect(compilation.widening).toEqual([]);
  const objects = (compilation.compiled.get("networkpolicy") ?? []) as readonly Rendered[];
  return { selected: objects.map(({ spec }) => spec.podSelector), losses: compilation.losses };
}

type Rendered = { readonly spec: { readonly podSelector: unknown } };

test("a workload that a canary names is enclosed by what its Pods have and the role's others have not", () => {
  for (const named of ["first", "Deployment/first", "lab/first"])
    expect(compiled(named, [podOf("first"), podOf("second")]).selected, named).toEqual([
      { matchLabels: { app: "first", "signet.dev/role": "web" } },
    ]);
});

test("a canary that names nobody who is there encloses nobody", () => {
  expect(compiled("third", [podOf("first"), podOf("second")])).toMatchObject({ selected: [] });
});

test("one whose Pods are labelled like another's encloses both, and says so", () => {
  const twin = podOf("first", "twin");
  const { selected, losses } = compiled("first", [podOf("first"), twin]);
  expect(selected).toEqual([{ matchLabels: { app: "first", "signet.dev/role": "web" } }]);
  expect(losses.filter(({ effect }) => effect !== "exact")).toMatchObject([
    {
      code: "CANARY_BY_LABEL",
      effect: "narrower",
      rule: "nothing encloses either end",
      workloads: expect.arrayContaining(["lab/twin-5d8f[ReplicaSet]"]),
    },
  ]);
});
