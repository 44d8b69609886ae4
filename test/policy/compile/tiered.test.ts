import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Catalogue } from "../../../src/domain/catalogue.ts";
import type { WorkloadEnd } from "../../../src/domain/flow.ts";
import { type Compilation, compile } from "../../../src/policy/compile/compile.ts";
import type { Site } from "../../../src/policy/compile/doors.ts";
import type { Loss } from "../../../src/policy/compile/loss.ts";
import type { TargetName } from "../../../src/policy/compile/targets.ts";
import type { EffectiveEnd } from "../../../src/policy/effective/end.ts";
import { compileIntent } from "../../../src/policy/intent/intent.ts";
import { must, NOON } from "../../fakes/judging.ts";
import { estate, estateMembers, PARTS } from "./estate.ts";
import { POD_NETWORK, type SiteCase, siteCases } from "./random-site.ts";

const SITE: Site = { canaries: [], machines: [], pods: [], networks: [], podNetworks: POD_NETWORK };

const TIERS = ["clusternetworkpolicy", "adminnetworkpolicy"] as const;

const compiled = (
  catalogue: Catalogue,
  targets: readonly TargetName[],
  members: readonly EffectiveEnd<WorkloadEnd>[] = estateMembers(catalogue),
  now = NOON,
): Compilation => must(compile({ intent: compileIntent(catalogue), site: SITE, targets, foreign: [], members, now }));

/** A tier above looks a port up by its name alone: of two of one name, in two protocols, a denial means the first. */
const namesPortsOnce = ({ members }: SiteCase): boolean =>
  members.every(({ end: { ports } }) => new Set(ports.map(({ name }) => name)).size === ports.length);

const isOfPods = ({ rule }: Loss): boolean => rule.startsWith("Restriction");

describe.each(TIERS)("NetworkPolicies and %s", (tier) => {
  test("admit no more than the intent between any workloads, whatever their modes", () => {
    fc.assert(
      fc.property(siteCases.filter(namesPortsOnce), ({ catalogue, members, now }) => {
        const { widening } = compiled(catalogue, ["networkpolicy", tier], members, now);
        expect(widening.filter((loss) => !isOfPods(loss) && loss.code !== "PROTOCOL_UNSUPPORTED")).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });

  test("what NetworkPolicies alone cannot deny is denied: nothing of the estate is wider", () => {
    const wide = (targets: readonly TargetName[]) => compiled(estate(), targets).widening.map(({ rule }) => rule);
    expect(wide(["networkpolicy"])).toEqual(["Guardrail base, spec.deny[1]"]);
    expect(wide(["networkpolicy", tier])).toEqual([]);
  });

  test("an exception goes through the fence for the two roles and the port it names, and no further", () => {
    const { losses } = compiled(estate(), ["networkpolicy", tier]);
    expect(losses.filter(({ rule }) => rule.startsWith("SegmentException")).map(({ code }) => code)).toEqual([
      "EXPIRY_BY_CONTROLLER",
      "EXPIRY_BY_CONTROLLER",
      "ESTABLISHED_SURVIVES",
      "ESTABLISHED_SURVIVES",
    ]);
    const after = compiled(estate(), ["networkpolicy", tier], undefined, Date.parse("2026-12-24T00:00:00Z"));
    expect(JSON.stringify([...after.compiled.values()])).not.toContain("5433");
  });

  test("as Kubernetes objects", async () => {
    const objects = compiled(estate(), [tier]).compiled.get(tier);
    await expect(`${JSON.stringify(objects, null, 2)}\n`).toMatchFileSnapshot(
      `../../golden/compile/estate.${tier}.json`,
    );
  });

  test("every priority is used once, and none is beyond those that implementations enforce", () => {
    const priorities = (compiled(estate(), [tier]).compiled.get(tier) ?? []).map(priorityOf);
    const admin = priorities.filter((one) => one < (tier === "adminnetworkpolicy" ? 100 : 1000));
    expect(new Set(priorities).size).toBe(priorities.length);
    expect(admin.length).toBe(priorities.length - (tier === "clusternetworkpolicy" ? 1 : 0));
  });

  test("more peers than one list holds stand in several, and the verdicts stay", () => {
    const lone = Array.from(
      { length: 60 },
      (_, index) =>
        `{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: r${index}}, spec: {segment: lab, match: {serviceAccounts: [a${index}]}}}`,
    );
    const denials = Array.from(
      { length: 60 },
      (_, index) =>
        `{from: {role: r${index}}, to: {role: trial}, 'on': [tcp/${1000 + index}, tcp/${3000 + 2 * index}], why: noise}`,
    );
    const ports = Array.from({ length: 60 }, (_, index) => `tcp/${1000 + 2 * index}`);
    const guardrails = [
      `{apiVersion: signet.dev/v1alpha1, kind: Guardrail, metadata: {name: wide}, spec: {deny: [${denials.slice(0, 20).join(", ")}, {from: {role: web}, to: {role: trial}, 'on': [${ports.join(", ")}], why: noise}]}}`,
    ];
    const catalogue = estate({ roles: [...PARTS.roles, ...lone], guardrails });
    const { compiled: objects, widening } = compiled(catalogue, ["networkpolicy", tier]);
    expect(widening).toEqual([]);
    expect(longestList(objects.get(tier))).toBeLessThanOrEqual(tier === "clusternetworkpolicy" ? 25 : 100);
  });
});

const priorityOf = (object: { readonly spec: unknown }): number =>
  (object.spec as { readonly priority: number }).priority;

/** The longest list anywhere in a value, those of label values aside. */
function longestList(value: unknown, key = ""): number {
  if (typeof value !== "object" || value === null) return 0;
  const inner = Object.entries(value).map(([name, each]) => longestList(each, name));
  const own = Array.isArray(value) && key !== "values" && key !== "" ? value.length : 0;
  return Math.max(own, ...inner);
}

test("the baseline tier keeps an enclosed namespace closed when its NetworkPolicies are gone", () => {
  for (const tier of ["clusternetworkpolicy", "baselineadminnetworkpolicy"] as const) {
    const { widening } = compiled(estate(), [tier, "adminnetworkpolicy"]);
    expect(widening).toEqual([]);
  }
});

test("a quarantined role reaches nobody and nobody reaches it", () => {
  const restrictions = [
    "{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: q}, spec: {target: {role: trial}, effect: quarantine, reason: stolen}}",
  ];
  const catalogue = estate({ restrictions });
  for (const tier of TIERS) expect(compiled(catalogue, ["networkpolicy", tier]).widening).toEqual([]);
});
