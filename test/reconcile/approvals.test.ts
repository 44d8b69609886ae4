import { beforeEach, describe, expect, test } from "vitest";
import { SIGNET } from "../fakes/approval-rules.ts";
import { ApprovalStore, Refused } from "../fakes/approval-store.ts";
import { NOON } from "../fakes/judging.ts";

const trustDomain = (approvals = "required: 1") =>
  `{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org, approvals: {${approvals}}}}`;
const segment = (name: string, spec: string) =>
  `{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: ${name}}, spec: {${spec}}}`;
const role = (name: string, of: string, match: string) =>
  `{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: ${name}}, spec: {segment: ${of}, match: {${match}}}}`;
const namespace = (name: string, labels = "") =>
  `{apiVersion: v1, kind: Namespace, metadata: {name: ${name}, labels: {${labels}}}}`;

const ARGO = "system:serviceaccount:argocd:controller";
const CI = "system:serviceaccount:ci:builder";

let store: ApprovalStore;
const did = () => store.reconcile(NOON).map((action) => `${action.do} ${action.object.kind}/${action.object.name}`);
const approved = (kind: string, name: string) => {
  const record = store.get(kind, name).status.approved;
  return record && [record.generation, record.by];
};
/** What the condition Approved says. */
const standing = (kind: string, name: string) => store.conditions(kind, name)[0];
const message = (kind: string, name: string) => store.get(kind, name).status.conditions[0]?.message;

beforeEach(() => {
  store = new ApprovalStore();
  store.apply("installer", trustDomain());
  store.reconcile(NOON);
  store.apply("alice", segment("shop", "namespaces: [web], mode: observe"));
});

test("the installer's first TrustDomain comes into force by itself, and a second one does not", () => {
  expect(approved("TrustDomain", "local")).toEqual([1, ["installer"]]);
  store.delete("TrustDomain", "local");
  store.tamper("Segment", "shop", (one) => ({
    ...one,
    status: { ...one.status, approvals: [], approved: { generation: 1, spec: one.spec, by: ["bob"] } },
  }));
  store.apply("mallory", trustDomain("required: 0"));
  store.reconcile(NOON);
  expect([approved("TrustDomain", "local"), standing("TrustDomain", "local")]).toEqual([
    undefined,
    "Approved=False WaitingForApproval",
  ]);
});

test("one approval by somebody else brings a generation into force, whole", () => {
  expect(did()).toEqual(["setConditions Segment/shop"]);
  expect(standing("Segment", "shop")).toBe("Approved=False WaitingForApproval");
  store.approve("bob", "Segment", "shop");
  expect(did()).toEqual(["recordApproval Segment/shop"]);
  expect(store.get("Segment", "shop").status).toEqual({
    approvals: [{ generation: 1, by: "bob" }],
    approved: {
      generation: 1,
      spec: { namespaces: ["web"], mode: "observe" },
      by: ["bob"],
      at: "2026-11-23T12:00:00Z",
      namespaceUIDs: {},
    },
    observedGeneration: 1,
    conditions: [
      {
        type: "Approved",
        status: "True",
        reason: "Approved",
        message: "Generation 1 was approved by bob.",
        observedGeneration: 1,
        lastTransitionTime: "2026-11-23T12:00:00Z",
      },
      {
        type: "Ready",
        status: "True",
        reason: "InForce",
        message: "Generation 1 is in force.",
        observedGeneration: 1,
        lastTransitionTime: "2026-11-23T12:00:00Z",
      },
      {
        type: "NamespacesApproved",
        status: "True",
        reason: "Unchanged",
        message: "The namespaces it names are those of its approval.",
        observedGeneration: 1,
        lastTransitionTime: "2026-11-23T12:00:00Z",
      },
    ],
  });
});

test("an action says what it is for and begins with a test of the version it saw", () => {
  store.approve("bob", "Segment", "shop");
  const [action] = store.reconcile(NOON);
  expect([action?.why, action?.patch[0]]).toEqual([
    "Generation 1 comes into force, approved by bob.",
    { op: "test", path: "/metadata/resourceVersion", value: action?.object.resourceVersion },
  ]);
});

test("an edit is never an outage: the approved generation stays in force until the next is approved", () => {
  store.approve("bob", "Segment", "shop");
  store.reconcile(NOON);
  store.apply("bob", segment("shop", "namespaces: [web], mode: enforce"));
  expect(did()).toEqual(["setConditions Segment/shop"]);
  expect([approved("Segment", "shop"), store.conditions("Segment", "shop")]).toEqual([
    [1, ["bob"]],
    ["Approved=False WaitingForApproval", "Ready=True OlderGenerationInForce", "NamespacesApproved=True Unchanged"],
  ]);
  expect(store.snapshot().definitions.segments[0]?.mode).toBe("observe");
  store.approve("alice", "Segment", "shop");
  store.reconcile(NOON);
  expect([approved("Segment", "shop"), store.snapshot().definitions.segments[0]?.mode]).toEqual([
    [2, ["alice"]],
    "enforce",
  ]);
});

test("two editors of one generation cannot approve each other's edits", () => {
  store.apply("bob", segment("shop", "namespaces: [web], mode: enforce"));
  store.reconcile(NOON);
  expect(() => store.approve("alice", "Segment", "shop")).toThrow(Refused);
  expect(() => store.approve("bob", "Segment", "shop")).toThrow(Refused);
  expect(message("Segment", "shop")).toBe("Generation 2 needs the approval of somebody other than alice, bob.");
});

test("two approvals of one person are one; two people are two", () => {
  store.apply("alice", trustDomain("required: 2"));
  store.approve("bob", "TrustDomain", "local");
  store.approve("carol", "TrustDomain", "local");
  store.reconcile(NOON);
  store.approve("bob", "Segment", "shop", { at: "2026-11-23T11:00:00Z" });
  store.approve("bob", "Segment", "shop", { at: "2026-11-23T11:00:01Z" });
  store.reconcile(NOON);
  expect([approved("Segment", "shop"), message("Segment", "shop")]).toEqual([
    undefined,
    "Generation 1 needs the approval of 2 people other than alice, has that of bob.",
  ]);
  store.approve("carol", "Segment", "shop");
  store.reconcile(NOON);
  expect(approved("Segment", "shop")).toEqual([1, ["bob", "carol"]]);
});

describe("withdrawing", () => {
  beforeEach(() => {
    store.approve("bob", "Segment", "shop");
    store.reconcile(NOON);
  });

  test("takes the generation out of force, by an editor too", () => {
    store.withdraw("alice", "Segment", "shop");
    expect(store.snapshot().definitions.segments[0]?.approval).toEqual({ state: "missing", generation: 1 });
    expect(did()).toEqual(["withdrawApproval Segment/shop"]);
    expect([approved("Segment", "shop"), store.conditions("Segment", "shop").slice(0, 2)]).toEqual([
      undefined,
      ["Approved=False Withdrawn", "Ready=False NotInForce"],
    ]);
  });

  test("of a newer generation takes the approved one out of force too", () => {
    store.apply("alice", segment("shop", "namespaces: [web], mode: enforce"));
    store.withdraw("alice", "Segment", "shop");
    expect(did()).toEqual(["withdrawApproval Segment/shop"]);
    expect(store.snapshot().definitions.segments[0]?.approval.state).toBe("missing");
  });

  test("ends with the next approval", () => {
    store.withdraw("carol", "Segment", "shop");
    store.reconcile(NOON);
    store.approve("dave", "Segment", "shop");
    store.reconcile(NOON);
    expect(approved("Segment", "shop")).toEqual([1, ["dave"]]);
  });

  test("of the older generation leaves what was approved of the newer one", () => {
    store.apply("alice", trustDomain("required: 2"));
    store.approve("bob", "TrustDomain", "local");
    store.reconcile(NOON);
    store.apply("alice", segment("shop", "namespaces: [web], mode: enforce"));
    store.approve("carol", "Segment", "shop");
    store.withdraw("bob", "Segment", "shop", { generation: 1 });
    expect(did()).toEqual(["withdrawApproval Segment/shop"]);
    store.approve("dave", "Segment", "shop");
    store.reconcile(NOON);
    expect(approved("Segment", "shop")).toEqual([2, ["carol", "dave"]]);
  });

  test("and an old approval does not outlive it", () => {
    store.apply("alice", segment("shop", "namespaces: [web], mode: enforce"));
    store.approve("bob", "Segment", "shop");
    store.withdraw("carol", "Segment", "shop");
    store.reconcile(NOON);
    expect(approved("Segment", "shop")).toBeUndefined();
  });
});

describe("GitOps", () => {
  beforeEach(() => {
    store.apply("alice", trustDomain(`required: 1, gitOps: ["${ARGO}"]`));
    store.approve("bob", "TrustDomain", "local");
    store.reconcile(NOON);
  });

  test("what only a listed account edited is approved: Git was the review", () => {
    store.apply(ARGO, segment("pay", "namespaces: [pay]"));
    expect(did()).toContain("recordGitOpsApproval Segment/pay");
    expect([approved("Segment", "pay"), standing("Segment", "pay")]).toEqual([
      [1, [ARGO]],
      "Approved=True GitReviewed",
    ]);
  });

  test("a hand that edited after it needs another's eyes", () => {
    store.apply(ARGO, segment("pay", "namespaces: [pay]"));
    store.reconcile(NOON);
    store.apply("alice", segment("pay", "namespaces: [pay, web]"));
    store.apply(ARGO, segment("pay", "namespaces: [pay]"));
    store.reconcile(NOON);
    expect(approved("Segment", "pay")).toEqual([1, [ARGO]]);
  });

  test("an account that is not listed raises what is required by one", () => {
    store.apply(CI, segment("pay", "namespaces: [pay]"));
    store.approve("bob", "Segment", "pay");
    store.reconcile(NOON);
    expect([approved("Segment", "pay"), message("Segment", "pay")]).toEqual([
      undefined,
      `Generation 1 needs the approval of 2 people other than ${CI} (${CI} edited it and is not listed in approvals.gitOps), has that of bob.`,
    ]);
    store.approve("carol", "Segment", "pay");
    store.reconcile(NOON);
    expect(approved("Segment", "pay")).toEqual([1, ["bob", "carol"]]);
  });

  test("does not bring back what was withdrawn", () => {
    store.apply(ARGO, segment("pay", "namespaces: [pay]"));
    store.reconcile(NOON);
    store.withdraw("bob", "Segment", "pay");
    store.reconcile(NOON);
    expect(approved("Segment", "pay")).toBeUndefined();
    store.apply(ARGO, segment("pay", "namespaces: [pay], mode: enforce"));
    store.reconcile(NOON);
    expect(approved("Segment", "pay")).toEqual([2, [ARGO]]);
  });

  test("counts as one approval where two are required", () => {
    store.apply("alice", trustDomain(`required: 2, gitOps: ["${ARGO}"]`));
    store.approve("bob", "TrustDomain", "local");
    store.approve("carol", "TrustDomain", "local");
    store.reconcile(NOON);
    store.apply(ARGO, segment("pay", "namespaces: [pay]"));
    store.reconcile(NOON);
    expect(approved("Segment", "pay")).toBeUndefined();
    store.approve("bob", "Segment", "pay");
    store.reconcile(NOON);
    expect(approved("Segment", "pay")).toEqual([1, [ARGO, "bob"]]);
  });
});

describe("required: 0", () => {
  beforeEach(() => {
    store = new ApprovalStore();
    store.apply("installer", trustDomain("required: 0"));
    store.apply("alice", segment("shop", "namespaces: [web]"));
    store.reconcile(NOON);
  });

  test("whoever edits approves, and the TrustDomain says so aloud", () => {
    expect([
      approved("Segment", "shop"),
      standing("Segment", "shop"),
      store.conditions("TrustDomain", "local"),
    ]).toEqual([
      [1, ["alice"]],
      "Approved=True ApprovedByEditing",
      ["Approved=True ApprovedByEditing", "Ready=True InForce", "SelfApproval=True RequiredIsZero"],
    ]);
  });

  test("what was withdrawn stays out of force until somebody approves or edits it", () => {
    store.withdraw("bob", "Segment", "shop");
    store.reconcile(NOON);
    expect(approved("Segment", "shop")).toBeUndefined();
    store.apply("alice", segment("shop", "namespaces: [web], mode: enforce"));
    store.reconcile(NOON);
    expect(approved("Segment", "shop")).toEqual([2, ["alice"]]);
  });

  test("a service account that is not listed still needs somebody", () => {
    store.apply(CI, segment("pay", "namespaces: [pay]"));
    store.reconcile(NOON);
    expect(approved("Segment", "pay")).toBeUndefined();
  });

  test("an object whose editors nobody wrote down is not approved", () => {
    store.apply("alice", segment("pay", "namespaces: [pay]"));
    store.tamper("Segment", "pay", (one) => ({ ...one, metadata: { ...one.metadata, annotations: {} } }));
    store.reconcile(NOON);
    expect([approved("Segment", "pay"), standing("Segment", "pay")]).toEqual([
      undefined,
      "Approved=False EditorsUnknown",
    ]);
  });

  test("an edit made while people were required does not slip in when they no longer are", () => {
    store.apply("alice", trustDomain("required: 1"));
    store.reconcile(NOON);
    store.apply("mallory", segment("shop", "namespaces: [web, pay]"));
    store.reconcile(NOON);
    store.apply("alice", trustDomain("required: 0"));
    store.approve("bob", "TrustDomain", "local");
    store.reconcile(NOON);
    expect([approved("Segment", "shop"), message("Segment", "shop")]).toEqual([
      [1, ["alice"]],
      "Generation 2 needs the approval of somebody other than mallory (it was edited while approval was required).",
    ]);
  });
});

test("terms that are only written, not approved, loosen nothing", () => {
  store.apply("alice", trustDomain(`required: 0, gitOps: ["${ARGO}"]`));
  store.apply(ARGO, segment("pay", "namespaces: [pay]"));
  store.reconcile(NOON);
  expect([approved("Segment", "shop"), approved("Segment", "pay"), approved("TrustDomain", "local")]).toEqual([
    undefined,
    undefined,
    [1, ["installer"]],
  ]);
});

describe("without a TrustDomain in force", () => {
  beforeEach(() => {
    store = new ApprovalStore();
    store.apply("alice", segment("shop", "namespaces: [web]"));
  });

  test("nothing is written: the API server would take nothing", () => {
    store.tamper("Segment", "shop", (one) => ({
      ...one,
      status: { ...one.status, approvals: [{ generation: 1, by: "bob" }] },
    }));
    expect(did()).toEqual([]);
  });

  test("nothing is approved", () => {
    store.apply("carol", trustDomain());
    store.apply("carol", trustDomain("required: 2"));
    store.approve("bob", "Segment", "shop");
    store.reconcile(NOON);
    expect([approved("Segment", "shop"), standing("Segment", "shop"), standing("TrustDomain", "local")]).toEqual([
      undefined,
      "Approved=False TrustDomainMissing",
      "Approved=False WaitingForApproval",
    ]);
  });
});

describe("conflicts", () => {
  const bring = (kind: string, name: string, yaml: string) => {
    store.apply("alice", yaml);
    store.approve("bob", kind, name);
    store.reconcile(NOON);
    return [approved(kind, name)?.[0], standing(kind, name)];
  };

  beforeEach(() => {
    store.apply("alice", namespace("web"));
    bring("Segment", "shop", segment("shop", "namespaces: [web]"));
    bring("Segment", "pay", segment("pay", "namespaces: [pay, web]"));
    bring("WorkloadRole", "front", role("front", "shop", "serviceAccounts: [front]"));
  });

  test("the second role of an account in another segment is not approved, in words", () => {
    expect(bring("WorkloadRole", "till", role("till", "pay", "serviceAccounts: [front]"))).toEqual([
      undefined,
      "Approved=False IdentitySpansSegments",
    ]);
    expect(message("WorkloadRole", "till")).toBe(
      "Account web/front of namespace web would belong to two segments: role till of pay and role front of shop.",
    );
  });

  test("nor is one that takes every account", () => {
    expect(bring("WorkloadRole", "any", role("any", "pay", "kinds: [Pod]"))[1]).toBe(
      "Approved=False IdentitySpansSegments",
    );
  });

  test("another account of another segment may share the namespace", () => {
    expect(bring("WorkloadRole", "till", role("till", "pay", "serviceAccounts: [till]"))).toEqual([
      1,
      "Approved=True Approved",
    ]);
  });

  test("but not where a segment is strict, whichever comes second", () => {
    expect(bring("Segment", "shop", segment("shop", "namespaces: [web], isolation: strict"))[0]).toBe(3);
    expect(bring("WorkloadRole", "till", role("till", "pay", "serviceAccounts: [till]"))).toEqual([
      undefined,
      "Approved=False SegmentStrict",
    ]);
  });

  test("a segment does not become strict over the heads of those who live there", () => {
    bring("WorkloadRole", "till", role("till", "pay", "serviceAccounts: [till]"));
    expect(bring("Segment", "shop", segment("shop", "namespaces: [web], classification: pci"))).toEqual([
      2,
      "Approved=False SegmentStrict",
    ]);
  });

  test("a conflict that is there already keeps no other edit from being approved", () => {
    bring("WorkloadRole", "till", role("till", "pay", "serviceAccounts: [till]"));
    store.tamper("Segment", "shop", (one) => {
      const spec = { namespaces: ["web"], isolation: "strict" };
      return {
        ...one,
        spec,
        status: { ...one.status, approvals: [], approved: { generation: one.metadata.generation, spec, by: ["bob"] } },
      };
    });
    expect(bring("WorkloadRole", "till", role("till", "pay", "serviceAccounts: [till, till2]"))[0]).toBe(2);
  });

  test("of two that are approved in one moment the second is refused", () => {
    store.apply("alice", role("a", "shop", "serviceAccounts: [x]"));
    store.apply("alice", role("b", "pay", "serviceAccounts: [x]"));
    store.approve("bob", "WorkloadRole", "a");
    store.approve("bob", "WorkloadRole", "b");
    store.reconcile(NOON);
    expect([approved("WorkloadRole", "a")?.[0], standing("WorkloadRole", "b")]).toEqual([
      1,
      "Approved=False IdentitySpansSegments",
    ]);
  });
});

describe("namespaces named by a segment", () => {
  const uids = () => store.get("Segment", "shop").status.approved?.namespaceUIDs;
  const anew = (uid: string) =>
    store.tamper("Namespace", "web", (one) => ({ ...one, metadata: { ...one.metadata, uid } }));

  beforeEach(() => {
    store.apply("alice", namespace("web"));
    anew("first");
    store.approve("bob", "Segment", "shop");
    store.reconcile(NOON);
  });

  test("are recorded with their UIDs", () => expect(uids()).toEqual({ web: "first" }));

  test("made anew they wait, and are taken when somebody approves once more", () => {
    anew("second");
    store.reconcile(NOON);
    expect([uids(), store.conditions("Segment", "shop")[2]]).toEqual([
      { web: "first" },
      "NamespacesApproved=False NamespaceRecreated",
    ]);
    expect(store.snapshot().definitions.segments[0]?.namespaceUids).toEqual({ web: "first" });
    store.approve("carol", "Segment", "shop", { at: "2026-11-23T12:30:00Z" });
    store.reconcile(NOON + 3_600_000);
    expect(uids()).toEqual({ web: "second" });
  });

  test("one that comes into being later is recorded, so that its successor waits", () => {
    store.apply("alice", segment("shop", "namespaces: [web, later]"));
    store.approve("bob", "Segment", "shop");
    store.reconcile(NOON);
    store.apply("alice", namespace("later"));
    store.tamper("Namespace", "later", (one) => ({ ...one, metadata: { ...one.metadata, uid: "l1" } }));
    expect(did()).toEqual(["recordNamespaces Segment/shop"]);
    expect(uids()).toEqual({ web: "first", later: "l1" });
  });
});

describe("policies and exceptions", () => {
  const policy = (of: string) =>
    `{apiVersion: signet.dev/v1alpha1, kind: SegmentPolicy, metadata: {name: p, namespace: web}, spec: {segment: ${of}, allow: [{from: {role: a}, to: {role: b}, "on": [tcp/80], why: w}]}}`;
  const exception = (permit: string) =>
    `{apiVersion: signet.dev/v1alpha1, kind: SegmentException, metadata: {name: e, namespace: web}, spec: {permit: {${permit}}, workloads: {role: front}, reason: r, expires: "2026-12-01T00:00:00Z"}}`;

  beforeEach(() => {
    store.approve("bob", "Segment", "shop");
    store.apply("alice", segment("pay", "namespaces: [pay], classification: pci"));
    store.approve("bob", "Segment", "pay");
    store.apply(
      "alice",
      "{apiVersion: signet.dev/v1alpha1, kind: Guardrail, metadata: {name: base}, spec: {fences: [environment]}}",
    );
    store.approve("bob", "Guardrail", "base");
    for (const [name, environment] of [
      ["test", "test"],
      ["prod", "prod"],
      ["prod2", "prod"],
    ] as const) {
      store.apply("alice", segment(name, `environment: ${environment}`));
      store.approve("bob", "Segment", name);
    }
    store.reconcile(NOON);
  });

  test("a policy of a segment that asks for no approval is in force as it is written", () => {
    store.apply("alice", policy("shop"));
    store.reconcile(NOON);
    expect([approved("SegmentPolicy", "p"), standing("SegmentPolicy", "p")]).toEqual([
      [1, []],
      "Approved=True NotRequired",
    ]);
  });

  test("a policy of a segment that asks for approval waits for it", () => {
    store.apply("alice", policy("pay"));
    store.reconcile(NOON);
    expect(standing("SegmentPolicy", "p")).toBe("Approved=False WaitingForApproval");
  });

  test("a policy of a segment that nobody knows waits too", () => {
    store.apply("alice", policy("nowhere"));
    store.reconcile(NOON);
    expect(standing("SegmentPolicy", "p")).toBe("Approved=False WaitingForApproval");
  });

  const sentence = (from: string, to: string) =>
    `sentence: {from: {segment: ${from}}, to: {segment: ${to}}, "on": [tcp/80]}`;
  const PERMITS: readonly { name: string; permit: string; people: 1 | 2 }[] = [
    { name: "an escape to the host needs a second person", permit: "check: hostPath, path: /srv", people: 2 },
    { name: "a sentence within one environment does not", permit: sentence("prod", "prod2"), people: 1 },
    { name: "a peer without a value is outside the fence", permit: sentence("shop", "prod"), people: 1 },
    {
      name: "an address crosses nothing",
      permit: `sentence: {from: {cidr: 10.0.0.0/8}, to: {segment: prod}, "on": [tcp/80]}`,
      people: 1,
    },
  ];

  for (const row of PERMITS)
    test(row.name, () => {
      store.apply("alice", exception(row.permit));
      store.approve("bob", "SegmentException", "e");
      store.reconcile(NOON);
      const one = approved("SegmentException", "e");
      store.approve("carol", "SegmentException", "e");
      store.reconcile(NOON);
      expect([one === undefined ? 2 : 1, approved("SegmentException", "e")?.[0]]).toEqual([row.people, 1]);
    });

  describe("across a fence", () => {
    const EVERYBODY = `sentence: {from: {entity: any}, to: {segment: prod}, "on": [tcp/80]}`;
    const ENOUGH: readonly { name: string; permit?: string; entries: readonly [string, string?][]; holds: boolean }[] =
      [
        {
          name: "one person for each side is enough",
          entries: [
            ["bob", "test"],
            ["carol", "prod"],
          ],
          holds: true,
        },
        { name: "two people who speak for neither are not", entries: [["bob"], ["carol"]], holds: false },
        {
          name: "nor are two for one side",
          entries: [
            ["bob", "test"],
            ["carol", "test"],
          ],
          holds: false,
        },
        {
          name: "nor is one for both",
          entries: [
            ["bob", "test"],
            ["bob", "prod"],
          ],
          holds: false,
        },
        {
          name: "nor is one for both, with another for neither",
          entries: [["bob", "test"], ["bob", "prod"], ["carol"]],
          holds: false,
        },
        {
          name: "one for both and another for one are",
          entries: [
            ["bob", "test"],
            ["bob", "prod"],
            ["carol", "prod"],
          ],
          holds: true,
        },
        {
          name: "a segment at neither end counts for none",
          entries: [
            ["bob", "test"],
            ["carol", "prod2"],
          ],
          holds: false,
        },
        {
          name: "everybody crosses: any segment may speak",
          permit: EVERYBODY,
          entries: [
            ["bob", "shop"],
            ["carol", "prod"],
          ],
          holds: true,
        },
        {
          name: "where one side is not known the other has to speak",
          permit: sentence("nowhere", "prod"),
          entries: [["bob"], ["carol", "prod"]],
          holds: true,
        },
        {
          name: "which two people alone do not do",
          permit: sentence("nowhere", "prod"),
          entries: [["bob"], ["carol"]],
          holds: false,
        },
      ];

    for (const { name, permit = sentence("test", "prod"), entries, holds } of ENOUGH)
      test(name, () => {
        store.apply("alice", exception(permit));
        for (const [by, segment] of entries)
          store.approve(by, "SegmentException", "e", segment === undefined ? {} : { segment });
        store.reconcile(NOON);
        expect(approved("SegmentException", "e") !== undefined).toBe(holds);
      });

    test("who is asked for stands in the condition", () => {
      store.apply("alice", exception(sentence("test", "prod")));
      store.approve("bob", "SegmentException", "e");
      store.reconcile(NOON);
      expect(message("SegmentException", "e")).toBe(
        "Generation 1 needs the approval of 2 people other than alice (it crosses a fence, which somebody approves for segment test, and somebody else for segment prod), has that of bob.",
      );
    });

    test("where editing approves it still needs both sides", () => {
      store.apply("alice", trustDomain("required: 0"));
      store.approve("bob", "TrustDomain", "local");
      store.reconcile(NOON);
      store.apply("alice", exception(sentence("test", "prod")));
      store.approve("bob", "SegmentException", "e", { segment: "test" });
      store.reconcile(NOON);
      expect(approved("SegmentException", "e")).toBeUndefined();
      store.approve("carol", "SegmentException", "e", { segment: "prod" });
      store.reconcile(NOON);
      expect(approved("SegmentException", "e")).toEqual([1, ["bob", "carol"]]);
    });
  });

  test("an exception that has ended is no longer ready", () => {
    store.apply("alice", exception(sentence("prod", "prod2")));
    store.approve("bob", "SegmentException", "e");
    store.reconcile(NOON);
    store.reconcile(Date.parse("2026-12-01T00:00:00Z"));
    expect(store.conditions("SegmentException", "e")).toEqual([
      "Approved=True Approved",
      "Ready=False Ended",
      "Ending=True Ended",
    ]);
  });
});

test("conditions of others stay, and a condition keeps its time while its status stays", () => {
  store.reconcile(NOON);
  store.tamper("Segment", "shop", (one) => ({
    ...one,
    status: {
      ...one.status,
      conditions: [
        ...one.status.conditions,
        { type: "Fallback", status: "True", reason: "X", message: "m", lastTransitionTime: "t" },
      ],
    },
  }));
  store.apply("carol", segment("shop", "namespaces: [web], mode: canary"));
  store.reconcile(NOON + 60_000);
  const times = store.get("Segment", "shop").status.conditions.map((each) => [each.type, each.lastTransitionTime]);
  expect(times).toEqual([
    ["Approved", "2026-11-23T12:00:00Z"],
    ["Ready", "2026-11-23T12:00:00Z"],
    ["Fallback", "t"],
  ]);
});

test("the list of approvals does not grow without end", () => {
  for (let index = 0; index < 50; index++) {
    store.apply("alice", segment("shop", `namespaces: [web], owner: o${index}`));
    store.approve("bob", "Segment", "shop");
    store.reconcile(NOON);
  }
  expect(store.get("Segment", "shop").status.approvals.length).toBeLessThanOrEqual(32);
});

test("an object that is being deleted is left alone", () => {
  store.tamper("Segment", "shop", (one) => ({
    ...one,
    metadata: { ...one.metadata, deletionTimestamp: "2026-11-23T12:00:00Z" },
  }));
  expect(did()).toEqual([]);
});

test("a Restriction needs no approval to be in force, and none is recorded", () => {
  store.reconcile(NOON);
  store.apply(
    "alice",
    "{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: q}, spec: {target: {segment: shop}, effect: quarantine, reason: r}}",
  );
  expect(did()).toEqual([]);
});

test("the store bites: Signet itself cannot record what nobody approved", () => {
  const spec = store.get("Segment", "shop").spec;
  const value = { generation: 1, spec, by: ["bob"], at: "2026-11-23T12:00:00Z" };
  expect(() => store.patchStatus(SIGNET, "Segment", "shop", [{ op: "add", path: "/status/approved", value }])).toThrow(
    "recorded with too few approvals",
  );
});
