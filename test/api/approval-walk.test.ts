import { afterAll, beforeAll, expect, test } from "vitest";
import { addApprovalsCommand } from "../../src/cli/approvals.ts";
import { addApproveCommands } from "../../src/cli/approve.ts";
import { APPROVABLE_KINDS, NAMESPACES } from "../../src/cli/approvable-kinds.ts";
import type { Io } from "../../src/cli/io.ts";
import type { KubeAccess, KubeName, KubeResource } from "../../src/cli/kube-access.ts";
import { runCli } from "../../src/cli/program.ts";
import { ok, refuse, type Result } from "../../src/domain/problem.ts";
import { decideApprovals } from "../../src/reconcile/approvals/decide.ts";
import { readDefinitions } from "../../src/wire/definitions.ts";
import { readApiObject } from "../../src/wire/objects.ts";
import type { Raw } from "../../src/wire/read-object.ts";
import { accepted } from "../cluster/accepted.ts";
import type { ApiAnswer } from "../cluster/api.ts";
import type { Cluster } from "../cluster/boot.ts";
import type { Actor } from "../cluster/users.ts";
import { must } from "../fakes/judging.ts";
import { bootEnforcing, FIRST_BOOT_MS, type Json, jsonPatch, merge, permit, post, SIGNET } from "./enforcing.ts";

const TEST_MS = 60_000;
const ANNA: Actor = { user: "anna" };
const BERT: Actor = { user: "bert" };
const CARLA: Actor = { user: "carla" };
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
  await permit(cluster, "people", [ANNA, BERT, CARLA, ARGO, SIGNET], [...everything, ...look]);
}, FIRST_BOOT_MS);

afterAll(() => cluster.stop(), TEST_MS);

const pathOf = ({ group, version, plural, namespaced }: KubeResource, { namespace, name }: KubeName): string =>
  `${group === "" ? "/api" : `/apis/${group}`}/${version}/${namespaced ? `namespaces/${namespace ?? ""}/` : ""}${plural}${name === "" ? "" : `/${name}`}`;

const read = ({ status, body }: ApiAnswer): Result<Raw> =>
  status < 300 ? ok(body as Raw) : refuse("NOT_FOUND", "", (body as { message: string }).message);

/** What bin/ provides over the client, here over the test's own requests. */
const accessOf = (who: Actor): KubeAccess => ({
  get: async (resource, name) => read(await cluster.request("GET", pathOf(resource, name), who)),
  list: async (resource) => {
    const { group, version, kind, plural } = resource;
    const path = `${group === "" ? "/api" : `/apis/${group}`}/${version}/${plural}`;
    const listed = read(await cluster.request("GET", path, who));
    if (!listed.ok) return listed;
    const apiVersion = group === "" ? version : `${group}/${version}`;
    return ok({ items: (listed.value["items"] as Raw[]).map((item) => ({ apiVersion, kind, ...item })) });
  },
  patchStatus: async (resource, name, patch) =>
    read(await jsonPatch(`${pathOf(resource, name)}/status`, patch)(cluster, who)),
  whoAmI: async () => {
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const asked = read(
      await cluster.request("POST", path, {
        ...who,
        body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
      }),
    );
    if (!asked.ok) return asked;
    return ok((asked.value as { status: { userInfo: { username: string } } }).status.userInfo.username);
  },
});

async function signet(who: Actor, line: string) {
  const printed = { out: "", err: "" };
  const io: Io = {
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    color: false,
    now: () => Date.now(),
    env: {},
    readInputs: () => ok([]),
    writeFile: () => ok(undefined),
  };
  const open = () => Promise.resolve(ok(accessOf(who)));
  const code = await runCli(io, line.split(" "), [addApproveCommands(open), addApprovalsCommand(open)]);
  return { code, ...printed };
}

/** Lets the decider work as Signet's own account until nothing is left to do; the API server refuses nothing of it. */
async function reconcile(): Promise<readonly string[]> {
  const done: string[] = [];
  for (let round = 0; round < 6; round++) {
    const kube = accessOf(SIGNET);
    const lists = await Promise.all(
      [NAMESPACES, ...APPROVABLE_KINDS.map(({ resource }) => resource)].map((resource) => kube.list(resource)),
    );
    const objects = lists.flatMap((list) => must(list).items).map((raw) => must(readApiObject(raw, "server")));
    const definitions = must(readDefinitions(objects));
    const actions = decideApprovals({ objects, definitions }, Date.now());
    if (actions.length === 0) return done;
    for (const { object, patch, do: what } of actions) {
      const resource = APPROVABLE_KINDS.find(({ kind }) => kind.kind === object.kind)?.resource;
      if (!resource) throw new Error(`${object.kind} is not approved`);
      const written = await kube.patchStatus(resource, object, patch);
      expect(written.ok ? "" : `${what} ${object.kind}/${object.name}: ${written.problems[0]?.message}`).toBe("");
      done.push(`${what} ${object.kind}/${object.name}`);
    }
  }
  throw new Error("the decider does not come to rest");
}

const create = async (who: Actor, plural: string, kind: string, name: string, spec: Json, namespace = "") => {
  const path = `${GROUP}/${namespace === "" ? "" : `namespaces/${namespace}/`}${plural}`;
  const body = { apiVersion: "signet.dev/v1alpha1", kind, metadata: { name }, spec };
  expect(await post(path, body)(cluster, who)).toMatchObject({ status: 201 });
};
const approved = async (path: string) => {
  const { body } = await cluster.request("GET", `${GROUP}/${path}`);
  const { status } = body as { status?: { approved?: { generation: number; by: string[]; namespaceUIDs?: object } } };
  return status?.approved && [status.approved.generation, status.approved.by];
};

test("every kind is served", { timeout: TEST_MS }, async () => {
  // One that was made a moment ago is not served at once.
  for (const { resource } of APPROVABLE_KINDS)
    await expect.poll(async () => (await accessOf({}).list(resource)).ok, { timeout: 20_000 }).toBe(true);
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
  const spec = { permit, workloads: { role: "front" }, reason: "r", expires: "2030-01-01T00:00:00Z" };
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
  expect(await approved("segments/shop")).toEqual([4, ["anna"]]);
});
