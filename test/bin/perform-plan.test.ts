import { expect, test } from "vitest";
import { Contested } from "../../src/bin/cluster/publishing/contested.ts";
import { Fights } from "../../src/bin/cluster/publishing/fights.ts";
import { performPlan } from "../../src/bin/cluster/publishing/perform.ts";
import { ok, refuse, type Result } from "../../src/domain/problem.ts";
import type { Patch } from "../../src/kube/client.ts";
import type { Resource } from "../../src/kube/resources.ts";
import { compileForCluster } from "../../src/reconcile/policies/cluster.ts";
import type { Write } from "../../src/reconcile/policies/order.ts";
import { planPublishing } from "../../src/reconcile/policies/plan.ts";
import type { Raw } from "../../src/wire/read-object.ts";
import { catalogueOf, must, NOON } from "../fakes/judging.ts";
import { quietLog } from "../fakes/quiet-log.ts";
import { estateText } from "../policy/compile/estate.ts";

const podOf = (account: string, namespace: string): Raw => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: account, namespace, uid: account, labels: { app: account, "signet.dev/quarantine": "true" } },
  spec: { serviceAccountName: account, containers: [{}] },
  status: { phase: "Running" },
});

const quarantine = (account: string, namespace: string): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: ${account}}, spec: {target: {pod: {namespace: ${namespace}, name: ${account}, uid: ${account}}}, effect: quarantine, reason: stolen}}`;

/** What is to be written to an empty cluster where a Pod in each of two namespaces is under quarantine. */
function plan() {
  const state = {
    catalogue: catalogueOf(estateText({ restrictions: [quarantine("db", "pay"), quarantine("web", "shop")] })),
    namespaces: new Map(["pay", "shop", "lab"].map((name) => [name, {}])),
    pods: [podOf("db", "pay"), podOf("web", "shop")],
    nodes: [{ spec: { podCIDRs: ["10.0.0.0/16"] } }],
    policies: [],
    attachments: [],
  };
  const targets = ["networkpolicy", "clusternetworkpolicy"] as const;
  const wanted = { targets, ours: new Set(targets), podNetworks: { v4: [], v6: [] }, now: NOON };
  return must(planPublishing(must(compileForCluster(state, wanted))));
}

/** An API server that refuses one object, and of another says each time something else than was written. */
function server(refused: string, changed: string) {
  const state = { monotonic: 0, tried: [] as string[] };
  const patch = async (
    _resource: Resource,
    { namespace, name }: { readonly namespace?: string; readonly name: string },
    { body, type }: Patch,
  ): Promise<Result<Raw>> => {
    const key = `${namespace ?? ""}/${name}`;
    if (type === "apply") state.tried.push(key);
    if (key === refused) return refuse("API_REFUSED", "", "It is refused.");
    const object: Raw = type === "apply" ? body : { kind: "NetworkPolicy", metadata: { namespace, name } };
    return ok(key === changed ? { ...object, spec: { podSelector: {}, ingress: [{}] } } : object);
  };
  const means = {
    client: { patch, delete: async () => ok({}) },
    log: quietLog,
    events: { emit: () => undefined },
    clock: { monotonic: () => state.monotonic, wall: () => NOON, after: () => () => undefined },
  };
  const waiting = { contested: new Contested(), fights: new Fights(() => 0.5) };
  const term = { fence: 1, signal: new AbortController().signal, valid: () => true };
  const perform = async (at: number): Promise<readonly string[]> => {
    [state.monotonic, state.tried] = [at, []];
    await performPlan(means, plan(), waiting, term);
    return state.tried;
  };
  return { perform, waiting };
}

test("after a refusal what cuts off goes on object by object: what a webhook changes waits by itself, ever longer", async () => {
  const { perform, waiting } = server("pay/signet-quarantine", "shop/signet-quarantine");
  expect(await perform(0)).toEqual([
    "pay/signet-role-cache",
    "pay/signet-role-db",
    "shop/signet-role-web",
    "pay/signet-quarantine",
    // Of the rest, namespace by namespace, only what cuts off.
    "pay/signet-quarantine",
    "shop/signet-quarantine",
    "/signet-quarantine",
  ]);
  expect(waiting.contested.any()).toBe(true);
  const goesOn = async (at: number) =>
    (await perform(at)).filter((key) => ["shop/signet-quarantine", "/signet-quarantine"].includes(key));
  const [alone, both] = [["/signet-quarantine"], ["shop/signet-quarantine", "/signet-quarantine"]];
  expect([await goesOn(249), await goesOn(250), await goesOn(1_249), await goesOn(1_250)]).toEqual([
    alone,
    both,
    alone,
    both,
  ]);
});

test("a fight over an object that a plan leaves as it is makes nothing due", async () => {
  const { perform, waiting } = server("", "");
  const edited: Write = {
    verb: "apply",
    why: "mend",
    object: {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "db", labels: {} },
      spec: {},
    },
  };
  for (const at of [0, 1, 2]) waiting.fights.note([edited], at);
  expect([waiting.fights.without([edited], 3), waiting.fights.isDue(60_000)]).toEqual([[], true]);
  await perform(4);
  expect(waiting.fights.isDue(60_000)).toBe(false);
});
