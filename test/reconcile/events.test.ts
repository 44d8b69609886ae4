import * as fc from "fast-check";
import { expect, test } from "vitest";
import { review } from "../../src/admission/review.ts";
import { DEFAULT_EVENT_LIMITS, EventBudget, podEvent, reasonOfCode, refusalEvent } from "../../src/reconcile/events.ts";
import { metadataPresence } from "../../src/wire/presence.ts";
import { readWorkload } from "../../src/wire/workloads.ts";
import { catalogueOf, must, NOON, objectsOf } from "../fakes/judging.ts";

const CATALOGUE = catalogueOf(`
{apiVersion: v1, kind: Namespace, metadata: {name: web, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [web], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: front}, spec: {segment: shop, match: {serviceAccounts: [front]}}}
`);

function refused(owner: string) {
  const [object] = objectsOf(
    `{apiVersion: v1, kind: Pod, metadata: {generateName: web-, namespace: web, ownerReferences: [${owner}]}, spec: {}}`,
  );
  if (!object) throw new Error("no Pod in the text");
  const workload = must(readWorkload(object, { namespace: "web" }));
  if (!workload) throw new Error("a Pod is a workload");
  return {
    workload,
    problems: review(CATALOGUE, workload, metadataPresence(object.raw), { now: NOON }).verdict.problems,
  };
}

const REPLICA_SET = "{kind: ReplicaSet, name: web-1, uid: rs, controller: true}";

test("the owner of a refused Pod is told why, in an Event of its own", () => {
  const { workload, problems } = refused(REPLICA_SET);
  expect(refusalEvent(new EventBudget(), workload, problems, NOON)).toEqual({
    do: "emitEvent",
    regarding: { kind: "ReplicaSet", namespace: "web", name: "web-1", uid: "rs" },
    type: "Warning",
    reason: "RoleNone",
    action: "Admission",
    note: "Pod web-* was refused: No role fits account web/default. Roles in web name the accounts front; run it under one of these, or write a role.",
  });
});

test("a Pod without a controller has nobody else to tell", () => {
  const { workload, problems } = refused("");
  expect(refusalEvent(new EventBudget(), workload, problems, NOON)).toBeUndefined();
});

test("an owner is told three times at once, then once a minute; another owner is told for itself", () => {
  const budget = new EventBudget();
  const { workload, problems } = refused(REPLICA_SET);
  const told = (at: number, uid = "rs") => {
    const owner = { kind: "ReplicaSet", name: "web-1", uid };
    return refusalEvent(budget, { ...workload, owner }, problems, at) !== undefined;
  };
  expect([0, 1, 2, 3, 59_999, 60_003, 60_004].map((at) => told(NOON + at))).toEqual([
    true,
    true,
    true,
    false,
    false,
    true,
    false,
  ]);
  expect(told(NOON + 5, "other")).toBe(true);
});

test("a note has at most 1,024 characters", () => {
  const { workload } = refused(REPLICA_SET);
  const long = [{ code: "ROLE_NONE", path: "", message: "x".repeat(3000) }] as const;
  expect(refusalEvent(new EventBudget(), workload, long, NOON)?.note.length).toBe(1024);
});

test("a flagged Pod is told on itself", () => {
  const object = { apiVersion: "v1", kind: "Pod", namespace: "web", name: "p", uid: "u", resourceVersion: "1" };
  const flag = { do: "flagPod", object, exception: "e", code: "EXCEPTION_EXPIRED", why: "It ended." } as const;
  expect(podEvent(new EventBudget(), flag, NOON)).toEqual({
    do: "emitEvent",
    regarding: { kind: "Pod", namespace: "web", name: "p", uid: "u" },
    type: "Warning",
    reason: "ExceptionExpired",
    action: "Reconcile",
    note: "It ended.",
  });
});

test("a reason is one CamelCase word", () => {
  expect([reasonOfCode("IDENTITY_SPANS_SEGMENTS"), reasonOfCode("FORGED")]).toEqual([
    "IdentitySpansSegments",
    "Forged",
  ]);
});

/** In any stretch of time an object gets at most its burst and one each period, and the memory stays bounded. */
const bounded = (make: () => { take: (uid: string, now: number) => boolean }) =>
  fc.property(
    fc.array(fc.record({ uid: fc.constantFrom("a", "b"), wait: fc.nat(40_000) }), { minLength: 1, maxLength: 60 }),
    (steps) => {
      const budget = make();
      const given: Record<string, number[]> = { a: [], b: [] };
      let now = NOON;
      for (const { uid, wait } of steps) {
        now += wait;
        if (budget.take(uid, now)) given[uid]?.push(now);
      }
      const { burst, periodMs } = DEFAULT_EVENT_LIMITS;
      for (const times of Object.values(given))
        for (const [index, from] of times.entries())
          for (const [more, to] of times.slice(index).entries())
            expect(more + 1).toBeLessThanOrEqual(burst + (to - from) / periodMs + 1e-6);
    },
  );

test("no object gets more than its share, whatever happens when", () => {
  fc.assert(
    bounded(() => new EventBudget()),
    { numRuns: 300 },
  );
});

test("the property bites: a budget that forgets at every turn is found", () => {
  const forgetful = () => ({ take: (uid: string, now: number) => new EventBudget().take(uid, now) });
  expect(fc.check(bounded(forgetful), { numRuns: 5000, endOnFailure: true }).failed).toBe(true);
});

test("a clock that steps back gives nothing, and the quietest object is forgotten first", () => {
  const budget = new EventBudget({ burst: 1, periodMs: 60_000, objects: 2 });
  expect([budget.take("a", NOON), budget.take("a", NOON - 3_600_000), budget.take("a", NOON + 1)]).toEqual([
    true,
    false,
    false,
  ]);
  expect([budget.take("b", NOON), budget.take("c", NOON), budget.take("b", NOON), budget.take("a", NOON)]).toEqual([
    true,
    true,
    false,
    true,
  ]);
});
