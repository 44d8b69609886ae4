import { expect, test } from "vitest";
import { makeCatalogue } from "../../src/domain/catalogue.ts";
import { exceptionState } from "../../src/domain/exception-state.ts";
import { withGrants } from "../../src/domain/grants.ts";
import { compileIntent } from "../../src/policy/intent/intent.ts";
import { IDLE_TEXT } from "../../src/policy/intent/near-misses.ts";
import { readGrant } from "../../src/wire/grant.ts";
import { catalogueOf, must, NOON } from "../fakes/judging.ts";

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
