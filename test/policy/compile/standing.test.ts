import { describe, expect, test } from "vitest";
import type { Catalogue } from "../../../src/domain/catalogue.ts";
import { type Compilation, compile } from "../../../src/policy/compile/compile.ts";
import type { Site } from "../../../src/policy/compile/doors.ts";
import type { LossCode } from "../../../src/domain/loss-codes.ts";
import type { TargetName } from "../../../src/policy/compile/targets.ts";
import { compileIntent } from "../../../src/policy/intent/intent.ts";
import { must, NOON } from "../../fakes/judging.ts";
import { estate, estateMembers, PARTS } from "./estate.ts";
import { POD_NETWORK } from "./random-site.ts";

const SITE: Site = { canaries: [], machines: [], pods: [], networks: [], podNetworks: POD_NETWORK };

const compiled = (catalogue: Catalogue, targets: readonly TargetName[], site = SITE): Compilation =>
  must(
    compile({
      intent: compileIntent(catalogue),
      site,
      targets,
      foreign: [],
      members: estateMembers(catalogue),
      now: NOON,
    }),
  );

/** What is told under a code: target, effect and rule. */
const told = ({ losses }: Compilation, code: LossCode): readonly string[] =>
  losses.filter((loss) => loss.code === code).map(({ target, effect, rule }) => `${target} ${effect} ${rule}`);

const ALL_PODS = [
  "networkpolicy",
  "clusternetworkpolicy",
  "adminnetworkpolicy",
  "baselineadminnetworkpolicy",
  "ciliumnetworkpolicy",
] as const;

test.each(ALL_PODS)("%s knows Pods by their stamp, and from the moment at which its rules are there", (target) => {
  const found = compiled(estate(), [target]);
  expect(told(found, "IDENTITY_AS_LABEL")).toEqual([`${target} exact every line`]);
  expect(told(found, "STARTUP_WINDOW")).toEqual([`${target} exact every Pod that starts`]);
});

test("what looks at certificates, or at hosts, is told nothing of stamps", () => {
  for (const target of ["istio-ztunnel", "nftables", "postgres"] as const)
    expect(told(compiled(estate(), [target]), "IDENTITY_AS_LABEL")).toEqual([]);
});

test("connections may outlive a line that ends, but not in Cilium, which looks at each packet", () => {
  const line = "SegmentException pay/x, spec.permit.sentence";
  const survives = (target: TargetName) => told(compiled(estate(), [target]), "ESTABLISHED_SURVIVES");
  expect(survives("networkpolicy")).toEqual([`networkpolicy exact ${line}`]);
  expect(survives("nftables")).toEqual([`nftables exact ${line}`]);
  expect(survives("ciliumnetworkpolicy")).toEqual([]);
});

test("a second network of an enclosed namespace is covered by a target for it alone", () => {
  const site: Site = {
    ...SITE,
    networks: [
      { namespace: "pay", name: "storage" },
      { namespace: "lab", name: "storage" },
    ],
  };
  const rule = "default deny: namespace pay";
  expect(told(compiled(estate(), ["networkpolicy"], site), "SECONDARY_NIC_UNCOVERED")).toEqual([
    `networkpolicy unenforced ${rule}`,
  ]);
  expect(told(compiled(estate(), ["networkpolicy", "multinetworkpolicy"], site), "SECONDARY_NIC_UNCOVERED")).toEqual(
    [],
  );
  expect(told(compiled(estate(), ["networkpolicy"]), "SECONDARY_NIC_UNCOVERED")).toEqual([]);
});

const guardrail = (name: string, denial: string): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: Guardrail, metadata: {name: ${name}}, spec: {deny: [${denial}]}}`;

describe("what a tier holds", () => {
  const ports = (count: number) => Array.from({ length: count }, (_, index) => `tcp/${1000 + 2 * index}`).join(", ");
  const denying = (count: number) =>
    estate({ guardrails: [guardrail("wide", `{from: {role: web}, to: {role: db}, 'on': [${ports(count)}], why: w}`)] });

  test("more ports than one rule holds stand in several, and no fewer", () => {
    const split = (count: number, target: TargetName) =>
      told(compiled(denying(count), ["networkpolicy", target]), "LIMIT_SPLIT");
    expect(split(25, "clusternetworkpolicy")).toEqual([]);
    expect(split(26, "clusternetworkpolicy")).toEqual(["clusternetworkpolicy exact Guardrail wide, spec.deny[0]"]);
    expect(split(26, "adminnetworkpolicy")).toEqual([]);
  });

  test("denials beyond the priorities are not written, named, and hold everything back", () => {
    const guardrails = Array.from({ length: 101 }, (_, index) =>
      guardrail(`g${index}`, "{from: {role: web}, to: {role: db}, 'on': [tcp/1], why: w}"),
    );
    const catalogue = estate({ guardrails });
    const { compiled: objects, losses, widening } = compiled(catalogue, ["networkpolicy", "adminnetworkpolicy"]);
    const out = losses.filter(({ code }) => code === "PRIORITY_EXHAUSTED");
    expect(objects.get("adminnetworkpolicy")?.length).toBe(100);
    expect(out.map(({ target, effect, rule }) => [target, effect, rule])).toEqual([
      ["adminnetworkpolicy", "wider", expect.stringMatching(/^Guardrail g\d+, spec\.deny\[0\]$/)],
    ]);
    expect(widening).toContainEqual(out[0]);
    expect(told(compiled(catalogue, ["networkpolicy", "clusternetworkpolicy"]), "PRIORITY_EXHAUSTED")).toEqual([]);
  });
});

test("ztunnel beside a waypoint lets the callers of an HTTP line past it: that holds everything back", () => {
  const catalogue = estate({
    sentences: [
      ...PARTS.sentences,
      "{apiVersion: signet.dev/v1alpha1, kind: SegmentPolicy, metadata: {name: web, namespace: pay}, spec: {segment: payments, allow: [{from: {role: web}, to: {role: db}, 'on': [tcp/8080], data: {protocol: http, operations: [get]}, why: reads}]}}",
    ],
  });
  const both = compiled(catalogue, ["istio-ztunnel", "istio-waypoint"]);
  const line = "SegmentPolicy pay/web, spec.allow[0]";
  expect(told(both, "WAYPOINT_BYPASS")).toEqual([`istio-ztunnel+istio-waypoint wider ${line}`]);
  expect(both.widening.filter(({ code }) => code === "WAYPOINT_BYPASS").map(({ rule }) => rule)).toEqual([line]);
  expect(told(compiled(catalogue, ["istio-waypoint"]), "WAYPOINT_BYPASS")).toEqual([]);
  expect(told(compiled(estate(), ["istio-ztunnel", "istio-waypoint"]), "WAYPOINT_BYPASS")).toEqual([]);
});
