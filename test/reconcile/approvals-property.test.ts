import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type ApprovalSnapshot, decideApprovals } from "../../src/reconcile/approvals/decide.ts";
import { editorsOf } from "../fakes/approval-rules.ts";
import { ApprovalStore, Refused } from "../fakes/approval-store.ts";
import { NOON } from "../fakes/judging.ts";

const ARGO = "system:serviceaccount:argocd:controller";
const USERS = ["alice", "bob", "carol", ARGO, "system:serviceaccount:ci:builder"] as const;
/** Few names, so that steps meet. */
const OBJECTS = [
  { kind: "Segment", name: "a", spec: (n: number) => `namespaces: [x${n % 2}], owner: o${n}` },
  { kind: "WorkloadRole", name: "r", spec: (n: number) => `segment: a, match: {serviceAccounts: [s${n}]}` },
  { kind: "TrustDomain", name: "local", spec: termsOf },
] as const;

function termsOf(n: number): string {
  return `domain: example.org, approvals: {required: ${n % 3}, gitOps: [${n % 2 === 0 ? `"${ARGO}"` : ""}]}`;
}

type Step = {
  readonly do: "edit" | "approve" | "withdraw" | "reconcile";
  readonly user: number;
  readonly object: number;
  readonly variant: number;
};

const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("edit", "approve", "withdraw", "reconcile"),
  user: fc.nat(USERS.length - 1),
  object: fc.nat(OBJECTS.length - 1),
  variant: fc.nat(5),
});

/** What a person tries; what an admission policy refuses has no effect. */
function attempt(
  store: ApprovalStore,
  { do: what, user, object, variant }: Step,
  decide: typeof decideApprovals,
): void {
  const target = OBJECTS[object];
  const name = USERS[user];
  if (!target || !name) return;
  if (what === "reconcile") return void store.reconcile(NOON, decide);
  try {
    if (what === "edit")
      store.apply(
        name,
        `{apiVersion: signet.dev/v1alpha1, kind: ${target.kind}, metadata: {name: ${target.name}}, spec: {${target.spec(variant)}}}`,
      );
    else store.approve(name, target.kind, target.name, what === "withdraw" ? { withdraw: true } : {});
  } catch (fault) {
    if (!(fault instanceof Refused)) throw fault;
  }
}

function begun(): ApprovalStore {
  const store = new ApprovalStore();
  for (const { kind, name, spec } of [OBJECTS[2], OBJECTS[0], OBJECTS[1]])
    store.apply(
      "installer",
      `{apiVersion: signet.dev/v1alpha1, kind: ${kind}, metadata: {name: ${name}}, spec: {${spec(1)}}}`,
    );
  store.reconcile(NOON);
  return store;
}

/**
 * Plays the steps. The store refuses every record that too few people stand behind, and a reconcile that does not come to
 * rest: either fails the property.
 */
function play(steps: readonly Step[], decide: typeof decideApprovals = decideApprovals): ApprovalStore {
  const store = begun();
  for (const each of steps) attempt(store, each, decide);
  store.reconcile(NOON, decide);
  return store;
}

test("whatever people do, the decider comes to rest and records only what enough others approved", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => void play(steps)),
    { numRuns: 80 },
  );
});

test("nobody's own edit comes into force by his own approval while people are required", () => {
  const people = step.filter(({ object, do: what }) => !(object === 2 && what === "edit"));
  fc.assert(
    fc.property(fc.array(people, { maxLength: 25 }), (steps) => {
      const store = play(steps);
      const inForce = [OBJECTS[0], OBJECTS[1]]
        .map(({ kind, name }) => store.get(kind, name))
        .filter(({ metadata, status }) => status.approved?.generation === metadata.generation);
      for (const object of inForce) {
        const by = object.status.approved?.by ?? [];
        expect(by.filter((user) => editorsOf(object).includes(user))).toEqual([]);
        expect(by.length).toBeGreaterThanOrEqual(1);
      }
    }),
    { numRuns: 80 },
  );
});

test("after a withdrawal nothing is in force until somebody edits or approves", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const store = play(steps);
      store.withdraw("dave", "Segment", "a");
      store.reconcile(NOON);
      expect(store.get("Segment", "a").status.approved).toBeUndefined();
      expect(store.snapshot().definitions.segments[0]?.approval.state).toBe("missing");
    }),
    { numRuns: 50 },
  );
});

/** The snapshot with something in every object's metadata or status changed: what a wrong decider would believe. */
const believing =
  (change: (raw: Record<string, unknown>) => Record<string, unknown>) => (snapshot: ApprovalSnapshot, now: number) =>
    decideApprovals(
      { ...snapshot, objects: snapshot.objects.map((one) => ({ ...one, raw: change(structuredClone(one.raw)) })) },
      now,
    );

const FAULTS: readonly { name: string; decide: typeof decideApprovals }[] = [
  {
    name: "that takes a withdrawal for an approval",
    decide: believing((raw) => {
      const status = (raw["status"] ?? {}) as { approvals?: object[] };
      const approvals = (status.approvals ?? []).map((entry) => ({ ...entry, withdraw: false }));
      return { ...raw, status: { ...status, approvals } };
    }),
  },
  {
    name: "that counts approvals of any generation",
    decide: believing((raw) => {
      const { generation } = raw["metadata"] as { generation?: number };
      const status = (raw["status"] ?? {}) as { approvals?: object[] };
      const approvals = (status.approvals ?? []).map((entry) => ({ ...entry, generation }));
      return { ...raw, status: { ...status, approvals } };
    }),
  },
  {
    name: "that writes conditions anew each time",
    decide: believing((raw) => ({ ...raw, status: { ...(raw["status"] as object), conditions: [] } })),
  },
];

for (const { name, decide } of FAULTS)
  test(`the properties bite: a decider ${name} fails them`, () => {
    const found = fc.check(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => void play(steps, decide)),
      {
        numRuns: 5000,
        endOnFailure: true,
      },
    );
    expect(found.failed).toBe(true);
  });
