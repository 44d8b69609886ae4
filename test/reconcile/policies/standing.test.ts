import { expect, test } from "vitest";
import { compileForCluster } from "../../../src/reconcile/policies/cluster.ts";
import { planPublishing } from "../../../src/reconcile/policies/plan.ts";
import { standingsOf } from "../../../src/reconcile/policies/standing.ts";
import { catalogueOf, must, NOON } from "../../fakes/judging.ts";
import { estateText } from "../../policy/compile/estate.ts";
import { POD_NETWORK } from "../../policy/compile/random-site.ts";

const policy = (index: number): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: SegmentPolicy, metadata: {name: p${index}, namespace: pay}, spec: {segment: payments, allow: [{from: {role: web}, to: {role: db}, 'on': [tcp/${1000 + index}], why: orders}]}}`;

/** The plan for an estate with so many SegmentPolicies, and how often an object of it was asked what it is. */
function planned(policies: number) {
  const sentences = Array.from({ length: policies }, (_, index) => policy(index));
  const state = {
    catalogue: catalogueOf(estateText({ sentences, guardrails: [] })),
    namespaces: new Map([
      ["pay", {}],
      ["shop", {}],
    ]),
    pods: [],
    nodes: [],
    policies: [],
    attachments: [],
  };
  const targets = ["networkpolicy"] as const;
  const wanted = { targets, ours: new Set(targets), podNetworks: POD_NETWORK, now: NOON };
  const plan = must(planPublishing(must(compileForCluster(state, wanted))));
  const asked = { times: 0 };
  const compiled = [...plan.published.compilation.compiled].map(([name, objects]) => {
    const counted = objects.map(({ metadata, ...rest }) => ({
      ...rest,
      get metadata() {
        asked.times += 1;
        return metadata;
      },
    }));
    return [name, counted] as const;
  });
  const compilation = { ...plan.published.compilation, compiled: new Map(compiled) };
  return { plan: { ...plan, published: { ...plan.published, compilation } }, asked };
}

test("where policies stand takes one look at each object, however many policies there are", () => {
  const [few, many] = [planned(2), planned(40)];
  const [first] = standingsOf(few.plan, new Map()).values();
  expect([first?.reason, first?.targets]).toEqual([
    "Pending",
    [{ name: "networkpolicy", objects: 2, active: 0, losses: 0 }],
  ]);
  expect(standingsOf(many.plan, new Map()).size).toBe(40);
  expect(many.asked.times).toBe(few.asked.times);
});
