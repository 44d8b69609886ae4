import { expect, test } from "vitest";
import { compile, type Order } from "../../../src/policy/compile/compile.ts";
import { MULTI_NETWORK_POLICY, onNetworks } from "../../../src/policy/compile/multi-network-policy.ts";
import { closingMarked } from "../../../src/policy/compile/network-policy.ts";
import { compileIntent } from "../../../src/policy/intent/intent.ts";
import type { Published } from "../../../src/reconcile/policies/cluster.ts";
import { cutOffOnly } from "../../../src/reconcile/policies/cut-off.ts";
import { quarantinesSaid } from "../../../src/reconcile/policies/restriction-status.ts";
import { isEdited, withDigest } from "../../../src/policy/compile/published.ts";
import { objectKey } from "../../../src/reconcile/policies/order.ts";
import { siteOf } from "../../../src/reconcile/policies/site.ts";
import { must, NOON } from "../../fakes/judging.ts";
import { estate } from "../../policy/compile/estate.ts";

const QUARANTINE =
  "{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: q}, spec: {target: {role: db}, effect: quarantine, reason: stolen}}";

const orderOf = (
  restrictions: readonly string[],
  targets: Order["targets"] = ["networkpolicy", "multinetworkpolicy"],
): Order => {
  const catalogue = estate({ restrictions });
  const given = { catalogue, members: [], attachments: ["pay/storage"], podNetworks: { v4: [], v6: [] } };
  const site = siteOf(given);
  return { intent: compileIntent(catalogue), site, targets, foreign: [], members: [], now: NOON };
};

test("secondary networks are cut off as the first is, where nothing else may be published", () => {
  const before = must(compile(orderOf([])));
  const ours: Published["ours"] = [...before.compiled].flatMap(([target, objects]) =>
    objects.map((object) => ({ target, object })),
  );
  const order = orderOf([QUARANTINE]);
  const wanted = cutOffOnly({ order, compilation: must(compile(order)), ours });
  const secondary = wanted.filter(({ kind }) => kind === "MultiNetworkPolicy");
  const closing = onNetworks(order.site, [closingMarked("pay", [])]);
  expect(closing.map(({ metadata }) => metadata.labels?.["policy.signet.dev/target"])).toEqual([MULTI_NETWORK_POLICY]);
  expect(secondary).toEqual(expect.arrayContaining([...closing]));
  const letsGo = secondary.filter(({ spec }) => JSON.stringify(spec).includes('"operator":"DoesNotExist"'));
  expect(letsGo.map(objectKey).sort()).toEqual(
    secondary
      .map(objectKey)
      .filter((key) => !key.endsWith("/signet-quarantine"))
      .sort(),
  );
  expect(letsGo.length).toBeGreaterThan(1);
});

test("a mesh alone, which knows TCP, is never told to cut anybody off", () => {
  const said = (targets: Order["targets"], whole: boolean) => {
    const order = orderOf([QUARANTINE], targets);
    const published = { order, compilation: must(compile(order)), ours: [] };
    const plan = { published, blocking: [], pairs: [], writes: [], wanted: [], whole, edited: [] };
    return [...quarantinesSaid(plan, new Map()).values()].map(({ status, reason }) => `${status} ${reason}`);
  };
  for (const whole of [true, false]) expect(said(["istio-ztunnel"], whole)).toEqual(["False OpenStill"]);
  expect(said(["networkpolicy", "istio-ztunnel"], true)).toEqual(["True NobodyRuns"]);
});

test("an object that somebody edited is still known as edited after it was made to let go", () => {
  const order = orderOf([QUARANTINE]);
  const compilation = must(compile(order));
  const [own, next] = must(compile(orderOf([]))).compiled.get("networkpolicy") ?? [];
  if (!own || !next) throw new Error("the estate has policies");
  const standing = withDigest({ ...own, metadata: { ...own.metadata, namespace: "pay" } });
  const edited = {
    ...withDigest({ ...next, metadata: { ...next.metadata, namespace: "pay" } }),
    spec: { podSelector: {} },
  };
  const ours = [standing, edited].map((object) => ({ target: "networkpolicy" as const, object }));
  const wanted = cutOffOnly({ order, compilation, ours });
  const written = (key: string) => wanted.filter((object) => objectKey(object) === key).map(withDigest);
  expect([...written(objectKey(standing)), ...written(objectKey(edited))].map(isEdited)).toEqual([false, true]);
});
