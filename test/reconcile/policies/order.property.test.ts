import fc from "fast-check";
import { expect, test } from "vitest";
import type { Definitions } from "../../../src/domain/catalogue.ts";
import { doorsOf, type Site } from "../../../src/policy/compile/doors.ts";
import { fieldOf } from "../../../src/policy/compile/field.ts";
import { type Plane, kubernetesPlane, policiesOf } from "../../../src/policy/compile/plane.ts";
import type { Rendered } from "../../../src/policy/compile/rendered.ts";
import { type TargetName, TARGETS } from "../../../src/policy/compile/targets.ts";
import type { EffectiveEnd } from "../../../src/policy/effective/end.ts";
import { compileIntent } from "../../../src/policy/intent/intent.ts";
import { intersect, subtract, unite } from "../../../src/policy/sets/intervals.ts";
import { objectKey, orderWrites, type Write } from "../../../src/reconcile/policies/order.ts";
import { standingAfter } from "../../../src/reconcile/policies/plan.ts";
import { must, NOON } from "../../fakes/judging.ts";
import { estate, estateMembers } from "../../policy/compile/estate.ts";
import { POD_NETWORK, type SiteCase, siteCases } from "../../policy/compile/random-site.ts";
import { catalogueOf, definitions } from "../../policy/random-intent.ts";

const SITE: Site = { canaries: [], machines: [], pods: [], networks: [], podNetworks: POD_NETWORK };
const TARGETS_SHOWN: readonly TargetName[] = ["networkpolicy", "clusternetworkpolicy"];

const objectsOf = (catalogue: SiteCase["catalogue"], now: number): readonly Rendered[] => {
  const doors = doorsOf(compileIntent(catalogue), SITE, now);
  return TARGETS_SHOWN.flatMap((name) => TARGETS[name].compile(doors));
};

const planeOf = (objects: readonly Rendered[]): Plane => kubernetesPlane(must(policiesOf(objects)));

/** A change: the same roles and segments by name, other sentences, guardrails, exceptions and modes. */
const changes = fc.tuple(siteCases, definitions).map(([one, other]) => {
  const world: Definitions = {
    ...one.world,
    policies: other.policies,
    guardrails: other.guardrails,
    exceptions: other.exceptions,
    segments: one.world.segments.map((segment, index) => ({
      ...segment,
      mode: other.segments[index]?.mode ?? segment.mode,
      intra: other.segments[index]?.intra ?? segment.intra,
    })),
    namespaces: other.namespaces,
  };
  return { one, next: catalogueOf(world) };
});

type Change = { readonly one: Omit<SiteCase, "world">; readonly next: SiteCase["catalogue"] };
type Order = (before: readonly Rendered[], after: readonly Rendered[]) => readonly Write[];

/** What a reader sees between two writes that it must never see. */
function wrongs({ one, next }: Change, order: Order): readonly string[] {
  const [before, after] = [objectsOf(one.catalogue, one.now), objectsOf(next, one.now)];
  const [old, now] = [planeOf(before), planeOf(after)];
  const doors = doorsOf(compileIntent(one.catalogue), SITE, one.now);
  const { workloads } = fieldOf(doors, SITE, one.members, []);
  const state = new Map(before.map((object) => [objectKey(object), object]));
  const found: string[] = [];
  for (const { verb, object } of order(before, after)) {
    if (verb === "apply") state.set(objectKey(object), object);
    else state.delete(objectKey(object));
    found.push(...seenIn(planeOf([...state.values()]), [old, now], workloads));
  }
  const end = [...state.values()].map(objectKey).sort();
  if (end.join() !== after.map(objectKey).sort().join()) found.push("another end than the one meant");
  return found;
}

function seenIn(plane: Plane, [old, now]: readonly [Plane, Plane], ends: readonly EffectiveEnd[]): readonly string[] {
  return ends.flatMap((from) =>
    ends.flatMap((to) => {
      const [was, is, seen] = [old, now, plane].map((each) => each.admits(from, to));
      const opened = subtract(seen ?? [], unite(was ?? [], is ?? []));
      const lost = subtract(intersect(was ?? [], is ?? []), seen ?? []);
      const pair = `${from.endpoint.text} -> ${to.endpoint.text}`;
      return [...(opened.length > 0 ? [`${pair} opened`] : []), ...(lost.length > 0 ? [`${pair} lost`] : [])];
    }),
  );
}

test("between any two writes nobody passes whom neither intent lets through, and nobody whom both do is stopped", () => {
  fc.assert(
    fc.property(changes, (change) => {
      expect(wrongs(change, orderWrites)).toEqual([]);
    }),
    { numRuns: 40 },
  );
});

/** Ended after so many writes, and begun again by somebody who knows nothing but what stands. */
const interrupted =
  (share: number): Order =>
  (before, after) => {
    const all = orderWrites(before, after);
    const made = all.slice(0, Math.floor(all.length * share));
    return [...made, ...orderWrites([...standingAfter(before, made).values()], after)];
  };

test("nor where the writer is killed between two writes and another goes on from what stands", () => {
  fc.assert(
    fc.property(changes, fc.double({ min: 0, max: 1, noNaN: true }), (change, share) => {
      expect(wrongs(change, interrupted(share))).toEqual([]);
    }),
    { numRuns: 12 },
  );
});

test("what somebody else wrote into an object is in no write, and it is replaced before anything is narrowed", () => {
  const [before, after] = [objectsOf(estate(), NOON), objectsOf(estate({ sentences: [] }), NOON)];
  const isRole = ({ metadata }: Rendered): boolean => metadata.name === "signet-role-db";
  const opened = before.map((object) => (isRole(object) ? { ...object, spec: { ingress: [{}] } } : object));
  const writes = orderWrites(opened, after, new Set(["NetworkPolicy pay/signet-role-db"]));
  expect(writes.filter(({ object }) => JSON.stringify(object.spec).includes('"ingress":[{}]'))).toEqual([]);
  expect(writes.filter(({ object }) => isRole(object)).map(({ why }) => why)).toEqual(["mend"]);
  const order = writes.map(({ why }) => why);
  expect(order.lastIndexOf("widen before narrowing")).toBeLessThan(order.indexOf("mend"));
  expect(order.indexOf("mend")).toBeLessThan(order.indexOf("narrow"));
});

/** Writes each object once: what is new or changed as it is meant, then away with the rest; or the other way round. */
const naive =
  (removeFirst: boolean): Order =>
  (before, after) => {
    const keys = new Set(after.map(objectKey));
    const writes = after.map((object): Write => ({ verb: "apply", object, why: "add" }));
    const gone = before
      .filter((object) => !keys.has(objectKey(object)))
      .map((object): Write => ({ verb: "delete", object, why: "remove" }));
    return removeFirst ? [...gone, ...writes] : [...writes, ...gone];
  };

const guardrail = (name: string, ...places: readonly string[]): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: Guardrail, metadata: {name: ${name}}, spec: {deny: [${places
    .map((place) => `{from: {role: trial}, to: {namespace: {name: ${place}}}, why: apart}`)
    .join(", ")}]}}`;

test.each([
  ["removing first", true, guardrail("other", "elsewhere", "kube-system")],
  ["writing each object once", false, guardrail("base", "kube-system", "elsewhere")],
] as const)("the comparison bites: %s is found out", (_name, removeFirst, written) => {
  const catalogue = estate({ guardrails: [guardrail("base", "elsewhere", "kube-system")] });
  const change = {
    one: { catalogue, members: estateMembers(catalogue), now: NOON },
    next: estate({ guardrails: [written] }),
  };
  expect(wrongs(change, orderWrites)).toEqual([]);
  expect(wrongs(change, naive(removeFirst))).toContain("lab/trial-0[Pod] -> elsewhere/other-0[Pod] opened");
});

test("nothing is written where nothing changes", () => {
  const objects = objectsOf(estate(), NOON);
  expect(orderWrites(objects, objects)).toEqual([]);
});
