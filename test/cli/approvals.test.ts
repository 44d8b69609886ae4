import { beforeEach, expect, test } from "vitest";
import { ApprovalStore } from "../fakes/approval-store.ts";
import { NOON } from "../fakes/judging.ts";
import { openAs } from "../fakes/kube-access.ts";
import { signet } from "./approving.ts";

let store: ApprovalStore;
const as = (user: string, line: string) => signet(openAs(store, user), line);
const apply = (user: string, kind: string, name: string, spec: string) =>
  store.apply(user, `{apiVersion: signet.dev/v1alpha1, kind: ${kind}, metadata: {name: ${name}}, spec: {${spec}}}`);

beforeEach(() => {
  store = new ApprovalStore();
  apply("installer", "TrustDomain", "local", "domain: example.org");
  store.reconcile(NOON);
});

test("where nothing waits, that is said", async () => {
  expect(await as("bob", "approvals")).toEqual({ code: 0, out: "Nothing waits.\n", err: "" });
});

test("what waits is listed with who edited it, what it needs, what it changes, and the command for it", async () => {
  apply("alice", "Segment", "shop", "namespaces: [web]");
  store.approve("bob", "Segment", "shop");
  store.reconcile(NOON);
  apply("alice", "Segment", "shop", "namespaces: [web, pay]");
  apply("bob", "WorkloadRole", "front", "segment: shop, match: {serviceAccounts: [front]}");
  expect(await as("bob", "approvals")).toEqual({
    code: 0,
    out: `Segment shop, generation 2; generation 1 is in force meanwhile
  Generation 2 needs the approval of somebody other than alice.
    namespaces: + pay
  You may: signet segment approve shop --generation 2

WorkloadRole front, generation 1; nothing of it is in force
  Generation 1 needs the approval of somebody other than bob.
    segment: + shop
    match.serviceAccounts: + [front]

2 waiting, 1 of them for you.
`,
    err: "",
  });
  expect((await as("bob", "approvals --mine")).out).toMatch(/^Segment shop[^]*1 waiting, 1 of them for you\.\n$/);
});

test("a program reads the same", async () => {
  apply("alice", "Segment", "shop", "namespaces: [web]");
  const { out } = await as("carol", "approvals -o json");
  expect(JSON.parse(out)).toEqual([
    {
      kind: "Segment",
      namespace: "",
      name: "shop",
      generation: 1,
      inForce: null,
      editors: ["alice"],
      needs: 1,
      approvedBy: [],
      yours: true,
      why: "Generation 1 needs the approval of somebody other than alice.",
      changes: ["namespaces: + [web]"],
    },
  ]);
});

test("what cannot be approved says why, and is nobody's", async () => {
  apply("alice", "Segment", "shop", "namespaces: [web]");
  store.tamper("Segment", "shop", (one) => ({ ...one, spec: { namespaces: 7 } }));
  const { out } = await as("bob", "approvals");
  expect(out).toContain("spec.namespaces: ");
  expect(out).toContain("1 waiting, 0 of them for you.");
});

test("what others wrote cannot make a terminal show something else", async () => {
  apply("alice", "Segment", "shop", 'owner: "x\\u001b[2K\\u202emode: observe"');
  const { out } = await as("bob", "approvals");
  expect(out).toContain("owner: + x\\u{1b}[2K\\u{202e}mode: observe");
});
