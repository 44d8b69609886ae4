import { expect, test } from "vitest";
import { Publisher } from "../../src/bin/cluster/publishing/publisher.ts";
import type { Catalogue } from "../../src/domain/catalogue.ts";
import { ok, refuse, type Result } from "../../src/domain/problem.ts";
import type { Patch } from "../../src/kube/client.ts";
import type { Term } from "../../src/kube/lease.ts";
import type { WatchStatus } from "../../src/kube/mirror.ts";
import type { Resource } from "../../src/kube/resources.ts";
import { JUDGED_RESOURCES, POLICY_RESOURCES } from "../../src/reconcile/policies/published-kinds.ts";
import { type Raw, rawAt, textAt } from "../../src/wire/read-object.ts";
import { catalogueOf, NOON, objectsOf } from "../fakes/judging.ts";
import { applyPatch } from "../fakes/json-patch.ts";
import { quietLog } from "../fakes/quiet-log.ts";
import { estateText, PARTS } from "../policy/compile/estate.ts";

const NODE: Raw = { apiVersion: "v1", kind: "Node", metadata: { name: "n1" }, spec: { podCIDRs: ["10.0.0.0/16"] } };

const podOf = (account: string, namespace: string): Raw => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: account, namespace, uid: `u-${account}`, resourceVersion: "1", labels: { app: account } },
  spec: { serviceAccountName: account, containers: [{ ports: [{ containerPort: 80 }] }] },
  status: { phase: "Running" },
});

/** An API server in memory that holds the estate, and publishers over it. */
function world(changed: Parameters<typeof estateText>[0] = {}) {
  const pods = new Map(
    [podOf("db", "pay"), podOf("web", "shop"), podOf("trial", "lab")].map((pod) => [uidOf(pod), pod] as const),
  );
  const policies = new Map<string, Raw>();
  const owned = new Map<string, ReadonlySet<string>>();
  const state = {
    text: estateText(changed),
    now: NOON,
    monotonic: 0,
    version: 10,
    may: new Set(["networkpolicies", "clusternetworkpolicies"]),
    failAfter: Number.POSITIVE_INFINITY,
    refused: "nothing",
    mutated: "nothing",
    writes: [] as string[],
    followed: [...POLICY_RESOURCES] as readonly Resource[],
    unread: [] as Resource[],
    unsynced: new Set<string>(),
    awaited: [] as string[],
    statuses: [] as string[],
    events: [] as string[],
    notes: [] as string[],
    looks: 0,
  };
  let read = { text: "", catalogue: undefined as Catalogue | undefined, objects: objectsOf("") };
  const current = () => {
    if (read.text !== state.text)
      read = { text: state.text, catalogue: catalogueOf(state.text), objects: withMetadata(state.text) };
    return read;
  };
  const keyOf = ({ kind }: Pick<Resource, "kind">, { namespace = "", name }: { namespace?: string; name: string }) =>
    `${kind} ${namespace}/${name}`;
  const write = (verb: string, key: string): void => {
    if (state.writes.length >= state.failAfter) throw new Error("killed");
    if (key.includes(state.refused)) throw new Error("refused");
    state.writes.push(`${verb} ${key}`);
    state.version += 1;
  };
  /** As the API server does: what other field managers put beside our fields stays. */
  const applied = (key: string, body: Raw): Raw => {
    const metadata = { ...rawAt(body, "metadata"), uid: key, resourceVersion: String(state.version) };
    const before = policies.get(key) ?? {};
    const own = owned.get(key) ?? new Set();
    const kept = Object.entries(rawAt(before, "spec")).filter(([field]) => !own.has(field));
    const spec = { ...Object.fromEntries(kept), ...rawAt(body, "spec") };
    owned.set(key, new Set(Object.keys(rawAt(body, "spec"))));
    return { ...before, ...body, metadata, spec };
  };
  const client = {
    create: async (_resource: Resource, review: Raw): Promise<Result<Raw>> => {
      const wanted = textAt(rawAt(rawAt(review, "spec"), "resourceAttributes"), "resource") ?? "";
      return ok({ status: { allowed: state.may.has(wanted) } });
    },
    patch: async (resource: Resource, name: { namespace?: string; name: string }, { type, body }: Patch) => {
      if (resource.kind === "SegmentPolicy" || resource.kind === "Restriction") return patchStatus(name, body as never);
      const key = keyOf(resource, name);
      write(type, key);
      let made = type === "json" ? (applyPatch(policies.get(key), body as never) as Raw) : applied(key, body);
      if (key === state.mutated) made = { ...made, spec: { ...rawAt(made, "spec"), ingress: [{}] } };
      policies.set(key, made);
      return ok(made);
    },
    delete: async (resource: Resource, name: { namespace?: string; name: string }) => {
      write("delete", keyOf(resource, name));
      const gone = { kind: "Status", details: { uid: keyOf(resource, name) } };
      return policies.delete(keyOf(resource, name)) ? ok(gone) : refuse("NOT_FOUND", "", "gone");
    },
  };
  const patchStatus = (name: { namespace?: string; name: string }, patch: never): Result<Raw> => {
    const found = current().objects.find(
      (object) => object.namespace === (name.namespace ?? "") && object.name === name.name,
    );
    const after = applyPatch(found?.raw, patch) as Raw;
    const [condition] = rawAt(after, "status")["conditions"] as { reason: string; message: string }[];
    state.statuses.push(`${name.namespace ?? ""}/${name.name} ${condition?.reason}: ${condition?.message}`);
    read = { ...read, objects: read.objects.map((object) => (object === found ? { ...object, raw: after } : object)) };
    return ok(after);
  };
  const term: Term = { fence: 1, signal: new AbortController().signal, valid: () => true };
  const publisher = () =>
    new Publisher(
      {
        client,
        log: quietLog,
        events: {
          emit: ({ reason, regarding, note }) => {
            state.events.push(`${reason} ${regarding.kind} ${regarding.name}`);
            state.notes.push(note);
          },
        },
        // No two spans are alike, so that a compilation shows in how long it took.
        clock: {
          monotonic: () => (state.monotonic += 300 + (state.looks += 1)),
          wall: () => state.now,
          after: () => () => undefined,
        },
        live: () => ({ current: () => current().catalogue, objects: () => current().objects }),
        pods: { objects: pods, status: () => ({ synced: true }) as WatchStatus },
        policies: {
          look: async () => ({ followed: state.followed, unread: state.unread }),
          synced: ({ kind }) => !state.unsynced.has(kind),
          hasSeen: (written) => {
            state.awaited = written.map(({ uid, version }) => `${uid}${version === undefined ? " gone" : ""}`);
            return true;
          },
          objects: (resources) => {
            const wanted = new Set([...resources].map(({ kind }) => kind));
            return wanted.has("Node")
              ? [NODE]
              : [...policies.values()].filter(({ kind }) => wanted.has(kind as string));
          },
        },
        podNetworks: { v4: [], v6: [] },
        now: () => state.now,
        random: () => 0.5,
      },
      term,
    );
  return { state, pods, policies, publisher };
}

const uidOf = (pod: Raw): string => rawAt(pod, "metadata")["uid"] as string;

/** The definitions as the API server has them. */
const withMetadata = (text: string) =>
  objectsOf(text).map((object) => {
    const metadata = { ...rawAt(object.raw, "metadata"), uid: object.name, resourceVersion: "5", generation: 1 };
    return { ...object, raw: { ...object.raw, metadata, status: { approvals: [] } } };
  });

const tended = async (publisher: Publisher, rounds = 4): Promise<Publisher> => {
  for (let round = 0; round < rounds; round++) await publisher.tend();
  return publisher;
};

const specs = (policies: ReadonlyMap<string, Raw>): readonly (readonly [string, unknown])[] =>
  [...policies].map(([key, { spec }]) => [key, spec] as const).sort(([a], [b]) => (a < b ? -1 : 1));

test("nothing is published, and nothing asked for, where no component grants the right", async () => {
  const { state, publisher } = world();
  state.may.clear();
  const one = await tended(publisher());
  expect([state.writes, state.statuses, one.figures()]).toEqual([[], [], undefined]);
});

test("what the sentences mean is published once, and each SegmentPolicy says where it stands", async () => {
  const { state, publisher } = world();
  const one = await tended(publisher());
  expect(state.writes.length).toBeGreaterThan(8);
  expect(new Set(state.writes).size).toBe(state.writes.length);
  expect(state.statuses).toEqual([
    "pay/p Active: 3 objects stand as they are meant, of networkpolicy.",
    "shop/p Active: 5 objects stand as they are meant, of networkpolicy.",
  ]);
  expect(one.figures()?.objects.get("networkpolicy")).toEqual({ wanted: 5, active: 5 });
});

test("where the right is taken away, each SegmentPolicy says that nobody keeps what was published", async () => {
  const { state, policies, publisher } = world();
  const one = await tended(publisher());
  const [standing, before] = [[...policies.keys()], state.statuses.length];
  state.may.clear();
  state.monotonic += 10_000;
  await tended(one);
  expect([state.statuses.slice(before), [...policies.keys()]]).toEqual([
    ["pay/p", "shop/p"].map(
      (name) => `${name} NoTarget: No data plane is published to here any more; what was published is kept by nobody.`,
    ),
    standing,
  ]);
  const after = state.statuses.length;
  await tended(one);
  expect(state.statuses.length).toBe(after);
});

test("policies that the command line published for waypoints stay", async () => {
  const { state, policies, publisher } = world();
  state.may.add("authorizationpolicies");
  const key = "AuthorizationPolicy shop/signet-role-web-waypoint";
  policies.set(key, {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: {
      name: "signet-role-web-waypoint",
      namespace: "shop",
      uid: "w",
      resourceVersion: "1",
      labels: { "app.kubernetes.io/managed-by": "signet", "policy.signet.dev/target": "istio-waypoint" },
    },
    spec: { rules: [{}] },
  });
  await tended(publisher());
  expect([...policies.keys()].filter((one) => one.startsWith("Auth"))).toEqual([
    key,
    "AuthorizationPolicy pay/signet-role-cache",
    "AuthorizationPolicy pay/signet-role-db",
    "AuthorizationPolicy shop/signet-role-batch",
    "AuthorizationPolicy shop/signet-role-web",
    "AuthorizationPolicy pay/signet",
    "AuthorizationPolicy shop/signet",
  ]);
});

test("a kind of the same name in another group makes no target served", async () => {
  const { state, publisher } = world();
  state.followed = JUDGED_RESOURCES.filter(({ group }) => group !== "networking.k8s.io");
  await tended(publisher());
  expect(state.writes).toEqual([]);
});

test("denials alone close and never open: without NetworkPolicies the tiers above are not published", async () => {
  const { state, publisher } = world();
  state.may = new Set(["clusternetworkpolicies"]);
  await tended(publisher());
  expect(state.writes).toEqual([]);
});

test("killed after any number of writes, whoever comes after ends with the same objects", {
  timeout: 30_000,
}, async () => {
  const whole = world();
  await tended(whole.publisher());
  const expected = specs(whole.policies);
  const { length } = whole.state.writes;
  for (const after of [0, 1, Math.floor(length / 2), length - 1]) {
    const { state, policies, publisher } = world();
    state.failAfter = after;
    await tended(publisher(), 1);
    state.failAfter = Number.POSITIVE_INFINITY;
    await tended(publisher());
    expect(specs(policies)).toEqual(expected);
  }
});

test("what was written before a write failed counts", async () => {
  const { state, publisher } = world();
  state.failAfter = 3;
  const one = await tended(publisher(), 1);
  expect([state.writes.length, one.figures()?.writes]).toEqual([3, { apply: 3, delete: 0 }]);
});

test("nothing is compiled before the watches have brought what was written, and what was taken away", async () => {
  const { state, policies, publisher } = world();
  const one = await tended(publisher());
  expect(new Set(state.awaited)).toEqual(new Set(policies.keys()));
  const before = [...policies.keys()];
  const segments = PARTS.segments.map((text) => text.replace("mode: enforce", "mode: observe"));
  state.text = estateText({ segments, guardrails: [] });
  await tended(one);
  const gone = before.filter((key) => !policies.has(key));
  expect(gone).toContain("NetworkPolicy pay/signet");
  expect(state.awaited.filter((text) => text.endsWith(" gone"))).toEqual(
    expect.arrayContaining(gone.map((key) => `${key} gone`)),
  );
});

test("an edit by somebody is said on the object, and mended", async () => {
  const { state, policies, publisher } = world();
  const one = await tended(publisher());
  const key = "NetworkPolicy pay/signet-role-db";
  const before = policies.get(key);
  policies.set(key, { ...before, spec: { podSelector: {}, ingress: [{}] } });
  await tended(one);
  expect(state.events).toContain("PolicyEdited NetworkPolicy signet-role-db");
  expect(policies.get(key)?.["spec"]).toEqual(before?.["spec"]);
  expect(one.figures()?.mended).toBe(1);
});

test("who changes an object again as soon as it is mended is named, and answered as often however long it goes on", async () => {
  const { state, policies, publisher } = world();
  const one = await tended(publisher());
  const key = "NetworkPolicy pay/signet-role-db";
  const before = policies.get(key) ?? {};
  const mends = () => state.writes.filter((text) => text === `apply ${key}`).length;
  const fight = async (rounds: number): Promise<number> => {
    const until = mends();
    for (let round = 0; round < rounds; round++) {
      const metadata = { ...rawAt(policies.get(key) ?? {}, "metadata"), managedFields: [{ manager: "gitops" }] };
      policies.set(key, {
        ...before,
        metadata: { ...metadata, resourceVersion: `g${(state.version += 1)}` },
        spec: { podSelector: {}, ingress: [{}] },
      });
      await tended(one, 1);
    }
    return mends() - until;
  };
  const soon = await fight(20);
  const later = await fight(20);
  expect([soon > 3, later >= soon]).toEqual([true, true]);
  expect(state.events).toContain("PolicyFoughtOver NetworkPolicy signet-role-db");
  expect(state.notes.find((note) => note.includes("again and again"))).toMatch(
    /^Field manager "gitops" changes it again and again: it was mended \d+ times in a row, and is next in \d+ s at the earliest\. Have that leave objects labelled app\.kubernetes\.io\/managed-by=signet alone, or change the sentences that it comes from\.$/,
  );
  expect(one.figures()?.fought).toBe(1);
  const standing = mends();
  state.text = estateText({ sentences: PARTS.sentences.map((text) => text.replace("tcp/5432", "tcp/5555")) });
  await tended(one, 2);
  expect([mends() > standing, JSON.stringify(policies.get(key)?.["spec"]).includes("5555")]).toEqual([true, true]);
  state.monotonic += 3_600_000;
  await tended(one);
  state.text = estateText();
  await tended(one);
  expect([one.figures()?.fought, policies.get(key)?.["spec"]]).toEqual([0, before["spec"]]);
});

test("what somebody adds to an object is taken out of it, and counted only then", async () => {
  const { state, policies, publisher } = world();
  const one = await tended(publisher());
  const key = "NetworkPolicy pay/signet";
  const before = policies.get(key) ?? {};
  expect(Object.keys(rawAt(before, "spec"))).toEqual(["podSelector", "policyTypes", "egress"]);
  policies.set(key, { ...before, spec: { ...rawAt(before, "spec"), ingress: [{}] } });
  state.failAfter = state.writes.length;
  await tended(one);
  expect(one.figures()?.mended).toBe(0);
  state.failAfter = Number.POSITIVE_INFINITY;
  state.monotonic += 60_000;
  await tended(one);
  expect(policies.get(key)?.["spec"]).toEqual(before["spec"]);
  expect(state.writes.slice(-2)).toEqual([`apply ${key}`, `json ${key}`]);
  expect(one.figures()?.mended).toBe(1);
});

test("rules of Cilium's beside the spec are an edit, and taken out", async () => {
  const { state, policies, publisher } = world();
  state.may = new Set(["ciliumnetworkpolicies", "ciliumclusterwidenetworkpolicies"]);
  const one = await tended(publisher());
  const key = "CiliumNetworkPolicy pay/signet";
  const before = policies.get(key) ?? {};
  policies.set(key, { ...before, specs: [{ endpointSelector: {}, ingress: [{ fromEntities: ["all"] }] }] });
  await tended(one);
  expect(state.events).toContain("PolicyEdited CiliumNetworkPolicy signet");
  expect(policies.get(key)).not.toHaveProperty("specs");
  expect(policies.get(key)?.["spec"]).toEqual(before["spec"]);
});

test("a policy of somebody else that opens more keeps everything back, is said on the SegmentPolicies, and counted", async () => {
  const { state, policies, publisher } = world();
  const open: Raw = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "open", namespace: "pay", uid: "x", resourceVersion: "1" },
    spec: { podSelector: {}, ingress: [{}], egress: [{}] },
  };
  policies.set("NetworkPolicy pay/open", open);
  const one = await tended(publisher());
  expect(state.writes).toEqual([]);
  expect(state.statuses[0]).toMatch(
    /^pay\/p WouldBeWider: Nothing is published, for it would let through more than is meant: FOREIGN_ALLOW of /,
  );
  expect(state.events).toContain("WouldBeWider SegmentPolicy p");
  expect([...(one.figures()?.blocking.keys() ?? [])]).toEqual(["FOREIGN_ALLOW"]);
  policies.delete("NetworkPolicy pay/open");
  await tended(one);
  expect(state.statuses.at(-1)).toBe("shop/p Active: 5 objects stand as they are meant, of networkpolicy.");
});

test("a Guardrail's waiver lets it be published until its end", async () => {
  const waived = PARTS.guardrails.map((text) =>
    text.replace("fences:", "waive: [{loss: FOREIGN_ALLOW, until: 2026-12-01T00:00:00Z, why: moves out}], fences:"),
  );
  const { state, policies, publisher } = world({ guardrails: waived });
  policies.set("NetworkPolicy pay/open", {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "open", namespace: "pay", uid: "x", resourceVersion: "1" },
    spec: { podSelector: {}, ingress: [{}], egress: [{}] },
  });
  const one = await tended(publisher());
  expect(state.writes.length).toBeGreaterThan(8);
  state.now = Date.parse("2026-12-01T00:00:00Z");
  await tended(one);
  expect([...(one.figures()?.blocking ?? [])]).toEqual([["FOREIGN_ALLOW", 3]]);
  expect(one.figures()?.overdueSince).toBe(Date.parse("2026-12-01T00:00:00Z"));
});

test("what an exception opens is taken out at its end, without anything else having changed", async () => {
  const { state, policies, publisher } = world();
  const one = await tended(publisher());
  expect(JSON.stringify([...policies.values()])).toContain("5433");
  state.now = Date.parse("2026-12-24T00:00:01Z");
  expect(one.figures()?.overdueSince).toBe(Date.parse("2026-12-24T00:00:00Z"));
  await tended(one);
  expect(JSON.stringify([...policies.values()])).not.toContain("5433");
  expect(one.figures()?.overdueSince).toBeUndefined();
});

const quarantine = (target: string): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: q}, spec: {target: {${target}}, effect: quarantine, reason: stolen}}`;

const marked = (raw: Raw): Raw => {
  const metadata = rawAt(raw, "metadata");
  const labels = { ...rawAt(metadata, "labels"), "signet.dev/quarantine": "true" };
  return { ...raw, metadata: { ...metadata, labels } };
};

test("a quarantine of one Pod is in effect when it is marked and every object stands, and is said so", async () => {
  const { state, pods, policies, publisher } = world({
    restrictions: [quarantine("pod: {namespace: pay, name: db, uid: u-db}")],
  });
  const one = await tended(publisher());
  expect(state.statuses[0]).toBe("/q Pending: 1 Pods are not marked yet, and 0 objects not written.");
  pods.set("u-db", marked(podOf("db", "pay")));
  await tended(one);
  expect(state.statuses.at(-1)).toBe(
    "/q CutOff: 1 workload is cut off by networkpolicy, clusternetworkpolicy. Connections that stand may live on until it is restarted.",
  );
  expect(policies.get("NetworkPolicy pay/signet-quarantine")?.["spec"]).toEqual({
    podSelector: { matchExpressions: [{ key: "signet.dev/quarantine", operator: "Exists" }] },
    policyTypes: ["Ingress", "Egress"],
  });
  expect(JSON.stringify(policies.get("NetworkPolicy pay/signet-role-db")?.["spec"])).toContain(
    '"matchExpressions":[{"key":"signet.dev/quarantine","operator":"DoesNotExist"}]',
  );
  expect(JSON.stringify(policies.get("ClusterNetworkPolicy /signet-quarantine")?.["spec"])).toContain("Deny");
});

test("a quarantine in Cilium says what may still be sent: its policies are not asked about replies", async () => {
  const { state, pods, publisher } = world({
    restrictions: [quarantine("pod: {namespace: pay, name: db, uid: u-db}")],
  });
  state.may = new Set(["ciliumnetworkpolicies", "ciliumclusterwidenetworkpolicies"]);
  pods.set("u-db", marked(podOf("db", "pay")));
  await tended(publisher());
  expect(state.statuses).toContain(
    "/q CutOff: 1 workload is cut off by ciliumnetworkpolicy. In connections that stand, replies for which no answer is needed may go on until it is restarted.",
  );
});

test("a quarantine is no longer pending when the replica that was not marked has gone", async () => {
  const { state, pods, publisher } = world({
    restrictions: [quarantine("pod: {namespace: pay, name: db-2, uid: u-2}")],
  });
  const replica = (name: string, uid: string): Raw => {
    const pod = podOf("db", "pay");
    const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "db", uid: "u-rs", controller: true };
    return { ...pod, metadata: { ...rawAt(pod, "metadata"), name, uid, ownerReferences: [owner] } };
  };
  pods.delete("u-db");
  pods.set("u-1", replica("db-1", "u-1"));
  pods.set("u-2", replica("db-2", "u-2"));
  const one = await tended(publisher());
  expect(state.statuses[0]).toBe("/q Pending: 1 Pods are not marked yet, and 0 objects not written.");
  pods.delete("u-2");
  await tended(one);
  expect(state.statuses.filter((text) => text.startsWith("/q")).at(-1)).toBe(
    "/q NobodyRuns: Nobody who runs is meant now; whoever comes under it is cut off by networkpolicy, clusternetworkpolicy.",
  );
});

test("what a policy of somebody else keeps open of a quarantine is named, pair by pair, and does not keep it back", async () => {
  const { state, pods, policies, publisher } = world();
  state.may = new Set(["networkpolicies"]);
  state.text = estateText(GUARDLESS);
  const one = await tended(publisher());
  policies.set("NetworkPolicy pay/open", {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "open", namespace: "pay", uid: "x", resourceVersion: "1" },
    spec: { podSelector: { matchLabels: { app: "db" } }, ingress: [{}], egress: [{}] },
  });
  state.text = estateText({ ...GUARDLESS, restrictions: [quarantine("role: db")] });
  pods.set("u-db", marked(podOf("db", "pay")));
  await tended(one);
  expect(state.statuses.filter((text) => text.startsWith("/q")).at(-1)).toMatch(
    /^\/q OpenStill: Policies that are not ours keep \d+ pairs open: /,
  );
  expect(JSON.stringify(policies.get("NetworkPolicy shop/signet-role-web")?.["spec"])).not.toContain("5432");
});

/** Without the denial that NetworkPolicies alone have no form for. */
const GUARDLESS = {
  guardrails: PARTS.guardrails.map((text) =>
    text.replace(/, \{from: \{entity: any\}, to: \{entity: any\}.*?debugging\}/, ""),
  ),
};

const OPEN: Raw = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "open", namespace: "shop", uid: "x", resourceVersion: "1" },
  spec: { podSelector: {}, ingress: [{}], egress: [{}] },
};

test("what somebody else opens of others keeps no quarantine of one Pod back", async () => {
  const { state, pods, policies, publisher } = world();
  const one = await tended(publisher());
  policies.set("NetworkPolicy shop/open", OPEN);
  await tended(one);
  expect([...(one.figures()?.blocking.keys() ?? [])]).toEqual(["FOREIGN_ALLOW"]);
  state.text = estateText({ restrictions: [quarantine("pod: {namespace: pay, name: db, uid: u-db}")] });
  pods.set("u-db", marked(podOf("db", "pay")));
  await tended(one);
  expect(policies.has("NetworkPolicy pay/signet-quarantine")).toBe(true);
  expect(state.statuses.filter((text) => text.startsWith("/q")).at(-1)).toBe(
    "/q CutOff: 1 workload is cut off by networkpolicy, clusternetworkpolicy. Connections that stand may live on until it is restarted.",
  );
});

test.each([
  ["one Pod", "pod: {namespace: pay, name: db, uid: u-db}"],
  ["a role", "role: db"],
])(
  "a quarantine of %s waits for no sentence that may not be published, and lets none through",
  async (_what, target) => {
    const { state, pods, policies, publisher } = world();
    const one = await tended(publisher());
    const before = new Map(policies);
    policies.set("NetworkPolicy shop/open", OPEN);
    const sentences = PARTS.sentences.map((text) => text.replace("tcp/5432", "tcp/5555"));
    state.text = estateText({ sentences });
    await tended(one);
    expect(specs(before)).toEqual(specs(policies).filter(([key]) => before.has(key)));
    state.text = estateText({ sentences, restrictions: [quarantine(target)] });
    pods.set("u-db", marked(podOf("db", "pay")));
    await tended(one);
    expect(state.statuses.filter((text) => text.startsWith("/q")).at(-1)).toBe(
      "/q CutOff: 1 workload is cut off by networkpolicy, clusternetworkpolicy. Connections that stand may live on until it is restarted.",
    );
    const unmarked = { key: "signet.dev/quarantine", operator: "DoesNotExist" };
    const letsGo = ([key, raw]: readonly [string, Raw]): boolean =>
      key.startsWith("NetworkPolicy pay/") &&
      !JSON.stringify(rawAt(raw, "spec")["podSelector"]).includes(JSON.stringify(unmarked));
    expect([...policies].filter(letsGo).map(([key]) => key)).toEqual(["NetworkPolicy pay/signet-quarantine"]);
    expect(policies.get("NetworkPolicy pay/signet-quarantine")?.["spec"]).toEqual({
      podSelector: { matchExpressions: [{ key: "signet.dev/quarantine", operator: "Exists" }] },
      policyTypes: ["Ingress", "Egress"],
    });
    expect(JSON.stringify([...policies.values()])).not.toContain("5555");
    const { length } = state.writes;
    await tended(one);
    expect(state.writes.length).toBe(length);
    policies.delete("NetworkPolicy shop/open");
    await tended(one);
    expect(JSON.stringify(policies.get("NetworkPolicy shop/signet-role-web"))).toContain(
      target === "role: db" ? "8080" : "5555",
    );
  },
);

test.each(["pod: {namespace: pay, name: virt-launcher-db-x1, uid: u-l}", "virtualMachine: {namespace: pay, name: db}"])(
  "a launcher is cut off by its own name, or by its machine's: %s",
  async (target) => {
    const { state, pods, policies, publisher } = world({ restrictions: [quarantine(target)] });
    const owner = {
      apiVersion: "kubevirt.io/v1",
      kind: "VirtualMachineInstance",
      name: "db",
      uid: "u-i",
      controller: true,
    };
    const launcher = podOf("db", "pay");
    const metadata = {
      ...rawAt(launcher, "metadata"),
      name: "virt-launcher-db-x1",
      uid: "u-l",
      ownerReferences: [owner],
    };
    pods.set("u-db", marked({ ...launcher, metadata }));
    await tended(publisher());
    expect(policies.has("NetworkPolicy pay/signet-quarantine")).toBe(true);
    expect(state.statuses.find((text) => text.startsWith("/q"))).toBe(
      "/q CutOff: 1 workload is cut off by networkpolicy, clusternetworkpolicy. Connections that stand may live on until it is restarted.",
    );
  },
);

test("a policy that is not evaluated keeps everything back where it may open, and a quarantine says that it may", async () => {
  const { state, pods, policies, publisher } = world({ restrictions: [quarantine("role: web")] });
  pods.set("u-web", marked(podOf("web", "shop")));
  const one = await tended(publisher());
  expect(state.statuses.filter((text) => text.startsWith("/q")).at(-1)).toMatch(/^\/q CutOff: /);
  policies.set("CiliumNetworkPolicy shop/open", {
    apiVersion: "cilium.io/v2",
    kind: "CiliumNetworkPolicy",
    metadata: { name: "open", namespace: "shop", uid: "c", resourceVersion: "1" },
    spec: { endpointSelector: {}, ingress: [{ fromEntities: ["world"] }] },
  });
  await tended(one);
  expect([...(one.figures()?.blocking ?? [])]).toEqual([["FOREIGN_UNREAD", 1]]);
  expect(state.statuses.filter((text) => text.startsWith("/q")).at(-1)).toBe(
    "/q OpenStill: Policies that are not evaluated may keep it open: CiliumNetworkPolicy shop/open.",
  );
});

test("a waiver of what is not evaluated holds for the object that it names, and for nothing that comes later", async () => {
  const waiving = (waiver: string) =>
    PARTS.guardrails.map((text) =>
      text.replace("fences:", `waive: [{${waiver}, until: 2026-12-24T00:00:00Z, why: seen}], fences:`),
    );
  const { state, policies, publisher } = world({
    guardrails: waiving("loss: FOREIGN_UNREAD, rule: CiliumNetworkPolicy shop/open"),
  });
  const cilium = (name: string): Raw => ({
    apiVersion: "cilium.io/v2",
    kind: "CiliumNetworkPolicy",
    metadata: { name, namespace: "shop", uid: name, resourceVersion: "1" },
    spec: { endpointSelector: {}, ingress: [{ fromEntities: ["world"] }] },
  });
  policies.set("CiliumNetworkPolicy shop/open", cilium("open"));
  const one = await tended(publisher());
  expect([state.writes.length > 8, [...(one.figures()?.blocking ?? [])]]).toEqual([true, []]);
  policies.set("CiliumNetworkPolicy shop/later", cilium("later"));
  await tended(one);
  expect([...(one.figures()?.blocking ?? [])]).toEqual([["FOREIGN_UNREAD", 1]]);
  state.text = estateText({ guardrails: waiving("loss: FOREIGN_UNREAD") });
  await tended(one);
  expect([...(one.figures()?.blocking ?? [])]).toEqual([["FOREIGN_UNREAD", 2]]);
});

test("policies that may not be read keep everything back until they may", async () => {
  const { state, publisher } = world();
  state.unread = JUDGED_RESOURCES.filter(({ group }) => group === "crd.projectcalico.org");
  const one = await tended(publisher());
  expect([state.writes, [...(one.figures()?.blocking ?? [])]]).toEqual([[], [["FOREIGN_UNREAD", 2]]]);
  expect(state.statuses[0]).toContain("every GlobalNetworkPolicy of crd.projectcalico.org, which may not be read");
  state.unread = JUDGED_RESOURCES.filter(({ group }) => group === "policy.networking.k8s.io");
  state.monotonic += 60_000;
  await tended(one);
  expect([state.writes, [...(one.figures()?.blocking ?? [])]]).toEqual([[], [["FOREIGN_UNREAD", 3]]]);
  state.unread = [];
  state.monotonic += 60_000;
  await tended(one);
  expect(state.writes.length).toBeGreaterThan(8);
});

test("a wait for what is needed and never seen is said of quarantines, and counted", async () => {
  const { state, publisher } = world({ restrictions: [quarantine("role: web")] });
  state.unsynced = new Set(["NetworkPolicy"]);
  const one = await tended(publisher());
  state.now = NOON + 14_999;
  await tended(one);
  expect([state.statuses, one.figures()?.overdueSince]).toEqual([[], undefined]);
  state.now = NOON + 15_000;
  await tended(one);
  expect([state.writes, state.statuses, one.figures()?.overdueSince]).toEqual([
    [],
    [
      "/q Pending: It is not compiled yet: nothing is published until these were seen whole: networkpolicies.networking.k8s.io.",
    ],
    NOON,
  ]);
  state.unsynced.clear();
  await tended(one);
  expect([state.writes.length > 8, one.figures()?.overdueSince]).toEqual([true, undefined]);
});

test("a webhook that always adds is told of, holds no other object, and is answered ever later", async () => {
  const { state, policies, publisher } = world();
  state.mutated = "NetworkPolicy pay/signet-role-db";
  const one = await tended(publisher(), 1);
  expect(one.figures()?.objects.get("networkpolicy")).toEqual({ wanted: 5, active: 4 });
  expect(state.statuses[0]).toBe(
    "pay/p Pending: 2 of 3 objects stand; the others are written as soon as the API server takes them.",
  );
  expect([...policies.keys()].filter((key) => key.startsWith("NetworkPolicy")).length).toBe(5);
  const tries = () => state.writes.filter((text) => text === "json NetworkPolicy pay/signet-role-db").length;
  const before = tries();
  await tended(one, 20);
  const soon = tries() - before;
  await tended(one, 20);
  expect(tries() - before - soon).toBeLessThan(soon);
  expect(one.figures()?.mended).toBe(0);
  state.mutated = "nothing";
  state.monotonic += 60_000;
  await tended(one);
  expect(one.figures()?.objects.get("networkpolicy")).toEqual({ wanted: 5, active: 5 });
  expect(state.statuses.at(-1)).toMatch(/^(pay|shop)\/p Active: /);
  const { compileMs } = one.figures() ?? {};
  await tended(one);
  expect(one.figures()?.compileMs).toBe(compileMs);
});

test.each([["sentences"], ["nothing, as somebody else opens more"]])(
  "what one namespace refuses of %s keeps no quarantine in another back",
  async (what) => {
    const { state, pods, policies, publisher } = world();
    const one = await tended(publisher());
    if (what !== "sentences") policies.set("NetworkPolicy shop/open", OPEN);
    const sentences = PARTS.sentences.map((text) => text.replace("tcp/5432", "tcp/5555"));
    const restrictions = ["web", "db"].map((name) =>
      quarantine(`pod: {namespace: ${name === "db" ? "pay" : "shop"}, name: ${name}, uid: u-${name}}`).replace(
        "{name: q}",
        `{name: ${name}}`,
      ),
    );
    state.text = estateText({ sentences, restrictions });
    for (const [name, namespace] of [
      ["db", "pay"],
      ["web", "shop"],
    ] as const)
      pods.set(`u-${name}`, marked(podOf(name, namespace)));
    state.refused = " pay/";
    await tended(one);
    expect(policies.has("NetworkPolicy shop/signet-quarantine")).toBe(true);
    const unmarked = { key: "signet.dev/quarantine", operator: "DoesNotExist" };
    expect(rawAt(rawAt(policies.get("NetworkPolicy shop/signet-role-web") ?? {}, "spec"), "podSelector")).toMatchObject(
      {
        matchExpressions: [unmarked],
      },
    );
    expect(JSON.stringify([...policies.values()])).not.toContain("5555");
    expect(policies.has("NetworkPolicy pay/signet-quarantine")).toBe(false);
    state.refused = "nothing";
    state.monotonic += 60_000;
    await tended(one);
    expect(policies.has("NetworkPolicy pay/signet-quarantine")).toBe(true);
  },
);

test("a namespace that is being deleted takes nothing new, and keeps no quarantine elsewhere back", async () => {
  const { state, pods, policies, publisher } = world({
    restrictions: [
      quarantine("pod: {namespace: shop, name: web, uid: u-web}"),
      quarantine("pod: {namespace: pay, name: db, uid: u-db}").replace("{name: q}", "{name: p}"),
    ],
  });
  pods.set("u-web", marked(podOf("web", "shop")));
  pods.set("u-db", marked(podOf("db", "pay")));
  state.text = state.text.replace("{name: pay,", "{name: pay, deletionTimestamp: 2026-11-23T11:00:00Z,");
  const one = await tended(publisher());
  expect([...policies.keys()].filter((key) => key.includes(" pay/"))).toEqual([]);
  expect(policies.has("NetworkPolicy shop/signet-quarantine")).toBe(true);
  expect(state.statuses.filter((text) => text.startsWith("/"))).toEqual([
    "/q CutOff: 1 workload is cut off by networkpolicy, clusternetworkpolicy. Connections that stand may live on until it is restarted.",
    "/p Pending: 0 Pods are not marked yet, and 4 objects not written.",
  ]);
  state.text = state.text.replace(" deletionTimestamp: 2026-11-23T11:00:00Z,", "");
  await tended(one);
  expect(policies.has("NetworkPolicy pay/signet-quarantine")).toBe(true);
});

test("what a quarantine cannot close keeps nothing back", async () => {
  const { state, pods, policies, publisher } = world({
    ...GUARDLESS,
    restrictions: [quarantine("pod: {namespace: shop, name: web, uid: u-web}")],
  });
  state.may = new Set(["networkpolicies"]);
  pods.clear();
  pods.set("u-web", marked(podOf("web", "shop")));
  const ofWeb = { ...OPEN, spec: { podSelector: { matchLabels: { app: "web" } }, ingress: [{}], egress: [{}] } };
  policies.set("NetworkPolicy shop/open", ofWeb);
  const one = await tended(publisher());
  expect([...(one.figures()?.blocking.keys() ?? [])]).toEqual([]);
  expect(policies.has("NetworkPolicy shop/signet-quarantine")).toBe(true);
  expect(state.statuses.find((text) => text.startsWith("/q"))).toMatch(/^\/q OpenStill: /);
});

test("a further replica of a workload is no reason to compile again, and another workload is", async () => {
  const { pods, publisher } = world();
  const one = await tended(publisher());
  const before = one.figures()?.compileMs;
  const replica = podOf("db", "pay");
  pods.set("u-new", { ...replica, metadata: { ...rawAt(replica, "metadata"), uid: "u-new" } });
  await tended(one);
  expect(one.figures()?.compileMs).toBe(before);
  pods.set("u-other", podOf("cache", "pay"));
  await tended(one);
  expect(one.figures()?.compileMs).not.toBe(before);
});
