import { beforeEach, describe, expect, test } from "vitest";
import { refuse } from "../../src/domain/problem.ts";
import { ApprovalStore } from "../fakes/approval-store.ts";
import { NOON } from "../fakes/judging.ts";
import { openAs } from "../fakes/kube-access.ts";
import { signet } from "./approving.ts";

const segment = (spec: string) =>
  `{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {${spec}}}`;

let store: ApprovalStore;
const as = (user: string, line: string, before?: () => void) => signet(openAs(store, user, before), line);
const entries = () => store.get("Segment", "shop").status.approvals;
const approved = () => store.get("Segment", "shop").status.approved?.generation;

beforeEach(() => {
  store = new ApprovalStore();
  store.apply(
    "installer",
    "{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}",
  );
  store.reconcile(NOON);
  store.apply("alice", segment("namespaces: [web], mode: observe"));
  store.reconcile(NOON);
});

test("approving shows what is approved, and adds one entry in one's own name", async () => {
  expect(await as("bob", "segment approve shop --reason SHOP-412")).toEqual({
    code: 0,
    out: `Segment shop, generation 1, edited by alice
  changes (nothing of it was approved before):
    namespaces: + [web]
    mode: + observe
Approved by bob. Signet brings it into force when enough people have; \`signet approvals\` shows where it stands.
`,
    err: "",
  });
  expect(entries()).toEqual([{ generation: 1, by: "bob", at: "2026-11-23T12:00:00Z", reason: "SHOP-412" }]);
  store.reconcile(NOON);
  expect(approved()).toBe(1);
});

test("an exception may be approved for a segment, and again for another", async () => {
  store.apply(
    "alice",
    '{apiVersion: signet.dev/v1alpha1, kind: SegmentException, metadata: {name: e, namespace: web}, spec: {permit: {check: hostPID}, workloads: {role: a}, reason: r, expires: "2026-12-01T00:00:00Z"}}',
  );
  expect(await as("bob", "exception approve e -n web --segment shop")).toMatchObject({
    code: 0,
    out: /Approved by bob/,
  });
  expect((await as("bob", "exception approve e -n web --segment shop")).out).toContain("have approved it already");
  expect((await as("bob", "exception approve e -n web")).out).toContain("have approved it already");
  expect((await as("bob", "exception approve e -n web --segment pay")).code).toBe(0);
  const given = store.get("SegmentException", "e").status.approvals.map(({ by, segment }) => [by, segment]);
  expect(given).toEqual([
    ["bob", "shop"],
    ["bob", "pay"],
  ]);
  expect(await as("bob", "segment approve shop --segment shop")).toMatchObject({ code: 2, err: /unknown option/ });
});

describe("once a generation is in force", () => {
  beforeEach(async () => {
    await as("bob", "segment approve shop");
    store.reconcile(NOON);
  });

  test("the next is shown by what it changes", async () => {
    store.apply("alice", segment("namespaces: [web, pay], mode: enforce"));
    const { out } = await as("bob", "segment approve shop");
    expect(out.split("\n").slice(0, 4)).toEqual([
      "Segment shop, generation 2, edited by alice",
      "  changes (against generation 1, approved):",
      "    namespaces: + pay",
      "    mode: observe → enforce",
    ]);
  });

  test("approving again writes nothing", async () => {
    expect((await as("bob", "segment approve shop")).out).toContain("You, bob, have approved it already.");
    expect(entries()).toHaveLength(1);
  });

  test("withdrawing takes it out of force, an editor too, and once is enough", async () => {
    expect((await as("alice", "segment withdraw shop")).code).toBe(0);
    store.reconcile(NOON);
    expect(approved()).toBeUndefined();
    expect(await as("alice", "segment withdraw shop")).toMatchObject({ code: 0, out: /withdrawn already/ });
    expect(entries()).toHaveLength(2);
  });

  test("withdrawing means the generation in force, and leaves the one that waits", async () => {
    store.apply("alice", segment("namespaces: [web], mode: enforce"));
    await as("alice", "segment withdraw shop");
    expect(entries().at(-1)).toEqual({ generation: 1, by: "alice", at: "2026-11-23T12:00:00Z", withdraw: true });
    store.reconcile(NOON);
    await as("bob", "segment approve shop");
    store.reconcile(NOON);
    expect(approved()).toBe(2);
  });

  test("a namespace made anew may be approved by the same people once more", async () => {
    store.apply("alice", "{apiVersion: v1, kind: Namespace, metadata: {name: web}}");
    store.reconcile(NOON);
    store.tamper("Namespace", "web", (one) => ({ ...one, metadata: { ...one.metadata, uid: "anew" } }));
    store.reconcile(NOON);
    store.tamper("Segment", "shop", (one) => ({
      ...one,
      status: { ...one.status, approvals: [{ generation: 1, by: "bob", at: "2026-11-01T00:00:00Z" }] },
    }));
    expect((await as("bob", "segment approve shop")).out).toContain("Approved by bob.");
  });
});

const REFUSED: readonly {
  name: string;
  user: string;
  line: string;
  prepare?: () => void;
  code: number;
  err: string;
}[] = [
  {
    name: "one's own edit",
    user: "alice",
    line: "segment approve shop",
    code: 3,
    err: "status.approvals: You, alice, edited generation 1 yourself. [APPROVAL_NOT_YOURS]",
  },
  {
    name: "a service account's approval",
    user: "system:serviceaccount:ci:ci",
    line: "segment approve shop",
    code: 3,
    err: "status.approvals: system:serviceaccount:ci:ci is a service account; these do not approve. [APPROVAL_NOT_YOURS]",
  },
  {
    name: "an object whose editors nobody knows",
    user: "bob",
    line: "segment approve shop",
    prepare: () =>
      store.tamper("Segment", "shop", (one) => ({ ...one, metadata: { ...one.metadata, annotations: {} } })),
    code: 3,
    err: "status.approvals: Who edited generation 1 is not known; edit its spec once more. [APPROVAL_NOT_YOURS]",
  },
  {
    name: "a generation that is no longer the newest",
    user: "bob",
    line: "segment approve shop --generation 1",
    prepare: () => store.apply("alice", segment("namespaces: [web], mode: enforce")),
    code: 3,
    err: "metadata.generation: Its newest generation is 2, not 1. [APPROVAL_STALE]",
  },
  {
    name: "a generation that is no number",
    user: "bob",
    line: "segment approve shop --generation x",
    code: 2,
    err: '--generation: "x" is not a generation. [USAGE]',
  },
  {
    name: "an object that is not there",
    user: "bob",
    line: "role approve nobody",
    code: 2,
    err: "There is no WorkloadRole nobody. [NOT_FOUND]",
  },
];

describe("refused in words, and nothing is written", () => {
  test.each(REFUSED)("$name", async ({ user, line, prepare, code, err }) => {
    prepare?.();
    const ran = await as(user, line);
    expect([ran.code, ran.err.split("\n")[0], entries()]).toEqual([code, `signet: ${err}`, []]);
  });

  test("what the cluster refuses, in its own words", async () => {
    const open = async () => {
      const kube = await openAs(store, "bob")({});
      if (!kube.ok) throw new Error("the store is there");
      const patchStatus = () => Promise.resolve(refuse("NOT_READY", "", "bob may not approve"));
      return { ok: true as const, value: { ...kube.value, patchStatus } };
    };
    expect(await signet(open, "segment approve shop")).toMatchObject({
      code: 3,
      err: "signet: bob may not approve [NOT_READY]\n",
    });
  });

  test("a cluster that cannot be opened", async () => {
    const open = () => Promise.resolve(refuse("NOT_FOUND", "", "There is no kubeconfig."));
    expect(await signet(open, "segment approve shop")).toEqual({
      code: 2,
      out: "",
      err: "signet: There is no kubeconfig. [NOT_FOUND]\n",
    });
  });
});

describe("what changes between looking and writing", () => {
  /** Does something once, at the first write. */
  const once = (act: () => void) => {
    let done = false;
    return () => {
      if (!done) act();
      done = true;
    };
  };

  test("is no matter where it is only the status", async () => {
    const ran = await as(
      "bob",
      "segment approve shop",
      once(() => store.approve("carol", "Segment", "shop")),
    );
    expect([ran.code, entries().map(({ by }) => by)]).toEqual([0, ["carol", "bob"]]);
  });

  test("is refused where it is the spec: nobody approves what he has not seen", async () => {
    const edit = once(() => store.apply("carol", segment("namespaces: [web], mode: enforce")));
    const ran = await as("bob", "segment approve shop", edit);
    expect([ran.code, ran.err.split("\n")[0], entries()]).toEqual([
      3,
      "signet: metadata.generation: Its newest generation is 2, not 1. [APPROVAL_STALE]",
      [],
    ]);
  });

  test("is refused where it is another object under the name", async () => {
    const replace = once(() => {
      store.tamper("Segment", "shop", (one) => ({ ...one, metadata: { ...one.metadata, uid: "other" } }));
    });
    const ran = await as("bob", "segment approve shop", replace);
    expect([ran.code, entries()]).toEqual([3, []]);
  });

  test("is given up where it never ends", async () => {
    let count = 0;
    const churn = () => store.approve(`user${count++}`, "Segment", "shop");
    const ran = await as("bob", "segment approve shop", churn);
    expect([ran.code, entries().some(({ by }) => by === "bob")]).toEqual([3, false]);
  });
});

test("objects of a namespace are looked for there", async () => {
  const policy = `{apiVersion: signet.dev/v1alpha1, kind: SegmentPolicy, metadata: {name: p, namespace: web}, spec: {segment: shop, allow: []}}`;
  store.apply("alice", policy);
  const seen: unknown[] = [];
  const open = async () => {
    const kube = await openAs(store, "bob")({});
    if (!kube.ok) throw new Error("the store is there");
    const { get } = kube.value;
    const remembering: typeof get = (resource, name) => {
      seen.push(resource, name);
      return get(resource, name);
    };
    return { ok: true as const, value: { ...kube.value, get: remembering } };
  };
  expect((await signet(open, "policy approve p -n web")).code).toBe(0);
  expect(seen).toEqual([
    { group: "signet.dev", version: "v1alpha1", plural: "segmentpolicies", kind: "SegmentPolicy", namespaced: true },
    { namespace: "web", name: "p" },
  ]);
});
