import { expect, test } from "vitest";
import { spanText } from "../../src/cli/time-text.ts";
import { type Files, signet } from "../fakes/io.ts";

const FILES: Files = {
  "p.yaml": `apiVersion: v1
kind: Namespace
metadata: {name: vault, labels: {signet.dev/segment: payments}}
---
apiVersion: signet.dev/v1alpha1
kind: Segment
metadata: {name: payments, uid: u-1, generation: 4}
spec: {environment: prod, classification: pci, owner: pay@example.org, namespaces: [payments], mode: enforce}
status:
  approved: {generation: 3, by: [ann], at: "2026-11-01T00:00:00Z", spec: {environment: prod, classification: pci, owner: pay@example.org, namespaces: [payments], mode: canary}}
---
apiVersion: signet.dev/v1alpha1
kind: Segment
metadata: {name: dev}
spec: {}
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata: {name: orders-db}
spec:
  segment: payments
  match:
    serviceAccounts: [a, b, c, d]
    kinds: [Pod]
    podLabels: {matchLabels: {app: db}, matchExpressions: [{key: tier, operator: NotIn, values: [u, v]}, {key: old, operator: DoesNotExist}, {key: new, operator: Exists}]}
  permits: [hostNetwork]
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata: {name: any, uid: u-2, generation: 2}
spec: {segment: payments, match: {}}
`,
  "x.yaml": ["active", "ended", "later", "waiting"]
    .map(
      (name) => `apiVersion: signet.dev/v1alpha1
kind: SegmentException
metadata: {namespace: payments, name: ${name}${name === "waiting" ? ", uid: u-3, generation: 1" : ""}}
spec:
  permit: ${name === "later" ? "{sentence: {from: {role: a}, to: {role: b}, on: [any]}}" : "{check: hostPath, path: /srv}"}
  workloads: {role: orders-db}
  reason: because
  ${name === "active" ? "ticket: T-1" : ""}
  ${name === "later" ? "notBefore: 2026-11-24T13:30:00Z" : ""}
  expires: ${name === "ended" ? "2026-11-23T12:00:00Z" : "2026-12-24T00:00:00Z"}
`,
    )
    .join("---\n"),
};

test("`signet roles` shows where each role can be held, and by whom", async () => {
  expect(await signet("roles -c p.yaml", FILES)).toEqual({
    code: 0,
    err: "",
    out: `NAME       SEGMENT   NAMESPACES      ACCOUNTS         KINDS                                APPROVAL
any        payments  -               all but default  Pod,VirtualMachine,Machine,Function  waits (generation 2)
orders-db  payments  payments,vault  a,b,c,… (4)      Pod                                  unchecked
`,
  });
});

test("`signet roles -o wide` shows labels, permits and the line", async () => {
  const { out } = await signet("roles -c p.yaml -o wide", FILES);
  expect(out.split("\n")[2]?.split(/\s{2,}/)).toEqual([
    "orders-db",
    "payments",
    "payments,vault",
    "a,b,c,… (4)",
    "Pod",
    "app=db,tier notin (u,v),!old,new",
    "hostNetwork",
    "none",
    "unchecked",
    "p.yaml:17",
  ]);
});

test("`signet segments` shows what is in force, and by whom it was approved", async () => {
  expect((await signet("segments -c p.yaml", FILES)).out).toBe(
    `NAME      ENVIRONMENT  CLASSIFICATION  MODE     NAMESPACES      ROLES          APPROVAL
dev       -            -               observe  -               -              unchecked
payments  prod         pci             canary   payments,vault  any,orders-db  generation 3 by ann
`,
  );
});

test("`signet segments -o json` is a list for scripts", async () => {
  const { out } = await signet("segments -c p.yaml -o json", FILES);
  const [, payments] = JSON.parse(out) as readonly unknown[];
  expect(payments).toEqual({
    name: "payments",
    environment: "prod",
    classification: "pci",
    owner: "pay@example.org",
    namespaces: ["payments", "vault"],
    roles: ["any", "orders-db"],
    mode: "canary",
    canary: { workloads: [], namespaces: [] },
    isolation: "strict",
    intra: "deny",
    policyApproval: "required",
    leafMaxTtlSeconds: 3600,
    approval: { state: "approved", generation: 3, by: ["ann"] },
    source: "p.yaml:5",
  });
});

test("`signet exceptions` shows the state and the time that is left", async () => {
  expect((await signet("exceptions -c x.yaml", FILES)).out).toBe(
    `NAMESPACE  NAME     PERMITS        ROLE       STATE       LEFT            TICKET  APPROVAL
payments   active   hostPath:/srv  orders-db  active      30d12h          T-1     unchecked
payments   ended    hostPath:/srv  orders-db  expired     ended 0s ago    -       unchecked
payments   later    a connection   orders-db  not yet     begins in 1d1h  -       unchecked
payments   waiting  hostPath:/srv  orders-db  unapproved  30d12h          -       waits (generation 1)
`,
  );
});

test("`signet exceptions --at` looks from another moment", async () => {
  const { out } = await signet("exceptions -c x.yaml --at 2026-12-24T00:00:00Z -o json", FILES);
  const states = (JSON.parse(out) as readonly { name: string; state: string; secondsLeft: number; left: string }[]).map(
    ({ name, state, secondsLeft, left }) => `${name} ${state} ${secondsLeft} ${left}`,
  );
  expect(states).toEqual([
    "active expired 0 ended 0s ago",
    "ended expired -2635200 ended 30d12h ago",
    "later expired 0 ended 0s ago",
    "waiting unapproved 0 ended 0s ago",
  ]);
});

test("YAML holds what JSON holds", async () => {
  const { out } = await signet("exceptions -c x.yaml -o yaml", FILES);
  expect(out.split("\n").slice(0, 4)).toEqual([
    "- namespace: payments",
    "  name: active",
    "  permits: hostPath:/srv",
    "  role: orders-db",
  ]);
});

test("an empty list says so", async () => {
  expect(await signet("exceptions -c p.yaml", FILES)).toEqual({ code: 0, out: "There are no exceptions.\n", err: "" });
});

test.each([
  [0, "0s"],
  [999, "0s"],
  [59_000, "59s"],
  [60_000, "1m"],
  [61_000, "1m1s"],
  [3_600_000, "1h"],
  [90_061_000, "1d1h"],
  [86_460_000, "1d"],
  [-90_061_000, "1d1h"],
])("%d ms are shown as %s", (milliseconds, text) => {
  expect(spanText(milliseconds)).toBe(text);
});
