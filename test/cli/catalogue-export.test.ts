import { describe, expect, test } from "vitest";
import { type Files, signet } from "../fakes/io.ts";

const FILES: Files = {
  "p/b.yaml": `apiVersion: signet.dev/v1alpha1
kind: SegmentPolicy
metadata: {name: orders-db}
spec:
  segment: payments
  allow:
  - from: {role: checkout}
    to: {role: orders-db}
    on: [tcp/5432]
    data: {protocol: postgres}
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata: {name: orders-db}
spec: {segment: payments, match: {serviceAccounts: [orders-db]}, identity: {maxTTL: 1h}}
---
apiVersion: v1
kind: Service
metadata: {name: left-aside}
`,
  "p/a.yaml": `apiVersion: signet.dev/v1alpha1
kind: Segment
metadata:
  name: payments
  uid: u-1
  generation: 4
  resourceVersion: "123"
  managedFields: [{manager: kubectl}]
  annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}", signet.dev/editors: ann}
spec: {namespaces: [payments], mode: enforce}
status:
  approvals: [{generation: 3, by: bob}]
  approved:
    generation: 3
    by: [bob]
    at: "2026-11-01T00:00:00Z"
    spec: {namespaces: [payments]}
  conditions: [{type: Ready, status: "True"}]
---
apiVersion: v1
kind: Namespace
metadata: {name: payments, uid: n-1, labels: {signet.dev/enrol: "true"}}
spec: {finalizers: [kubernetes]}
`,
};

const EXPORTED = `apiVersion: v1
kind: Namespace
metadata:
  name: payments
  uid: n-1
  labels:
    signet.dev/enrol: "true"
---
apiVersion: signet.dev/v1alpha1
kind: Segment
metadata:
  name: payments
  uid: u-1
  generation: 4
  annotations:
    signet.dev/editors: ann
spec:
  namespaces:
    - payments
  mode: enforce
  intra: deny
status:
  approvals:
    - generation: 3
      by: bob
  approved:
    generation: 3
    by:
      - bob
    at: "2026-11-01T00:00:00Z"
    spec:
      namespaces:
        - payments
      intra: deny
      mode: observe
  conditions:
    - type: Ready
      status: "True"
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata:
  name: orders-db
spec:
  segment: payments
  match:
    serviceAccounts:
      - orders-db
  identity:
    maxTTL: 1h
    delivery: none
    subject: empty
  permits: []
---
apiVersion: signet.dev/v1alpha1
kind: SegmentPolicy
metadata:
  name: orders-db
  namespace: default
spec:
  segment: payments
  allow:
    - from:
        role: checkout
      to:
        role: orders-db
      "on":
        - tcp/5432
      data:
        protocol: postgres
        required: false
`;

const POD = `apiVersion: v1
kind: Pod
metadata: {name: a, namespace: payments}
spec: {serviceAccountName: orders-db, hostNetwork: true, containers: []}
`;

describe("`signet catalogue export`", () => {
  test("prints every definition whole and sorted, with what is approved, and no more of the server's own", async () => {
    expect(await signet("catalogue export -c p", FILES)).toEqual({ code: 0, out: EXPORTED, err: "" });
  });

  test.each(["yaml", "json"])("exporting the export gives the same, as %s", async (output) => {
    const { out } = await signet(`catalogue export -c p -o ${output}`, FILES);
    expect((await signet(`catalogue export -c e.yaml -o ${output}`, { "e.yaml": out })).out).toBe(out);
  });

  test.each(["yaml", "json"])("verdicts by the export are the same, as %s", async (output) => {
    const { out } = await signet(`catalogue export -c p -o ${output}`, FILES);
    const before = await signet("review pod.yaml -c p -o json", { ...FILES, "pod.yaml": POD });
    const after = await signet("review pod.yaml -c e.yaml -o json", { "e.yaml": out, "pod.yaml": POD });
    expect(after).toEqual(before);
    expect(before.out).toContain('"code": "HOST_NETWORK"');
  });

  test("what can't be read is not exported", async () => {
    const broken = {
      "p/a.yaml": "apiVersion: signet.dev/v1alpha1\nkind: Segment\nmetadata: {name: a}\nspec: {mod: enforce}\n",
    };
    expect(await signet("catalogue export -c p", broken)).toEqual({
      code: 2,
      out: "",
      err: 'signet: p/a.yaml:4:8: spec.mod: There is no field "mod" here. [FIELD_UNKNOWN]\n        Did you mean "mode"?\n',
    });
  });
});
