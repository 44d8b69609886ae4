import { beforeEach, describe, expect, test } from "vitest";
import { ApprovalStore } from "../fakes/approval-store.ts";
import { NOON } from "../fakes/judging.ts";
import { openAs } from "../fakes/kube-access.ts";
import { signet } from "./approving.ts";

const namespace = (enrolled: boolean) =>
  `{apiVersion: v1, kind: Namespace, metadata: {name: shop${enrolled ? ', labels: {signet.dev/enrol: "true"}' : ""}}, spec: {}}`;
const CATALOGUE = `
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [shop], mode: observe}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: web}, spec: {segment: shop, match: {serviceAccounts: [web]}}}
`;
const pod = (name: string, spec = "") =>
  `{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: ${name}}, spec: {serviceAccountName: web, ${spec}containers: [{name: main, image: x}]}}`;

let store: ApprovalStore;
const as = (user: string, ...words: readonly string[]) => signet(openAs(store, user), ["segment", ...words]);
const specOf = () => store.get("Segment", "shop").spec;

beforeEach(() => {
  store = new ApprovalStore();
  store.apply("installer", `${namespace(true)}\n---\n${CATALOGUE}`);
  store.reconcile(NOON);
  store.approve("bert", "Segment", "shop");
  store.approve("bert", "WorkloadRole", "web");
  store.reconcile(NOON);
  for (const each of [pod("good"), pod("bad", "hostPID: true, ")]) store.apply("kubelet", each);
});

test("what would be refused is shown first, and stops the way into force", async () => {
  expect(await as("ann", "promote", "shop", "--to", "enforce", "--reason", "r")).toEqual({
    code: 3,
    out: `Segment shop: observe → enforce
  2 workloads run in its namespaces, 1 would be refused at the next start.
    shop/bad  HOST_PID It sees the node's processes, which role web does not permit.
`,
    err: "",
  });
  expect(specOf()).toEqual({ namespaces: ["shop"], mode: "observe" });
});

test("a stage that only observes shows the same, and is written with who and why", async () => {
  const { code, out } = await as("ann", "promote", "shop", "--reason", "two quiet weeks");
  expect([code, out.split("\n").slice(0, 2), out.split("\n").at(-2)]).toEqual([
    0,
    ["Segment shop: observe → simulate", "  2 workloads run in its namespaces, 1 would be refused in mode enforce."],
    "Written. Somebody else approves it: signet segment approve shop; until then it stays observe.",
  ]);
  expect(specOf()).toEqual({ namespaces: ["shop"], mode: "simulate", modeWhy: "two quiet weeks" });
  expect(store.get("Segment", "shop").metadata.annotations?.["signet.dev/editors"]).toBe("ann");
});

test("--despite goes on, --dry-run never writes", async () => {
  expect((await as("ann", "promote", "shop", "--to", "enforce", "--reason", "r", "--despite", "--dry-run")).code).toBe(
    0,
  );
  expect(specOf()).toEqual({ namespaces: ["shop"], mode: "observe" });
  expect((await as("ann", "promote", "shop", "--to", "enforce", "--reason", "r", "--despite")).code).toBe(0);
  expect(specOf()).toMatchObject({ mode: "enforce" });
});

test("a canary is judged for those that it names alone", async () => {
  const words = ["promote", "shop", "--to", "canary", "--reason", "r"];
  const { code, out } = await as("ann", ...words, "--canary-workload", "good");
  expect([code, out.split("\n")[1]]).toEqual([
    0,
    "  2 workloads run in its namespaces, 0 would be refused at the next start.",
  ]);
  expect(specOf()).toMatchObject({ mode: "canary", canary: { namespaces: [], workloads: ["good"] } });
});

test("a namespace that is not enrolled is named, and enrolled when asked", async () => {
  store.apply("installer", namespace(false));
  expect((await as("ann", "promote", "shop", "--reason", "r")).out).toContain(
    "Namespace shop is not enrolled: nothing is refused there.",
  );
});

test("demoting is an edit like any other, and asks for no criteria", async () => {
  await as("ann", "promote", "shop", "--to", "enforce", "--reason", "r", "--despite");
  store.approve("bert", "Segment", "shop");
  store.reconcile(NOON);
  expect((await as("ann", "demote", "shop", "--to", "observe", "--reason", "the importer")).code).toBe(0);
  expect(specOf()).toMatchObject({ mode: "observe", modeWhy: "the importer" });
});

describe("nothing is written", () => {
  test.each([
    [["promote", "shop", "--to", "observe"], "--to: Segment shop is in mode observe. [USAGE]"],
    [["demote", "shop"], "--to: Segment shop is in mode observe. [USAGE]"],
    [["demote", "shop", "--to", "enforce"], "--to: Segment shop is in mode observe. [USAGE]"],
    [["promote", "shop", "--to", "canary"], "--canary-namespace: A canary is a named list. [USAGE]"],
    [["promote", "ghost"], "There is no Segment ghost. [NOT_FOUND]"],
  ])("%j", async (words, err) => {
    const ran = await as("ann", ...words, "--reason", "r");
    expect([ran.code, ran.err.split("\n")[0]]).toEqual([2, `signet: ${err}`]);
    expect(specOf()).toEqual({ namespaces: ["shop"], mode: "observe" });
  });
});
