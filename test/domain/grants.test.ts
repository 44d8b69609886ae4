import { expect, test } from "vitest";
import { makeCatalogue } from "../../src/domain/catalogue.ts";
import { exceptionState } from "../../src/domain/exception-state.ts";
import { withGrants } from "../../src/domain/grants.ts";
import { compileIntent } from "../../src/policy/intent/intent.ts";
import { IDLE_TEXT } from "../../src/policy/intent/near-misses.ts";
import { readGrant } from "../../src/wire/grant.ts";
import { catalogueOf, must, NOON, reviewOf } from "../fakes/judging.ts";

const CATALOGUE = (uid: string) => `
{apiVersion: v1, kind: Namespace, metadata: {name: pay${uid === "" ? "" : `, uid: ${uid}`}, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: pay}, spec: {namespaces: [pay], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: db}, spec: {segment: pay, match: {serviceAccounts: [db]}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: web}, spec: {segment: pay, match: {serviceAccounts: [web]}}}
`;
const SENTENCE = { sentence: { from: { role: "web" }, to: { role: "db" }, on: ["tcp/5432"] } };

/** What a signature of the morning grants until tomorrow, in namespace pay with UID u-1. */
const grantOf = (more: object = {}, permit: object = SENTENCE) =>
  readGrant(
    JSON.stringify({
      iat: NOON / 1000 - 3600,
      exp: NOON / 1000 + 86_400,
      namespace: "pay",
      namespaceUID: "u-1",
      name: "import",
      spec: { permit, workloads: { role: "db" }, reason: "r", expires: new Date(NOON + 86_400_000).toISOString() },
      ...more,
    }),
    "key-1",
    "g.jws",
  );

const granted = (uid: string, ...grants: readonly ReturnType<typeof grantOf>[]) =>
  makeCatalogue(
    withGrants(catalogueOf(CATALOGUE(uid)).definitions, { exceptions: grants.map(must), only: false }),
    "r",
  );

test.each([
  ["the one that was signed for", "u-1", "active", 1, []],
  ["made anew under its name", "u-2", "for another namespace", 0, ["is signed for a namespace with another UID"]],
  ["of no known UID", "", "for another namespace", 0, ["is signed for a namespace with another UID"]],
])("a signed sentence in a namespace that is %s", (_, uid, state, lines, idle) => {
  const catalogue = granted(uid, grantOf());
  const intent = compileIntent(catalogue);
  expect([
    catalogue.definitions.exceptions.map((each) => exceptionState(catalogue, each, NOON)),
    intent.lines.length,
    intent.idle.map(({ because }) => IDLE_TEXT[because]),
  ]).toEqual([[state], lines, idle]);
});

test("a grant of a sentence that is bound to one workload is none: a sentence is of whole roles", () => {
  expect(grantOf({ workload: { kind: "Deployment", name: "db" } })).toMatchObject({
    ok: false,
    problems: [
      {
        code: "GRANT_UNREADABLE",
        message: "g.jws is no grant: it permits a connection, which is a role's, and is bound to one workload.",
      },
    ],
  });
});

/** What is said of a Pod `import-1` that takes these escapes and points to the exception. */
function said(catalogue: ReturnType<typeof granted>, escapes: object): readonly string[] {
  const metadata = { name: "import-1", namespace: "pay", annotations: { "signet.dev/exception": "import" } };
  const spec = { serviceAccountName: "db", containers: [{ name: "main", image: "x" }], ...escapes };
  const { problems } = reviewOf(catalogue, JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata, spec })).verdict;
  return problems.map(({ code, message }) => `${code} ${message}`);
}

const [PID, IPC] = [{ check: "hostPID" }, { check: "hostIPC" }];
const LATER = { iat: NOON / 1000 };
const OTHER = { kind: "Pod", name: "import-2" };

test.each<[string, { readonly permit?: object; readonly workload?: object; readonly namespaceUID?: string }]>([
  ["for another check", {}],
  ["for another workload", { workload: OTHER, permit: PID }],
  ["for the namespace that was there before", { namespaceUID: "u-0", permit: PID }],
])("a grant under the same name, signed later and %s, takes nothing away", (_name, { permit = IPC, ...more }) => {
  const last = grantOf({ ...LATER, ...more }, permit);
  expect([
    said(granted("u-1", grantOf({}, PID), last), { hostPID: true }),
    said(granted("u-1", last, grantOf({}, PID)), { hostPID: true }),
  ]).toEqual([[], []]);
});

test("grants under one name permit together what each of them permits", () => {
  const both = granted("u-1", grantOf({}, PID), grantOf(LATER, IPC));
  expect(said(both, { hostPID: true, hostIPC: true })).toEqual([]);
});

test("of several that do not count it is said what the one lacks that comes nearest", () => {
  const ended = { exp: NOON / 1000 - 60, iat: NOON / 1000 - 3600 };
  const spec = { permit: PID, workloads: { role: "db" }, reason: "r", expires: new Date(NOON - 60_000).toISOString() };
  const other = grantOf({ ...LATER, workload: OTHER }, PID);
  expect(said(granted("u-1", other, grantOf({ ...ended, spec })), { hostPID: true })).toEqual([
    "HOST_PID It sees the node's processes, which role db does not permit.",
    'EXCEPTION_EXPIRED Exception "import" ended at 2026-11-23T11:59:00Z.',
  ]);
  expect(said(granted("u-1", grantOf({}, IPC), grantOf({ ...ended, spec })), { hostPID: true })[1]).toBe(
    'EXCEPTION_EXPIRED Exception "import" ended at 2026-11-23T11:59:00Z.',
  );
  expect(said(granted("u-1", grantOf({}, IPC), other), { hostPID: true })[1]).toBe(
    'EXCEPTION_MISMATCH Exception "import" is signed for Pod import-2 alone.',
  );
});

test("what a server approved counts beside a grant under its name, whichever of them is left", () => {
  const approved = `
---
{apiVersion: signet.dev/v1alpha1, kind: SegmentException, metadata: {name: import, namespace: pay, generation: 1}, spec: SPEC, status: {approved: {generation: 1, spec: SPEC, by: [bert]}}}`;
  const withServer = (expires: string, grant: ReturnType<typeof grantOf>) => {
    const spec = `{permit: {check: hostPID}, workloads: {role: db}, reason: r, expires: "${expires}"}`;
    const { definitions } = catalogueOf(`${CATALOGUE("u-1")}${approved.replaceAll("SPEC", spec)}`);
    return makeCatalogue(withGrants(definitions, { exceptions: [must(grant)], only: false }), "r");
  };
  expect([
    said(withServer("2026-11-23T11:00:00Z", grantOf({}, PID)), { hostPID: true }),
    said(withServer("2026-11-24T11:00:00Z", grantOf({ workload: OTHER }, PID)), { hostPID: true }),
  ]).toEqual([[], []]);
});
