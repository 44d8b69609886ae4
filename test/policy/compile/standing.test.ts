import { describe, expect, test } from "vitest";
import type { Catalogue } from "../../../src/domain/catalogue.ts";
import { type Compilation, compile } from "../../../src/policy/compile/compile.ts";
import type { Site } from "../../../src/policy/compile/doors.ts";
import type { LossCode } from "../../../src/domain/loss-codes.ts";
import type { TargetName } from "../../../src/policy/compile/targets.ts";
import { compileIntent } from "../../../src/policy/intent/intent.ts";
import { readWorld } from "../../../src/policy/foreign/world.ts";
import { must, NOON, objectsOf } from "../../fakes/judging.ts";
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

describe("policies of others", () => {
  const foreign = (...texts: readonly string[]) =>
    must(
      readWorld(
        objectsOf(texts.join("\n---\n")).map(({ raw }) => ({
          value: raw,
          locate: () => ({ file: "others.yaml", line: 1, column: 1 }),
        })),
        { multipleNetworks: false, parseYaml: () => undefined },
      ),
    );
  const widening = (targets: readonly TargetName[], ...texts: readonly string[]) => {
    const { policies, unevaluated } = foreign(...texts);
    const catalogue = estate({ guardrails: [] });
    const order = { intent: compileIntent(catalogue), members: estateMembers(catalogue), site: SITE, now: NOON };
    return must(compile({ ...order, targets, foreign: policies, unevaluated })).widening.map(
      ({ target, code, rule }) => `${target} ${code} ${rule}`,
    );
  };
  const cilium = (name: string, spec: string, where = "pay") =>
    `{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: ${name}, namespace: ${where}}, ${spec}}`;

  test("in Cilium a NetworkPolicy of somebody else adds up with its own", () => {
    const open =
      "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: open, namespace: pay}, spec: {podSelector: {}, ingress: [{}], egress: [{}]}}";
    expect(widening(["ciliumnetworkpolicy"])).toEqual([]);
    expect(widening(["ciliumnetworkpolicy"], open)).toEqual([
      "ciliumnetworkpolicy FOREIGN_ALLOW default deny: segment payments is in force (mode enforce)",
      "ciliumnetworkpolicy FOREIGN_ALLOW default deny: segment payments is in force (mode enforce) in the enrolled namespace pay",
    ]);
  });

  test("those of kinds that are not evaluated block where they may open a door that is closed", () => {
    const opens = "spec: {endpointSelector: {}, ingress: [{fromEntities: [world]}]}";
    const calico = (kind: string, action: string, where = "") =>
      `{apiVersion: crd.projectcalico.org/v1, kind: ${kind}, metadata: {name: c${where === "" ? "" : `, namespace: ${where}`}}, spec: {ingress: [{action: ${action}}]}}`;
    expect(
      widening(
        ["networkpolicy"],
        cilium("a", opens),
        cilium("b", `specs: [{endpointSelector: {}, egress: [{toEntities: [world]}]}]`),
        cilium("denies", "spec: {endpointSelector: {}, ingress: [{}], ingressDeny: [{fromEntities: [world]}]}"),
        cilium("elsewhere", opens, "lab"),
        calico("GlobalNetworkPolicy", "Allow"),
        calico("NetworkPolicy", "Pass", "shop"),
        calico("NetworkPolicy", "Deny", "pay"),
      ),
    ).toEqual([
      "networkpolicy FOREIGN_UNREAD CiliumNetworkPolicy pay/a",
      "networkpolicy FOREIGN_UNREAD CiliumNetworkPolicy pay/b",
      "networkpolicy FOREIGN_UNREAD GlobalNetworkPolicy c",
      "networkpolicy FOREIGN_UNREAD NetworkPolicy shop/c",
    ]);
  });

  test("those of Istio block where ztunnel is all that enforces", () => {
    const allow = (rules: string) =>
      `{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: i, namespace: pay}, spec: {${rules}}}`;
    const told = (targets: readonly TargetName[], rules: string) =>
      widening(targets, allow(rules)).filter((text) => text.includes("UNREAD"));
    expect(told(["istio-ztunnel"], "rules: [{}]")).toEqual(["istio-ztunnel FOREIGN_UNREAD AuthorizationPolicy pay/i"]);
    expect(told(["istio-ztunnel", "networkpolicy"], "rules: [{}]")).toEqual([]);
    expect(told(["istio-ztunnel"], "action: DENY, rules: [{}]")).toEqual([]);
    expect(told(["istio-ztunnel"], "")).toEqual([]);
  });
});
