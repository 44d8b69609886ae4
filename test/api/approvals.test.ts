import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KINDS } from "../../src/wire/kinds.ts";
import { accepted } from "../cluster/accepted.ts";
import type { Cluster } from "../cluster/boot.ts";
import type { Actor } from "../cluster/users.ts";
import {
  apply,
  type Ask,
  bootEnforcing,
  FIRST_BOOT_MS,
  type Json,
  jsonPatch,
  merge,
  permit,
  post,
  remove,
  replace,
  SIGNET,
} from "./enforcing.ts";

let cluster: Cluster;

const ADMIN: Actor = {};
/** Anna, Bert and Carla edit and hold the verb `approve`; Dora edits and may write statuses, but does not hold it. */
const ANNA: Actor = { user: "anna" };
const BERT: Actor = { user: "bert" };
const CARLA: Actor = { user: "carla" };
const DORA: Actor = { user: "dora" };
/** Fred holds `approve` in the namespace shop alone. */
const FRED: Actor = { user: "fred" };
/** Names that a careless list would confuse. */
const COMMA: Actor = { user: "anna,bert" };
const PERCENT: Actor = { user: "anna%2Cbert" };
/** Service accounts: the first is listed in `approvals.gitOps`; both hold `approve`. */
const ARGO: Actor = { serviceAccount: "shop/argo" };
const BOT: Actor = { serviceAccount: "shop/bot" };
const ARGO_NAME = "system:serviceaccount:shop:argo";
const BOT_NAME = "system:serviceaccount:shop:bot";

const GROUP = "/apis/signet.dev/v1alpha1";
const SENTENCE = { from: { role: "cart" }, to: { role: "orders-db" }, on: ["tcp/5432"], why: "a test" };

/** The least that each kind says, and a change of it. */
const SPECS: Readonly<Record<string, { readonly spec: Json; readonly other: Json }>> = {
  TrustDomain: {
    spec: { domain: "b.example.org", leaf: { maxTTL: "1h" } },
    other: { domain: "b.example.org", leaf: { maxTTL: "2h" } },
  },
  Segment: { spec: { owner: "a" }, other: { owner: "b" } },
  WorkloadRole: {
    spec: { segment: "s", match: { serviceAccounts: ["a"] } },
    other: { segment: "s", match: { serviceAccounts: ["b"] } },
  },
  SegmentPolicy: { spec: { segment: "s", allow: [SENTENCE] }, other: { segment: "s", allow: [] } },
  Guardrail: { spec: { fences: ["environment"] }, other: { fences: [] } },
  SegmentException: {
    spec: { permit: { check: "hostNetwork" }, workloads: { role: "r" }, reason: "a", expires: "2030-01-01T00:00:00Z" },
    other: { permit: { check: "hostNetwork" }, workloads: { role: "r" }, reason: "b", expires: "2030-01-01T00:00:00Z" },
  },
  ExternalWorkload: {
    spec: { kind: "Machine", serviceAccount: "a", join: { method: "boundKeypair" } },
    other: { kind: "Machine", serviceAccount: "b", join: { method: "boundKeypair" } },
  },
  Restriction: {
    spec: { target: { segment: "s" }, effect: "quarantine", reason: "a" },
    other: { target: { segment: "s" }, effect: "quarantine", reason: "a" },
  },
};

const kindOf = (kind: string) => {
  const found = KINDS.find((each) => each.kind === kind);
  if (!found) throw new Error(`no kind ${kind}`);
  return found;
};

const collection = (kind: string, namespace = "shop"): string => {
  const { plural, scope } = kindOf(kind);
  return scope === "Cluster" ? `${GROUP}/${plural}` : `${GROUP}/namespaces/${namespace}/${plural}`;
};
const pathOf = (kind: string, name: string, namespace?: string): string => `${collection(kind, namespace)}/${name}`;

const bodyOf = (kind: string, name: string, spec: Json, annotations: Json = {}): Json => ({
  apiVersion: "signet.dev/v1alpha1",
  kind,
  metadata: { name, annotations },
  spec,
});

type Stored = {
  readonly metadata: { readonly generation: number; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: Json;
  readonly status?: { readonly approvals?: readonly Json[]; readonly approved?: Json };
};

const stored = async (path: string): Promise<Stored> => (await cluster.request("GET", path)).body as Stored;
const editorsOf = async (path: string) => (await stored(path)).metadata.annotations?.["signet.dev/editors"];

/** Makes a request and compares its status; a refusal must say what the row says. */
async function expectStatus(who: Actor, ask: Ask, status: number, says = ""): Promise<void> {
  const answer = await ask(cluster, who);
  const { message = "" } = answer.body as { readonly message?: string };
  expect({ status: answer.status, message }).toMatchObject({ status });
  expect(message).toContain(says);
}

const create = (kind: string, name: string, who: Actor, spec?: Json, namespace?: string): Promise<void> =>
  expectStatus(who, post(collection(kind, namespace), bodyOf(kind, name, spec ?? SPECS[kind]?.spec ?? {})), 201);

const entry = (path: string, value: Json): Ask =>
  jsonPatch(`${path}/status`, [{ op: "add", path: "/status/approvals/-", value }]);

/** What kubectl would send: one more entry, in one's own name, for the generation that is there. */
const approve =
  (path: string, by: string, more: Json = {}): Ask =>
  async (cluster, who) =>
    entry(path, { generation: (await stored(path)).metadata.generation, by, ...more })(cluster, who);

const setStatus = (path: string, fields: Json): Ask => merge(`${path}/status`, { status: fields });

/** What Signet writes when a generation comes into force. */
const record =
  (path: string, by: readonly string[], more: Json = {}): Ask =>
  async (cluster, who) => {
    const { metadata, spec } = await stored(path);
    const approved = { generation: metadata.generation, spec, by, at: "2026-12-01T00:00:00Z", ...more };
    return jsonPatch(`${path}/status`, [{ op: "add", path: "/status/approved", value: approved }])(cluster, who);
  };

const TRUST_DOMAIN = pathOf("TrustDomain", "local");
const terms = (approvals: Json): Json => ({ domain: "a.example.org", approvals });

beforeAll(async () => {
  cluster = await bootEnforcing();
  const made = (path: string, body: unknown) => accepted(cluster, "POST", path, { body });
  for (const name of ["shop", "elsewhere"]) await made("/api/v1/namespaces", { metadata: { name } });
  for (const name of ["argo", "bot"]) await made("/api/v1/namespaces/shop/serviceaccounts", { metadata: { name } });
  const resources = KINDS.map(({ plural }) => plural);
  const edit = [
    { apiGroups: ["signet.dev"], resources, verbs: ["get", "create", "update", "patch", "delete"] },
    { apiGroups: ["signet.dev"], resources: resources.map((each) => `${each}/status`), verbs: ["update", "patch"] },
  ];
  const approving = { apiGroups: ["signet.dev"], resources, verbs: ["approve"] };
  await permit(cluster, "editing", [ANNA, BERT, CARLA, DORA, FRED, COMMA, PERCENT, ARGO, BOT, SIGNET], edit);
  await permit(cluster, "approving", [ANNA, BERT, CARLA, COMMA, PERCENT, ARGO, BOT], [approving]);
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  await made(`${rbac}/namespaces/shop/rolebindings`, {
    metadata: { name: "approving" },
    subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "fred" }],
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "approving" },
  });
}, FIRST_BOOT_MS);

afterAll(() => cluster?.stop(), 60_000);

/** The server follows a changed TrustDomain a moment later. */
async function termsInForce(approvals: Json, by: readonly string[]): Promise<void> {
  await expectStatus(SIGNET, record(TRUST_DOMAIN, by), 200);
  const probe = async () =>
    (await post(`${collection("Segment")}?dryRun=All`, bodyOf("Segment", "probe", {}))(cluster, DORA)).status;
  await expect.poll(probe, { timeout: 10_000 }).toBe(approvals["required"] === 0 ? 403 : 201);
}

test("nothing is approved before there is a trust domain", async () => {
  await create("Segment", "early", ANNA);
  await expectStatus(BERT, approve(pathOf("Segment", "early"), "bert"), 422, "no params found");
});

test("the first generation of our trust domain is the installer's", async () => {
  const approvals = { required: 1, gitOps: [ARGO_NAME] };
  await create("TrustDomain", "local", ADMIN, terms(approvals));
  await expectStatus(DORA, record(TRUST_DOMAIN, ["kubernetes-admin"]), 403);
  await expect
    .poll(async () => (await record(TRUST_DOMAIN, ["kubernetes-admin"])(cluster, SIGNET)).status, { timeout: 10_000 })
    .toBe(200);
  await expectStatus(BERT, approve(pathOf("Segment", "early"), "bert"), 200);
});

describe.each(KINDS.map(({ kind }) => ({ kind })))("a $kind", ({ kind }) => {
  const name = `of-${kind.toLowerCase()}`;
  const path = pathOf(kind, name);

  test("is approved by somebody who did not edit it, and by nobody else", async () => {
    await create(kind, name, ANNA);
    expect(await editorsOf(path)).toBe("anna");
    await expectStatus(ANNA, approve(path, "anna"), 403, "edited");
    await expectStatus(ANNA, approve(path, "bert"), 403, "your own user name");
    await expectStatus(BERT, approve(path, "carla"), 403, "your own user name");
    await expectStatus(DORA, approve(path, "dora"), 403, "verb approve");
    await expectStatus(BOT, approve(path, BOT_NAME), 403, "Service accounts do not approve");
    for (const generation of [0, 2])
      await expectStatus(BERT, entry(path, { generation, by: "bert" }), 403, "generation");
    await expectStatus(SIGNET, approve(path, "bert"), 403, "your own user name");
    await expectStatus(SIGNET, record(path, ["bert"]), kind === "SegmentPolicy" ? 200 : 403);
    await expectStatus(BERT, approve(path, "bert"), 200);
  });

  test("keeps its approvals as they were written", async () => {
    const list = (await stored(path)).status?.approvals ?? [];
    expect(list).toMatchObject([{ by: "bert", generation: 1 }]);
    const [first] = list;
    for (const approvals of [[], [{ ...first, reason: "altered" }], [{ ...first, by: "carla" }]])
      for (const who of [DORA, CARLA, SIGNET]) await expectStatus(who, setStatus(path, { approvals }), 403);
    const before = jsonPatch(`${path}/status`, [
      { op: "add", path: "/status/approvals/0", value: { generation: 1, by: "carla" } },
    ]);
    await expectStatus(CARLA, before, 403, "at the end of the list");
    const twice = jsonPatch(`${path}/status`, [{ op: "add", path: "/status/approvals/-", value: first }]);
    await expectStatus(BERT, twice, 403);
  });

  test("has a status that only Signet writes", async () => {
    const condition = {
      type: "Ready",
      status: "True",
      reason: "Forged",
      message: "",
      lastTransitionTime: "2026-12-01T00:00:00Z",
    };
    for (const who of [DORA, BERT, ADMIN]) {
      await expectStatus(who, record(path, ["bert"], { at: "2026-12-02T00:00:00Z" }), 403, "yours to write");
      await expectStatus(who, setStatus(path, { conditions: [condition] }), 403, "yours to write");
      await expectStatus(who, setStatus(path, { observedGeneration: 7 }), 403, "yours to write");
    }
    await expectStatus(SIGNET, setStatus(path, { observedGeneration: 1, conditions: [condition] }), 200);
  });

  test("names its editors, whatever they write themselves", async () => {
    const forged = { "signet.dev/editors": "nobody" };
    const twin = pathOf(kind, `${name}-2`);
    await expectStatus(DORA, post(collection(kind), bodyOf(kind, `${name}-2`, SPECS[kind]?.spec ?? {}, forged)), 201);
    expect(await editorsOf(twin)).toBe("dora");
    await merge(twin, { metadata: { annotations: forged } })(cluster, BERT);
    expect(await editorsOf(twin)).toBe("dora");
    await merge(twin, { metadata: { annotations: null } })(cluster, BERT);
    expect(await editorsOf(twin)).toBe("dora");
    await jsonPatch(twin, [{ op: "remove", path: "/metadata/annotations/signet.dev~1editors" }])(cluster, BERT);
    expect(await editorsOf(twin)).toBe("dora");
    await expectStatus(BERT, merge(twin, { metadata: { labels: { team: "a" } } }), 200);
    expect(await editorsOf(twin)).toBe("dora");
  });
});

describe.each(KINDS.filter(({ kind }) => kind !== "Restriction").map(({ kind }) => ({ kind })))(
  "edits of a $kind",
  ({ kind }) => {
    const name = `edited-${kind.toLowerCase()}`;
    const path = pathOf(kind, name);
    const { spec = {}, other = {} } = SPECS[kind] ?? {};
    const people = kind === "SegmentException" ? ["bert", "carla"] : ["bert"];

    test("gather their editors until a generation is approved, and keep that one meanwhile", async () => {
      await create(kind, name, ANNA);
      await expectStatus(BERT, approve(path, "bert"), 200);
      if (people.length > 1) {
        await expectStatus(SIGNET, record(path, ["bert"]), 403, "enough people");
        await expectStatus(CARLA, approve(path, "carla"), 200);
      }
      await expectStatus(SIGNET, record(path, people), 200);
      await expectStatus(
        BERT,
        replace(path, (object) => ({ ...object, spec: other })),
        200,
      );
      expect(await editorsOf(path)).toBe("bert");
      await expectStatus(DORA, apply(path, bodyOf(kind, name, spec)), 200);
      expect(await editorsOf(path)).toBe("bert,dora");
      await expectStatus(BERT, merge(path, { spec: other }), 200);
      expect(await editorsOf(path)).toBe("bert,dora");
      expect((await stored(path)).status?.approved).toMatchObject({ generation: 1, by: people });
      await expectStatus(BERT, approve(path, "bert"), 403, "edited");
      await expectStatus(ANNA, approve(path, "anna"), 200);
      if (kind === "SegmentException") await expectStatus(CARLA, approve(path, "carla"), 200);
      await expectStatus(SIGNET, record(path, kind === "SegmentException" ? ["anna", "carla"] : ["anna"]), 200);
      expect((await stored(path)).status?.approved).toMatchObject({ generation: 4, spec: (await stored(path)).spec });
    });
  },
);

describe("what Signet records", () => {
  const path = pathOf("Segment", "recorded");

  test("is what was approved, whole", async () => {
    await create("Segment", "recorded", ANNA);
    await expectStatus(SIGNET, record(path, []), 403, "enough people");
    await expectStatus(SIGNET, record(path, ["bert"]), 403, "enough people");
    await expectStatus(BERT, approve(path, "bert"), 200);
    await expectStatus(SIGNET, record(path, ["bert", "bert"]), 403, "enough people");
    await expectStatus(SIGNET, record(path, ["anna"]), 403, "enough people");
    await expectStatus(SIGNET, record(path, ["bert"], { spec: { owner: "another" } }), 403, "whole");
    await expectStatus(SIGNET, record(path, ["bert"], { generation: 2 }), 403, "whole");
    await expectStatus(SIGNET, record(path, ["bert"]), 200);
    await expectStatus(SIGNET, record(path, ["bert"], { namespaceUIDs: { shop: "1" } }), 200);
  });

  test("may forget approvals of generations before the one in force, and no others", async () => {
    await expectStatus(BERT, merge(path, { spec: { owner: "b" } }), 200);
    await expectStatus(ANNA, approve(path, "anna"), 200);
    const latest = ((await stored(path)).status?.approvals ?? []).filter((each) => each["generation"] === 2);
    await expectStatus(SIGNET, setStatus(path, { approvals: latest }), 403, "stays written");
    await expectStatus(SIGNET, record(path, ["anna"]), 200);
    await expectStatus(SIGNET, setStatus(path, { approvals: [] }), 403, "stays written");
    await expectStatus(DORA, setStatus(path, { approvals: latest }), 403, "stays written");
    await expectStatus(SIGNET, setStatus(path, { approvals: latest }), 200);
  });
});

describe("withdrawing", () => {
  const path = pathOf("Segment", "withdrawn");
  const withdraw = (by: string): Ask => approve(path, by, { withdraw: true });

  test("needs the verb, is done in one's own name, and is open to editors", async () => {
    await create("Segment", "withdrawn", ANNA);
    await expectStatus(BERT, approve(path, "bert"), 200);
    await expectStatus(SIGNET, record(path, ["bert"]), 200);
    await expectStatus(DORA, withdraw("dora"), 403, "verb approve");
    await expectStatus(CARLA, withdraw("bert"), 403, "your own user name");
    await expectStatus(BOT, withdraw(BOT_NAME), 403, "Service accounts");
    await expectStatus(SIGNET, withdraw("anna"), 403, "your own user name");
    await expectStatus(BERT, entry(path, { generation: 7, by: "bert", withdraw: true }), 403, "withdrawn");
    await expectStatus(ANNA, withdraw("anna"), 200);
    const [approval, withdrawal] = (await stored(path)).status?.approvals ?? [];
    await expectStatus(BERT, setStatus(path, { approvals: [withdrawal, approval] }), 403, "keep their place");
    await expectStatus(SIGNET, jsonPatch(`${path}/status`, [{ op: "remove", path: "/status/approved" }]), 200);
  });

  test("takes the generation in force out of it while a newer one waits", async () => {
    await expectStatus(CARLA, approve(path, "carla"), 200);
    await expectStatus(SIGNET, record(path, ["carla"]), 200);
    await expectStatus(ANNA, merge(path, { spec: { owner: "newer" } }), 200);
    await expectStatus(BERT, entry(path, { generation: 1, by: "bert", withdraw: true }), 200);
    await expectStatus(
      BERT,
      entry(path, { generation: 1, by: "bert", reason: "after all" }),
      403,
      "current generation",
    );
  });
});

describe("names", () => {
  test("with commas and percent signs are told apart", async () => {
    const path = pathOf("Segment", "names");
    await create("Segment", "names", COMMA);
    expect(await editorsOf(path)).toBe("anna%2Cbert");
    await expectStatus(COMMA, approve(path, "anna,bert"), 403, "edited");
    await expectStatus(PERCENT, merge(path, { spec: { owner: "b" } }), 200);
    expect(await editorsOf(path)).toBe("anna%2Cbert,anna%252Cbert");
    await expectStatus(PERCENT, approve(path, "anna%2Cbert"), 403, "edited");
    await expectStatus(ANNA, approve(path, "anna"), 200);
    await expectStatus(BERT, approve(path, "bert"), 200);
  });
});

describe("approvals in a namespace", () => {
  test.each(["SegmentPolicy", "SegmentException", "ExternalWorkload"])(
    "are given by the verb there, for a %s",
    async (kind) => {
      for (const namespace of ["shop", "elsewhere"]) await create(kind, "local", ANNA, undefined, namespace);
      await expectStatus(FRED, approve(pathOf(kind, "local", "shop"), "fred"), 200);
      await expectStatus(FRED, approve(pathOf(kind, "local", "elsewhere"), "fred"), 403, "verb approve");
    },
  );
});

describe("deleting", () => {
  const approved = async (kind: string, name: string): Promise<string> => {
    await create(kind, name, ANNA);
    await expectStatus(BERT, approve(pathOf(kind, name), "bert"), 200);
    await expectStatus(SIGNET, record(pathOf(kind, name), ["bert"]), 200);
    return pathOf(kind, name);
  };

  test.each(["Segment", "WorkloadRole", "Guardrail", "TrustDomain"])(
    "an approved %s needs the verb approve",
    async (kind) => {
      const path = await approved(kind, "deleted");
      for (const who of [DORA, SIGNET]) await expectStatus(who, remove(path), 403, "verb approve");
      await expectStatus(ADMIN, remove(`${collection(kind)}?fieldSelector=metadata.name=none`), 200);
      await expectStatus(ANNA, remove(path), 200);
    },
  );

  test("what was never approved needs no more than RBAC", async () => {
    await create("Segment", "never", ANNA);
    await expectStatus(DORA, remove(pathOf("Segment", "never")), 200);
  });

  test("an approved policy narrows when it goes, and needs no approval", async () => {
    await expectStatus(DORA, remove(await approved("SegmentPolicy", "narrowing")), 200);
  });

  test("a Restriction is lifted by a second person, or after one has approved it", async () => {
    const path = pathOf("Restriction", "q-1");
    await create("Restriction", "q-1", ANNA);
    for (const who of [ANNA, DORA]) await expectStatus(who, remove(path), 403, "other than its maker");
    await expectStatus(BERT, remove(`${path}?dryRun=All`), 200);
    await expectStatus(BERT, approve(path, "bert"), 200);
    await expectStatus(ANNA, remove(path), 200);
  });
});

describe("Git", () => {
  test("is the review of a listed service account's edits", async () => {
    const path = pathOf("Segment", "from-git");
    await create("Segment", "from-git", ARGO);
    await expectStatus(ARGO, approve(path, ARGO_NAME), 403, "Service accounts");
    await expectStatus(SIGNET, approve(path, BOT_NAME), 403, "your own user name");
    await expectStatus(SIGNET, approve(path, ARGO_NAME, { withdraw: true }), 403);
    await expectStatus(SIGNET, approve(path, ARGO_NAME), 200);
    await expectStatus(SIGNET, record(path, [ARGO_NAME]), 200);
  });

  test("has not reviewed what a person changed afterwards", async () => {
    const path = pathOf("Segment", "from-git");
    await expectStatus(ARGO, merge(path, { spec: { owner: "git" } }), 200);
    await expectStatus(DORA, merge(path, { spec: { owner: "hand" } }), 200);
    await expectStatus(SIGNET, approve(path, ARGO_NAME), 403, "your own user name");
    await expectStatus(BERT, approve(path, "bert"), 200);
    await expectStatus(SIGNET, record(path, ["bert"]), 200);
  });

  test("a service account that is not listed asks for one person more", async () => {
    const path = pathOf("Segment", "by-a-bot");
    await create("Segment", "by-a-bot", BOT);
    await expectStatus(SIGNET, approve(path, BOT_NAME), 403);
    await expectStatus(ANNA, approve(path, "anna"), 200);
    await expectStatus(SIGNET, record(path, ["anna"]), 403, "enough people");
    await expectStatus(BERT, approve(path, "bert"), 200);
    await expectStatus(SIGNET, record(path, ["anna", "bert"]), 200);
  });
});

describe("terms", () => {
  test("that nobody has approved yet do not hold", async () => {
    const loose = { required: 0, gitOps: [ARGO_NAME, BOT_NAME] };
    await expectStatus(DORA, merge(TRUST_DOMAIN, { spec: { approvals: loose } }), 200);
    await create("Segment", "too-early", BOT);
    await expectStatus(SIGNET, approve(pathOf("Segment", "too-early"), BOT_NAME), 403);
    await expectStatus(DORA, approve(TRUST_DOMAIN, "dora"), 403);
    await expectStatus(SIGNET, record(TRUST_DOMAIN, []), 403, "enough people");
  });

  test("of no approval at all let only those edit who may approve", async () => {
    await expectStatus(BERT, approve(TRUST_DOMAIN, "bert"), 200);
    await termsInForce({ required: 0 }, ["bert"]);
    const path = pathOf("Segment", "quick");
    await expectStatus(DORA, post(collection("Segment"), bodyOf("Segment", "quick", {})), 403, "edit approves itself");
    await create("Segment", "quick", ANNA);
    await expectStatus(SIGNET, record(path, ["anna"]), 200);
    await expectStatus(DORA, merge(path, { spec: { owner: "d" } }), 403, "edit approves itself");
    await expectStatus(DORA, merge(path, { metadata: { labels: { team: "d" } } }), 200);
    await create("Restriction", "by-dora", DORA);
    await create("Restriction", "by-anna", ANNA);
    await expectStatus(DORA, remove(pathOf("Restriction", "by-dora")), 403);
    await expectStatus(ANNA, remove(pathOf("Restriction", "by-anna")), 200);
  });

  test("of two people are counted by different names", async () => {
    await expectStatus(ANNA, merge(TRUST_DOMAIN, { spec: { approvals: { required: 2, gitOps: [] } } }), 200);
    await termsInForce({ required: 2 }, ["anna"]);
    const path = pathOf("Segment", "twice");
    await create("Segment", "twice", ANNA);
    await expectStatus(BERT, approve(path, "bert"), 200);
    await expectStatus(BERT, approve(path, "bert", { reason: "again" }), 200);
    await expectStatus(SIGNET, record(path, ["bert"]), 403, "enough people");
    await expectStatus(SIGNET, record(path, ["bert", "bert"]), 403, "enough people");
    await expectStatus(CARLA, approve(path, "carla"), 200);
    await expectStatus(SIGNET, record(path, ["bert", "carla"]), 200);
  });
});
