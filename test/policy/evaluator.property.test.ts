import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { diffConnectivity } from "../../src/policy/analysis/diff.ts";
import { outside } from "../../src/policy/analysis/outside.ts";
import { scenesOf } from "../../src/policy/analysis/scene.ts";
import { decide } from "../../src/policy/evaluate/decide.ts";
import { type ClassId, type Evaluator, makeEvaluator } from "../../src/policy/evaluate/evaluator.ts";
import { allowedPorts, openPorts, passesPortless, sliceDoor } from "../../src/policy/evaluate/slices.ts";
import { readWorld } from "../../src/policy/foreign/world.ts";
import type { Endpoint } from "../../src/policy/model/endpoint.ts";
import type { Policy, Rule } from "../../src/policy/model/policy.ts";
import type { World } from "../../src/policy/model/world.ts";
import { parseAddress, setOf } from "../../src/policy/sets/address-set.ts";
import { holds, intersect, sameSet, subtract, unite, uniteAll } from "../../src/policy/sets/intervals.ts";
import { ALL_PORTS, type PortSet, portKey } from "../../src/policy/sets/port-set.ts";
import { type OracleEnd, type OracleWorld, oracleAllows } from "./oracle.ts";
import { ADDRESSES, objectsOf, PORTS, worlds } from "./worlds.ts";

const RUNS = { numRuns: 400, seed: 20260301 };
const PROTOCOLS = ["TCP", "UDP"] as const;

function read(world: OracleWorld): World {
  const result = readWorld(objectsOf(world), { multipleNetworks: false, parseYaml: () => undefined });
  if (!result.ok) throw new Error(result.problems.map(({ path, message }) => `${path}: ${message}`).join("\n"));
  return result.value;
}

/** A change of the world after it was read: none in the product, a planted fault in the tests of the tests. */
type Fault = (world: World) => World;
const NO_FAULT: Fault = (world) => world;

type Ends = { readonly oracle: OracleEnd; readonly ours: Endpoint };

/** Every end that a question can be about: each Pod, and a few addresses outside. */
function endsOf(world: OracleWorld, ours: World): readonly Ends[] {
  const members = scenesOf(ours).flatMap((scene) => scene.members);
  return [
    ...world.pods.flatMap((pod) =>
      members
        .filter(({ endpoint }) => endpoint.name.name === pod.name)
        .map(({ endpoint }) => ({ oracle: pod, ours: endpoint })),
    ),
    ...ADDRESSES.flatMap((address) => {
      const block = parseAddress(address);
      return block ? [{ oracle: address, ours: outside(setOf(block)) }] : [];
    }),
  ];
}

/** Every pair of ends of which one at least is a Pod. */
const pairsOf = (ends: readonly Ends[]): readonly (readonly [Ends, Ends])[] =>
  ends.flatMap((from) =>
    ends
      .filter((to) => to !== from && (typeof from.oracle !== "string" || typeof to.oracle !== "string"))
      .map((to) => [from, to] as const),
  );

/** Two ways of computing the open ports that must agree: with reasons, and without. */
const slicesAgree = (evaluator: Evaluator, source: ClassId, destination: ClassId): boolean =>
  sameSet(
    allowedPorts(evaluator, source, destination),
    intersect(
      openPorts(sliceDoor(evaluator, source, destination, "egress")),
      openPorts(sliceDoor(evaluator, destination, source, "ingress")),
    ),
  );

/** All verdicts of both ways of the product agree with the oracle's. */
const agreesWithOracle = (fault: Fault) =>
  fc.property(worlds, (world) => {
    const ours = fault(read(world));
    const evaluator = makeEvaluator(ours.policies);
    for (const [from, to] of pairsOf(endsOf(world, ours))) {
      const [source, destination] = [evaluator.classOf(from.ours), evaluator.classOf(to.ours)];
      const ports = allowedPorts(evaluator, source, destination);
      if (!slicesAgree(evaluator, source, destination)) return false;
      if (passesPortless(evaluator, source, destination) !== oracleAllows(world, from.oracle, to.oracle, "ICMP", 0))
        return false;
      for (const protocol of PROTOCOLS)
        for (const port of PORTS) {
          const key = portKey(protocol, port);
          const wanted = oracleAllows(world, from.oracle, to.oracle, protocol, port);
          if (holds(ports, key) !== wanted || decide(evaluator, source, destination, key).allowed !== wanted)
            return false;
        }
    }
    return true;
  });

describe("the verdict is that of a naive evaluator that reads the raw objects", () => {
  test("for every pair, every port, and both ways of asking", () => {
    fc.assert(agreesWithOracle(NO_FAULT), RUNS);
  });
});

const everyRule =
  (change: (rule: Rule, policy: Policy) => Rule): Fault =>
  (world) => ({
    ...world,
    policies: world.policies.map((policy) => ({
      ...policy,
      rules: {
        ingress: policy.rules.ingress?.map((rule) => change(rule, policy)),
        egress: policy.rules.egress?.map((rule) => change(rule, policy)),
      },
    })),
  });

const FAULTS: Readonly<Record<string, Fault>> = {
  "priorities are read backwards": (world) => ({
    ...world,
    policies: world.policies.map((policy) => ({ ...policy, priority: -policy.priority })),
  }),
  "Pass counts as Allow": everyRule((rule) => (rule.action === "pass" ? { ...rule, action: "allow" } : rule)),
  "Pass counts as Deny": everyRule((rule) => (rule.action === "pass" ? { ...rule, action: "deny" } : rule)),
  "a rule without ports means no port": everyRule((rule) => (rule.ports === "all" ? { ...rule, ports: [] } : rule)),
  "a rule without peers means nobody": everyRule((rule) => (rule.peers === "anyone" ? { ...rule, peers: [] } : rule)),
  "a named port without a match means all ports": everyRule((rule) =>
    rule.ports !== "all" && rule.ports.some(({ kind }) => kind === "named") ? { ...rule, ports: "all" } : rule,
  ),
  "ipBlock matches Pods": everyRule((rule) => ({
    ...rule,
    peers:
      rule.peers === "anyone"
        ? rule.peers
        : rule.peers.map((peer) => (peer.kind === "addresses" ? { ...peer, matchesPods: true } : peer)),
  })),
  "networks of ClusterNetworkPolicy don't match Pods": everyRule((rule) => ({
    ...rule,
    peers:
      rule.peers === "anyone"
        ? rule.peers
        : rule.peers.map((peer) => (peer.kind === "addresses" ? { ...peer, matchesPods: false } : peer)),
  })),
  "only the first rule counts": (world) => ({
    ...world,
    policies: world.policies.map((policy) => ({
      ...policy,
      rules: { ingress: policy.rules.ingress?.slice(0, 1), egress: policy.rules.egress?.slice(0, 1) },
    })),
  }),
  "a policy covers both directions always": (world) => ({
    ...world,
    policies: world.policies.map((policy) => ({
      ...policy,
      rules: { ingress: policy.rules.ingress ?? [], egress: policy.rules.egress ?? [] },
    })),
  }),
  "the baseline comes before NetworkPolicies": (world) => ({
    ...world,
    policies: world.policies.map((policy) =>
      policy.tier === "baseline" ? { ...policy, tier: "admin", priority: 999 } : policy,
    ),
  }),
  "namespaces have no labels": (world) => ({
    ...world,
    namespaces: new Map([...world.namespaces.keys()].map((name) => [name, {}])),
  }),
};

describe("the comparison with the naive evaluator notices when", () => {
  for (const [name, fault] of Object.entries(FAULTS))
    test(name, () => {
      expect(fc.check(agreesWithOracle(fault), RUNS).failed).toBe(true);
    });
});

/** The slices of a door part all ports: none is in two, none is in none. */
const slicesPart = (damage: (sets: readonly PortSet[]) => readonly PortSet[]) =>
  fc.property(worlds, (world) => {
    const ours = read(world);
    const evaluator = makeEvaluator(ours.policies);
    return pairsOf(endsOf(world, ours)).every(([from, to]) => {
      const [source, destination] = [evaluator.classOf(from.ours), evaluator.classOf(to.ours)];
      const sets = damage(sliceDoor(evaluator, source, destination, "egress").map(({ ports }) => ports));
      const apart = sets.every((set, index) =>
        sets.slice(index + 1).every((other) => intersect(set, other).length === 0),
      );
      return apart && sameSet(uniteAll(sets), ALL_PORTS);
    });
  });

describe("the slices of a door part all ports", () => {
  test("none is in two, none is left over", () => {
    fc.assert(
      slicesPart((sets) => sets),
      { ...RUNS, numRuns: 150 },
    );
  });
  test("and it is noticed when one is lost, or counted twice", () => {
    expect(
      fc.check(
        slicesPart((sets) => sets.slice(1)),
        RUNS,
      ).failed,
    ).toBe(true);
    expect(
      fc.check(
        slicesPart((sets) => [...sets, ...sets.slice(0, 1)]),
        RUNS,
      ).failed,
    ).toBe(true);
  });
});

/** What a pair had, less what it lost, with what it gained, is what it has. */
const diffAddsUp = (change: (ports: PortSet) => PortSet) =>
  fc.property(worlds, worlds, (one, two) => {
    const changes = diffConnectivity(read(one), read({ ...two, pods: one.pods }));
    return changes.every(({ before, after, gained, lost }) =>
      sameSet(unite(subtract(before, lost), change(gained)), after),
    );
  });

describe("a difference adds up", () => {
  test("what was, less what is lost, with what is gained, is what is", () => {
    fc.assert(
      diffAddsUp((ports) => ports),
      { ...RUNS, numRuns: 100 },
    );
  });
  test("and it is noticed when gains are left out", () => {
    expect(
      fc.check(
        diffAddsUp(() => []),
        RUNS,
      ).failed,
    ).toBe(true);
  });
  test("and no world differs from itself", () => {
    fc.assert(
      fc.property(worlds, (world) => diffConnectivity(read(world), read(world)).length === 0),
      { ...RUNS, numRuns: 100 },
    );
  });
});
