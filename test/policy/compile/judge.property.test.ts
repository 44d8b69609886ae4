import fc from "fast-check";
import { expect, test } from "vitest";
import { doorsOf, type Site } from "../../../src/policy/compile/doors.ts";
import { fieldOf } from "../../../src/policy/compile/field.ts";
import { admittedBy, type Difference, differences, type Field, groupedBy } from "../../../src/policy/compile/judge.ts";
import type { Plane } from "../../../src/policy/compile/plane.ts";
import { load, TARGETS, type TargetName } from "../../../src/policy/compile/targets.ts";
import { makeEvaluator } from "../../../src/policy/evaluate/evaluator.ts";
import { mayPass } from "../../../src/policy/evaluate/may-pass.ts";
import { foreignPassages } from "../../../src/policy/effective/verdict.ts";
import { readWorld } from "../../../src/policy/foreign/world.ts";
import { compileIntent, type Intent } from "../../../src/policy/intent/intent.ts";
import { openPassages, sliceIntent } from "../../../src/policy/intent/slices.ts";
import { scenesOf } from "../../../src/policy/analysis/scene.ts";
import { hasBit } from "../../../src/policy/reach/bits.ts";
import { ourKeys } from "../../../src/policy/reach/classes.ts";
import { sameSet } from "../../../src/policy/sets/intervals.ts";
import { must } from "../../fakes/judging.ts";
import { objectsOf, worlds } from "../worlds.ts";
import { POD_NETWORK, siteCases } from "./random-site.ts";

const SITE: Site = { canaries: [], machines: [], pods: [], networks: [], podNetworks: POD_NETWORK };

const SETS: readonly (readonly TargetName[])[] = [
  ["networkpolicy"],
  ["networkpolicy", "clusternetworkpolicy"],
  ["clusternetworkpolicy"],
  ["ciliumnetworkpolicy"],
  ["istio-ztunnel"],
  ["networkpolicy", "istio-ztunnel"],
];

/** The pairs of workloads that differ, as texts: each looked at, whatever may be known of it beforehand. */
function naive(intent: Intent, planes: readonly Plane[], { workloads }: Field, now: number): readonly string[] {
  const keys = ourKeys(intent);
  const classes = groupedBy(workloads, (one) => [keys(one.end), ...planes.map((plane) => plane.keyOf(one))].join("\n"));
  return classes.flatMap((from) =>
    classes.flatMap((to) => {
      const want = openPassages(sliceIntent(intent, from.first.end, to.first.end, now));
      return sameSet(want, admittedBy(planes, from.first, to.first))
        ? []
        : [`${from.first.endpoint.text} ${to.first.endpoint.text}`];
    }),
  );
}

const textOf = ({ from, to }: Difference): string => `${from.first.endpoint.text} ${to.first.endpoint.text}`;

test("no pair that differs is passed over, whatever is compiled and whatever others have", () => {
  fc.assert(
    fc.property(siteCases, worlds, fc.constantFrom(...SETS), ({ catalogue, members, now }, world, targets) => {
      const { policies } = must(readWorld(objectsOf(world), { multipleNetworks: false, parseYaml: () => undefined }));
      const intent = compileIntent(catalogue);
      const doors = doorsOf(intent, SITE, now);
      const compiled = new Map(targets.map((name) => [name, TARGETS[name].compile(doors)] as const));
      const loaded = must(load(compiled, policies));
      const planes = loaded.planes.map(({ plane }) => plane);
      const field = fieldOf(doors, SITE, members, loaded.policies);
      const between = { ...field, sources: [], destinations: [] };
      expect(differences(intent, planes, between, now).map(textOf)).toEqual(naive(intent, planes, field, now));
    }),
    { numRuns: 150 },
  );
});

test("whoever policies let through is among those whom they may let through", () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const read = must(readWorld(objectsOf(world), { multipleNetworks: false, parseYaml: () => undefined }));
      const evaluator = makeEvaluator(read.policies);
      const ends = scenesOf(read).flatMap((scene) => scene.members.map(({ endpoint }) => endpoint));
      const rows = mayPass(evaluator, ends);
      const missed = ends.flatMap((from, left) =>
        ends.filter(
          (to, right) =>
            foreignPassages(evaluator, from, to).length > 0 && !hasBit(rows[left] ?? new Uint32Array(), right),
        ),
      );
      expect(missed).toEqual([]);
    }),
    { numRuns: 400 },
  );
});
