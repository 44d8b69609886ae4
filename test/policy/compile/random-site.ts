import fc from "fast-check";
import type { Catalogue, Definitions } from "../../../src/domain/catalogue.ts";
import type { WorkloadEnd } from "../../../src/domain/flow.ts";
import type { EffectiveEnd } from "../../../src/policy/effective/end.ts";
import { PROTOCOLS } from "../../../src/policy/sets/port-set.ts";
import { type AddressSet, NO_ADDRESSES } from "../../../src/policy/sets/address-set.ts";
import { catalogueOf, definitions, instant, workloadOf } from "../random-intent.ts";

/** A catalogue, workloads that hold their roles by right, and an instant. */
export type SiteCase = {
  readonly world: Definitions;
  readonly catalogue: Catalogue;
  readonly members: readonly EffectiveEnd<WorkloadEnd>[];
  readonly now: number;
};

/** Random catalogues with workloads as admission lets them be. */
export const siteCases: fc.Arbitrary<SiteCase> = definitions.chain((world) => {
  const catalogue = catalogueOf(world);
  return fc.record({
    world: fc.constant(world),
    catalogue: fc.constant(catalogue),
    members: fc
      .array(workloadOf(world), { minLength: 2, maxLength: 8 })
      .map((ends) => ends.map((end, index) => memberOf(entitled(catalogue, end), index))),
    now: instant,
  });
});

/** The end without a role that its namespace does not grant. */
function entitled(catalogue: Catalogue, end: WorkloadEnd): WorkloadEnd {
  const { role, segment, environment, classification, ...nobody } = end;
  const held = catalogue.namespaces.get(end.namespace)?.roles.find(({ name }) => name === role);
  if (!held) return { ...nobody, inCanary: false };
  const owner = catalogue.segments.get(held.segment);
  return { ...end, inCanary: owner?.canary.namespaces.includes(end.namespace) ?? false };
}

/** The end as data planes see it. */
export function memberOf(end: WorkloadEnd, index = 0): EffectiveEnd<WorkloadEnd> {
  const name = { namespace: end.namespace, name: `${end.object.name}-${index}`, kind: "Pod" };
  return {
    end,
    endpoint: {
      kind: "workload",
      name,
      text: `${name.namespace}/${name.name}[Pod]`,
      traits: {
        namespace: end.namespace,
        namespaceLabels: { "kubernetes.io/metadata.name": end.namespace },
        labels: end.labels,
        ports: end.ports.map(({ name: port, protocol, port: number }) => ({
          name: port,
          port: number,
          protocol: PROTOCOLS.find((one) => one.toLowerCase() === protocol) ?? "TCP",
        })),
        addresses: NO_ADDRESSES,
        virtualMachine: false,
      },
    },
  };
}

/** Where the Pods of the tests have their addresses. */
export const POD_NETWORK: AddressSet = { v4: [0x0a000000, 0x0a010000], v6: [] };
