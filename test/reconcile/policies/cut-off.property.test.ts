import fc from "fast-check";
import { expect, test } from "vitest";
import { changeOf } from "../../../src/policy/compile/change.ts";
import { compile, type Order } from "../../../src/policy/compile/compile.ts";
import { fieldOf } from "../../../src/policy/compile/field.ts";
import { admittedBy } from "../../../src/policy/compile/plane.ts";
import { targetOf } from "../../../src/policy/compile/published.ts";
import { load, type TargetName } from "../../../src/policy/compile/targets.ts";
import { compileIntent } from "../../../src/policy/intent/intent.ts";
import { compiledOf, type Published } from "../../../src/reconcile/policies/cluster.ts";
import { cutOffOnly } from "../../../src/reconcile/policies/cut-off.ts";
import { siteOf } from "../../../src/reconcile/policies/site.ts";
import { must } from "../../fakes/judging.ts";
import { POD_NETWORK, type SiteCase, siteCases } from "../../policy/compile/random-site.ts";
import { catalogueOf } from "../../policy/random-intent.ts";

const SETS: readonly (readonly TargetName[])[] = [
  ["networkpolicy"],
  ["networkpolicy", "clusternetworkpolicy"],
  ["ciliumnetworkpolicy"],
  ["networkpolicy", "istio-ztunnel"],
];

/** Somebody of each world is under quarantine, by role and by Pod. */
function orderOf({ world, members, now }: SiteCase, targets: readonly TargetName[], isCut: boolean): Order {
  const [role] = world.roles;
  const [first] = members;
  const base = { approval: { state: "unchecked" }, effect: "quarantine", reason: "stolen" } as const;
  const restrictions = isCut
    ? [
        { ...base, name: "q1", target: { by: "role", name: role?.name ?? "r" } } as const,
        {
          ...base,
          name: "q2",
          target: { by: "pod", namespace: first?.end.namespace, name: first?.end.object.name },
        } as const,
      ]
    : [];
  const catalogue = catalogueOf({ ...world, restrictions: restrictions as unknown as typeof world.restrictions });
  const site = siteOf({ catalogue, members, attachments: [], podNetworks: POD_NETWORK });
  return { intent: compileIntent(catalogue), site, targets, foreign: [], members, now };
}

test("what cuts off besides what stands opens nothing, whatever stands, and closes whoever is cut off", () => {
  fc.assert(
    fc.property(siteCases, siteCases, fc.constantFrom(...SETS), (old, next, targets) => {
      const before = must(compile(orderOf(old, targets, false)));
      const order = orderOf(next, targets, true);
      const compilation = must(compile(order));
      const ours: Published["ours"] = [...before.compiled].flatMap(([target, objects]) =>
        objects.map((object) => ({ target, object })),
      );
      const wanted = cutOffOnly({ order, compilation, ours });
      const after = compiledOf(
        wanted.map((object) => {
          const target = targetOf(object.metadata.labels);
          if (!target) throw new Error("not ours");
          return { target, object };
        }),
      );
      const field = fieldOf(compilation.doors, order.site, order.members, []);
      const changes = must(changeOf(compiledOf(ours), after, [], field));
      expect(changes.filter(({ opens }) => opens.length > 0)).toEqual([]);
      const planes = must(load(after, [])).planes.map(({ plane }) => plane);
      const cut = field.workloads.filter(({ end }) => order.intent.quarantineOf(end) !== undefined);
      const reached = cut.filter((one) =>
        field.workloads.some((other) =>
          [admittedBy(planes, one, other), admittedBy(planes, other, one)].some(({ length }) => length > 0),
        ),
      );
      expect(reached.map(({ endpoint }) => endpoint.text)).toEqual([]);
    }),
    { numRuns: 40 },
  );
});
