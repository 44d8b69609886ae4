import { afterAll, beforeAll, expect, test } from "vitest";
import { APPROVABLE_KINDS } from "../../src/cli/approvable-kinds.ts";
import { accepted } from "../cluster/accepted.ts";
import type { Cluster } from "../cluster/boot.ts";
import type { Actor } from "../cluster/users.ts";
import { bootEnforcing, FIRST_BOOT_MS, type Json, merge, permit, post, SIGNET } from "./enforcing.ts";
import { accessOf, reconcile as reconcileAll, signetAs } from "./people.ts";

const TEST_MS = 60_000;
const ANNA: Actor = { user: "anna" };
const BERT: Actor = { user: "bert" };
const CARLA: Actor = { user: "carla" };
/** Approves for the segment `lab` alone. */
const DORA: Actor = { user: "dora" };
const ARGO: Actor = { serviceAccount: "shop/argo" };
const GROUP = "/apis/signet.dev/v1alpha1";

let cluster: Cluster;

beforeAll(async () => {
  cluster = await bootEnforcing();
  const made = (path: string, name: string) => accepted(cluster, "POST", path, { body: { metadata: { name } } });
  await made("/api/v1/namespaces", "shop");
  await made("/api/v1/namespaces/shop/serviceaccounts", "argo");
  const everything = [{ apiGroups: ["signet.dev"], resources: ["*"], verbs: ["*"] }];
  const look = [{ apiGroups: [""], resources: ["namespaces"], verbs: ["list"] }];
  await permit(
    cluster,
    "lab",
    [DORA],
    [
      { apiGroups: ["signet.dev"], resources: ["segmentexceptions", "segmentexceptions/status"], verbs: ["*"] },
      { apiGroups: ["signet.dev"], resources: ["segments"], resourceNames: ["lab"], verbs: ["approve"] },
    ],
  );
  await permit(cluster, "people", [ANNA, BERT, CARLA, ARGO, SIGNET], [...everything, ...look]);
}, FIRST_BOOT_MS);

afterAll(() => cluster.stop(), TEST_MS);

const signet = (who: Actor, line: string) => signetAs(cluster, who, line);
const reconcile = () => reconcileAll(cluster);

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

const create = async (who: Actor, plural: string, kind: string, name: string, spec: Json, namespace = "") => {
  const path = `${GROUP}/${namespace === "" ? "" : `namespaces/${namespace}/`}${plural}`;
  const body = { apiVersion: "signet.dev/v1alpha1", kind, metadata: { name }, spec };
  await accepted(cluster, "POST", path, { body, ...who });
};
const approved = async (path: string) => {
  const { body } = await cluster.request("GET", `${GROUP}/${path}`);
  const { status } = body as { status?: { approved?: { generation: number; by: string[]; namespaceUIDs?: object } } };
  return status?.approved && [status.approved.generation, status.approved.by];
};

test("every kind is served", { timeout: TEST_MS }, async () => {
  // One that was made a moment ago is not served at once.
  for (const { resource } of APPROVABLE_KINDS)
    await expect.poll(async () => (await accessOf(cluster, {}).list(resource)).ok, { timeout: 20_000 }).toBe(true);
});

test("the installer's TrustDomain comes into force, and nothing before it", { timeout: TEST_MS }, async () => {
  await create(ANNA, "segments", "Segment", "shop", { namespaces: ["shop"], mode: "observe" });
  expect(await reconcile()).toEqual([]);
  await create({}, "trustdomains", "TrustDomain", "local", {
    domain: "example.org",
    approvals: { required: 1, gitOps: ["system:serviceaccount:shop:argo"] },
  });
  expect(await reconcile()).toEqual(["recordApproval TrustDomain/local", "setConditions Segment/shop"]);
  expect(await approved("trustdomains/local")).toEqual([1, ["kubernetes-admin"]]);
});

test("a segment is approved from the command line by somebody else", { timeout: TEST_MS }, async () => {
  expect(await signet(ANNA, "segment approve shop")).toMatchObject({ code: 3, err: /edited generation 1 yourself/ });
  expect((await signet(BERT, "approvals")).out).toContain("You may: signet segment approve shop --generation 1");
  expect(await signet(BERT, "segment approve shop --generation 1")).toMatchObject({ code: 0, err: "" });
  expect(await reconcile()).toEqual(["recordApproval Segment/shop"]);
  expect(await approved("segments/shop")).toEqual([1, ["bert"]]);
});

test("an edit waits, a withdrawal takes it out, and it comes back", { timeout: TEST_MS }, async () => {
  await merge(`${GROUP}/segments/shop`, { spec: { mode: "enforce" } })(cluster, ANNA);
  expect(await reconcile()).toEqual(["setConditions Segment/shop"]);
  expect(await approved("segments/shop")).toEqual([1, ["bert"]]);
  expect((await signet(ANNA, "segment withdraw shop")).code).toBe(0);
  expect(await reconcile()).toEqual(["withdrawApproval Segment/shop"]);
  expect(await approved("segments/shop")).toBeUndefined();
  expect((await signet(CARLA, "segment approve shop --generation 2")).code).toBe(0);
  expect(await reconcile()).toEqual(["recordApproval Segment/shop"]);
  expect(await approved("segments/shop")).toEqual([2, ["carla"]]);
});

test("Git's edits are approved by Git's review", { timeout: TEST_MS }, async () => {
  await create(ARGO, "workloadroles", "WorkloadRole", "front", {
    segment: "shop",
    match: { serviceAccounts: ["front"] },
  });
  expect(await reconcile()).toEqual(["recordGitOpsApproval WorkloadRole/front"]);
  expect(await approved("workloadroles/front")).toEqual([1, ["system:serviceaccount:shop:argo"]]);
});

test("an escape needs a second person, a policy nobody", { timeout: TEST_MS }, async () => {
  const permit = { check: "hostNetwork" };
  const spec = { permit, workloads: { role: "front" }, reason: "r", expires: inDays(30) };
  await create(ANNA, "segmentexceptions", "SegmentException", "e", spec, "shop");
  const allow = [{ from: { role: "front" }, to: { role: "front" }, on: ["tcp/80"], why: "w" }];
  await create(ANNA, "segmentpolicies", "SegmentPolicy", "p", { segment: "shop", allow }, "shop");
  await signet(BERT, "exception approve e -n shop");
  await reconcile();
  expect(await approved("namespaces/shop/segmentexceptions/e")).toBeUndefined();
  expect(await approved("namespaces/shop/segmentpolicies/p")).toEqual([1, []]);
  await signet(CARLA, "exception approve e -n shop");
  await reconcile();
  expect(await approved("namespaces/shop/segmentexceptions/e")).toEqual([1, ["bert", "carla"]]);
});

test("what crosses a fence needs somebody for each side, who may speak for it", { timeout: TEST_MS }, async () => {
  await create(ANNA, "segments", "Segment", "lab", { namespaces: ["lab"], environment: "test" });
  await merge(`${GROUP}/segments/shop`, { spec: { environment: "prod" } })(cluster, ANNA);
  await create(ANNA, "guardrails", "Guardrail", "base", { fences: ["environment"] });
  for (const line of ["segment approve lab", "segment approve shop", "guardrail approve base"])
    expect(await signet(BERT, line)).toMatchObject({ code: 0 });
  await reconcile();
  const permit = { sentence: { from: { segment: "lab" }, to: { role: "front" }, on: ["tcp/80"] } };
  const spec = { permit, workloads: { role: "front" }, reason: "r", expires: inDays(30) };
  await create(ANNA, "segmentexceptions", "SegmentException", "across", spec, "shop");
  expect(await signet(DORA, "exception approve across -n shop --segment shop")).toMatchObject({
    code: 3,
    err: /Speaking for a segment needs the verb approve on that segment\./,
  });
  expect(await signet(DORA, "exception approve across -n shop --segment lab")).toMatchObject({ code: 0 });
  await signet(BERT, "exception approve across -n shop");
  await reconcile();
  expect(await approved("namespaces/shop/segmentexceptions/across")).toBeUndefined();
  expect(await signet(BERT, "exception approve across -n shop --segment shop")).toMatchObject({ code: 0 });
  await reconcile();
  expect(await approved("namespaces/shop/segmentexceptions/across")).toEqual([1, ["dora", "bert"]]);
});

test("a namespace that comes into being later is recorded", { timeout: TEST_MS }, async () => {
  await merge(`${GROUP}/segments/shop`, { spec: { namespaces: ["shop", "later"] } })(cluster, ANNA);
  await signet(BERT, "segment approve shop");
  await reconcile();
  await post("/api/v1/namespaces", { metadata: { name: "later" } })(cluster, {});
  expect(await reconcile()).toEqual(["recordNamespaces Segment/shop"]);
});

test("where no approval is required an edit approves itself", { timeout: TEST_MS }, async () => {
  await merge(`${GROUP}/trustdomains/local`, { spec: { approvals: { required: 0 } } })(cluster, ANNA);
  await signet(BERT, "trustdomain approve local");
  await reconcile();
  await merge(`${GROUP}/segments/shop`, { spec: { mode: "canary" } })(cluster, ANNA);
  await reconcile();
  expect(await approved("segments/shop")).toEqual([5, ["anna"]]);
});
