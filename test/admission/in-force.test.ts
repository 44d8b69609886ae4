import { expect, test } from "vitest";
import { catalogueOf, reviewOf } from "../fakes/judging.ts";

const segment = (status: string, metadata = "name: shop, uid: s1, generation: 4"): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {${metadata}}, spec: {namespaces: [web], mode: enforce}${status}}`;

const APPROVED_SEGMENT = segment(
  ", status: {approvals: [{generation: 3, by: bob}], approved: {generation: 3, by: [bob], at: '2026-11-01T00:00:00Z', spec: {namespaces: [web], mode: observe}, namespaceUIDs: {web: n1}}}",
);

const catalogue = (parts: { segment?: string; role?: string; namespace?: string }): string =>
  [
    parts.namespace ??
      '{apiVersion: v1, kind: Namespace, metadata: {name: web, uid: n1, labels: {signet.dev/enrol: "true"}}}',
    parts.segment ?? APPROVED_SEGMENT,
    parts.role ??
      "{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: front, uid: r1}, spec: {segment: shop, match: {serviceAccounts: [changed]}}, status: {approvals: [], approved: {generation: 7, by: [bob], at: '2026-11-01T00:00:00Z', spec: {segment: shop, match: {serviceAccounts: [front]}}}}}",
  ].join("\n---\n");

const POD =
  "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: web}, spec: {serviceAccountName: front, hostPID: true}}";

const seen = (parts: Parameters<typeof catalogue>[0], requireApproval = true) => {
  const { verdict } = reviewOf(catalogueOf(catalogue(parts)), POD, { requireApproval });
  return [verdict.decision, verdict.approval, ...verdict.problems.map(({ code }) => code)];
};

test("the last approved generation is in force, whatever the spec says since", () => {
  expect(seen({})).toEqual(["warn", "approved", "HOST_PID"]);
});

test("the stamp names UIDs and approved generations", () => {
  const { verdict } = reviewOf(catalogueOf(catalogue({})), POD);
  expect(verdict.stamp.annotations["signet.dev/stamp"]).toBe(
    '{"role":{"name":"front","uid":"r1","generation":7},"segment":{"name":"shop","uid":"s1","generation":3}}',
  );
});

test("a segment that a server holds without approval gives its namespaces to nobody", () => {
  expect(seen({ segment: segment(", status: {approvals: []}") })).toEqual(["deny", "none", "ROLE_NONE"]);
});

test("a role that a server holds without approval fits nobody", () => {
  const role =
    "{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: front, uid: r1}, spec: {segment: shop, match: {serviceAccounts: [front]}}}";
  expect(seen({ role }, false)).toEqual(["deny", "none", "ROLE_NONE"]);
});

test("a withdrawn generation is out of force", () => {
  const withdrawn = APPROVED_SEGMENT.replace(
    "[{generation: 3, by: bob}]",
    "[{generation: 3, by: bob}, {generation: 3, by: eve, withdraw: true}]",
  );
  expect(seen({ segment: withdrawn })).toEqual(["deny", "none", "ROLE_NONE"]);
});

test("a namespace made anew under an approved name waits for approval", () => {
  const namespace =
    '{apiVersion: v1, kind: Namespace, metadata: {name: web, uid: n2, labels: {signet.dev/enrol: "true"}}}';
  expect(seen({ namespace })).toEqual(["deny", "none", "ROLE_NONE"]);
});

test("a bare folder carries no approvals: the verdict says so, and refuses where approval is required", () => {
  const bare = {
    namespace: '{apiVersion: v1, kind: Namespace, metadata: {name: web, labels: {signet.dev/enrol: "true"}}}',
    segment: segment("", "name: shop"),
    role: "{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: front}, spec: {segment: shop, match: {serviceAccounts: [front]}, permits: [hostPID]}}",
  };
  expect([seen(bare, false), seen(bare, true)]).toEqual([
    ["admit", "unchecked"],
    ["deny", "unchecked", "APPROVAL_MISSING"],
  ]);
});

const exception = (spec: string): string =>
  `${catalogue({ segment: APPROVED_SEGMENT.replace("mode: observe", "mode: enforce") })}\n---\n{apiVersion: signet.dev/v1alpha1, kind: SegmentException, metadata: {name: import, namespace: web}, spec: {${spec}}}`;

const POINTING = POD.replace("namespace: web", "namespace: web, annotations: {signet.dev/exception: import}");

const EXCEPTIONS: readonly { name: string; spec: string; expected: readonly string[] }[] = [
  {
    name: "an exception that permits the check lets it pass",
    spec: "permit: {check: hostPID}, workloads: {role: front}, reason: r, expires: '2027-01-01T00:00:00Z'",
    expected: ["admit"],
  },
  {
    name: "one that has ended does not",
    spec: "permit: {check: hostPID}, workloads: {role: front}, reason: r, expires: '2026-11-23T12:00:00Z'",
    expected: ["deny", "HOST_PID", "EXCEPTION_EXPIRED"],
  },
  {
    name: "one that has not begun does not",
    spec: "permit: {check: hostPID}, workloads: {role: front}, reason: r, notBefore: '2026-12-01T00:00:00Z', expires: '2027-01-01T00:00:00Z'",
    expected: ["deny", "HOST_PID", "EXCEPTION_NOT_YET"],
  },
  {
    name: "one that nobody checked and that is longer than its class allows does not yet",
    spec: "permit: {check: hostPID}, workloads: {role: front}, reason: r, expires: '2030-01-01T00:00:00Z'",
    expected: ["deny", "HOST_PID", "EXCEPTION_TOO_LONG"],
  },
  {
    name: "one for another check does not",
    spec: "permit: {check: hostIPC}, workloads: {role: front}, reason: r, expires: '2027-01-01T00:00:00Z'",
    expected: ["deny", "HOST_PID", "EXCEPTION_MISMATCH"],
  },
  {
    name: "one for another role does not",
    spec: "permit: {check: hostPID}, workloads: {role: back}, reason: r, expires: '2027-01-01T00:00:00Z'",
    expected: ["deny", "HOST_PID", "EXCEPTION_MISMATCH"],
  },
];

for (const row of EXCEPTIONS)
  test(row.name, () => {
    const { verdict } = reviewOf(catalogueOf(exception(row.spec)), POINTING);
    expect([verdict.decision, ...verdict.problems.map(({ code }) => code)]).toEqual(row.expected);
  });

test("the annotation alone grants nothing", () => {
  const { verdict } = reviewOf(
    catalogueOf(catalogue({ segment: APPROVED_SEGMENT.replace("mode: observe", "mode: enforce") })),
    POINTING,
  );
  expect(verdict.problems.map(({ code }) => code)).toEqual(["HOST_PID", "EXCEPTION_MISSING"]);
});

test("an edit that cannot be read is no outage: the approved generation stays in force", () => {
  const broken = APPROVED_SEGMENT.replace("spec: {namespaces: [web], mode: enforce}", "spec: {mode: sometimes}");
  expect(seen({ segment: broken })).toEqual(["warn", "approved", "HOST_PID"]);
});
