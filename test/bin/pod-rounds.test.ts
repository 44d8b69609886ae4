import { expect, test } from "vitest";
import { PodRounds } from "../../src/bin/cluster/pods/pod-rounds.ts";
import type { Catalogue } from "../../src/domain/catalogue.ts";
import { ok, refuse, type Result } from "../../src/domain/problem.ts";
import type { WatchStatus } from "../../src/kube/mirror.ts";
import type { Raw } from "../../src/wire/read-object.ts";
import { applyPatch } from "../fakes/json-patch.ts";
import { catalogueOf, NOON } from "../fakes/judging.ts";
import { quietLog } from "../fakes/quiet-log.ts";

const definition = (kind: string, name: string, generation: number, spec: string) =>
  `{apiVersion: signet.dev/v1alpha1, kind: ${kind}, metadata: {name: ${name}, uid: u-${name}, generation: ${generation}}, spec: {${spec}}, status: {approvals: [], approved: {generation: ${generation}, by: [bob], at: "2026-11-01T00:00:00Z", spec: {${spec}}}}}`;

const roleOf = (generation: number, account = "front") =>
  definition("WorkloadRole", "front", generation, `segment: shop, match: {serviceAccounts: [${account}]}`);

const catalogue = (revision: string, role = roleOf(1)): Catalogue => ({
  ...catalogueOf(`
{apiVersion: v1, kind: Namespace, metadata: {name: web, labels: {signet.dev/enrol: "true"}}}
---
${definition("Segment", "shop", 1, "namespaces: [web], mode: enforce")}
---
${role}
`),
  revision,
});

const podOf = (name: string, more: object = {}, spec: object = {}): Raw => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "web", uid: `uid-${name}`, resourceVersion: "7", ...more },
  spec: { serviceAccountName: "front", ...spec },
  status: { phase: "Running" },
});

/** A cluster of Pods that takes patches, and the rounds of one term over it. */
function world(given: readonly Raw[]) {
  const objects = new Map(given.map((raw) => [(raw["metadata"] as { uid: string }).uid, raw]));
  const state = {
    catalogue: catalogue("1"),
    newest: undefined as Catalogue | undefined,
    now: NOON,
    changed: new Set(objects.keys()),
    refusing: false,
    unreachable: false,
    asked: [] as string[],
    told: [] as string[],
  };
  const rounds = new PodRounds({
    client: {
      patch: async (_resource, { name }, patch): Promise<Result<Raw>> => {
        if (state.unreachable) throw new Error("unreachable");
        if (state.refusing) return refuse("API_REFUSED", "", "not now");
        const after = applyPatch(objects.get(`uid-${name}`), patch.body as never) as Raw;
        objects.set(`uid-${name}`, after);
        state.changed.add(`uid-${name}`);
        return ok(after);
      },
    },
    live: () => ({
      current: () => state.catalogue,
      lookLive: async (kind, { name }) => {
        state.asked.push(`${kind}/${name}`);
        return (state.catalogue = state.newest ?? state.catalogue);
      },
    }),
    machines: { find: () => undefined, launches: () => false, changes: () => 0 },
    pods: {
      objects,
      takeChanged: () => {
        const taken = state.changed;
        state.changed = new Set();
        return taken;
      },
      status: () => ({ synced: true }) as WatchStatus,
    },
    log: quietLog,
    now: () => state.now,
    requireApproval: false,
    onConcern: ({ do: what, object, code }) => void state.told.push(`${what} ${object.name} ${code}`),
  });
  const term = { fence: 1, signal: new AbortController().signal, valid: () => true };
  return { state, objects, rounds, round: () => rounds.tend(term), missed: () => [...rounds.figures().missed] };
}

test("a Pod that admission missed is stamped, and then nobody is missed", async () => {
  const { round, rounds, missed, objects, state } = world([podOf("a")]);
  await round();
  expect(objects.get("uid-a")?.["metadata"]).toMatchObject({ labels: { "signet.dev/role": "front" } });
  expect(missed()).toEqual([["STAMP_MISSING", 1]]);
  await round();
  expect(missed()).toEqual([]);
  expect(rounds.figures()).toMatchObject({ watched: 1, mended: 1 });
  expect(state.told).toEqual(["stampPod a STAMP_MISSING"]);
});

test("what cannot be mended is told once, and counted until it is gone", async () => {
  const { round, missed, objects, state } = world([podOf("a", {}, { serviceAccountName: "nobody" })]);
  await round();
  state.catalogue = catalogue("2");
  await round();
  expect(state.told).toEqual(["reportPod a ROLE_NONE"]);
  expect(missed()).toEqual([["ROLE_NONE", 1]]);
  objects.delete("uid-a");
  state.changed.add("uid-a");
  await round();
  expect(missed()).toEqual([]);
});

test("a Pod that was not stamped because it changed is stamped in the next round", async () => {
  const { round, missed, objects, state } = world([podOf("a")]);
  state.refusing = true;
  await round();
  expect(objects.get("uid-a")?.["metadata"]).not.toHaveProperty("labels");
  state.refusing = false;
  await round();
  await round();
  expect(missed()).toEqual([]);
});

test("after an API server that could not be reached everything is looked at again", async () => {
  const { round, missed, objects, state } = world([podOf("a"), podOf("b")]);
  state.unreachable = true;
  await expect(round()).rejects.toThrow("unreachable");
  state.unreachable = false;
  await round();
  await round();
  expect(missed()).toEqual([]);
  expect([...objects.values()].every((raw) => "labels" in (raw["metadata"] as object))).toBe(true);
});

test("a stamp newer than the snapshot is judged by what the API server has now", async () => {
  const { state, round, missed } = world([podOf("a")]);
  const older = catalogue("0", "");
  await round();
  await round();
  state.newest = state.catalogue;
  state.catalogue = older;
  state.told = [];
  await round();
  expect(state.asked).toEqual(["WorkloadRole/front"]);
  expect([missed(), state.told]).toEqual([[], []]);
});

test("all Pods are looked at again when the catalogue changes, and after a while", async () => {
  const { state, round, missed } = world([podOf("a", {}, { serviceAccountName: "back" })]);
  await round();
  state.catalogue = catalogue("2", roleOf(2, "back"));
  await round();
  await round();
  expect(missed()).toEqual([]);
  state.catalogue = { ...catalogue("1", roleOf(3)), revision: "2" };
  await round();
  expect(missed()).toEqual([]);
  state.now += 30_000;
  await round();
  expect(missed()).toEqual([["ROLE_NOT_ENTITLED", 1]]);
});
