import type { Catalogue } from "../../domain/catalogue.ts";
import type { WorkloadEnd } from "../../domain/flow.ts";
import type { Labels } from "../../domain/label-selector.ts";
import { isReservedLabel } from "../../domain/reserved-keys.ts";
import type { QuarantinedPods, Site } from "../../policy/compile/doors.ts";
import { type EffectiveEnd, isPodLike } from "../../policy/effective/end.ts";
import { isInside } from "../../policy/model/endpoint.ts";
import {
  type AddressSet,
  NO_ADDRESSES,
  noAddresses,
  parseAddress,
  setOf,
  uniteAddresses,
} from "../../policy/sets/address-set.ts";

import { quarantinesIn } from "../pods/quarantined.ts";

/** What of a place is there to compile for; `attachments` are its secondary networks, as `namespace/name`. */
export type Place = {
  readonly catalogue: Catalogue;
  readonly members: readonly EffectiveEnd<WorkloadEnd>[];
  readonly attachments: Iterable<string>;
  readonly podNetworks: AddressSet;
};

/** What of the place that is compiled for no definition tells: its machines, its Pods, and who is named by a canary. */
export const siteOf = ({ catalogue, members, attachments, podNetworks }: Place): Site => {
  const whoOf = whoIn(catalogue);
  return {
    podNetworks,
    networks: [...attachments].map((key) => {
      const [namespace = "", name = ""] = key.split("/");
      return { namespace, name };
    }),
    machines: members
      .filter(({ end }) => !isPodLike(end))
      .map(({ end }) => ({
        ...whoOf(end),
        kind: end.workloadKind === "Function" ? "Function" : "Machine",
        addresses: addressesOf(catalogue, end),
      })),
    pods: members.flatMap(({ end, endpoint }) =>
      isInside(endpoint) && !noAddresses(endpoint.traits.addresses)
        ? [{ ...whoOf(end), kind: "Pod" as const, addresses: endpoint.traits.addresses }]
        : [],
    ),
    canaries: canariesOf(catalogue, members),
    ...quarantinedIn(catalogue, members),
  };
};

/** Where single Pods are under quarantine; a role or segment that is so as a whole needs no telling apart. */
function quarantinedIn(catalogue: Catalogue, members: readonly EffectiveEnd<WorkloadEnd>[]): Pick<Site, "quarantined"> {
  const single = catalogue.definitions.restrictions.some(
    ({ effect, target }) => effect === "quarantine" && !WHOLE.has(target.by),
  );
  if (!single) return {};
  const find = quarantinesIn(catalogue);
  const found = new Map<string, QuarantinedPods>();
  for (const { end } of members) {
    const ruling = isPodLike(end) ? find(end) : undefined;
    if (!ruling) continue;
    const { namespace, role } = end;
    const key = `${namespace} ${role ?? ""}`;
    const rulings = [...(found.get(key)?.rulings ?? []), ruling].filter(
      (one, index, all) => all.findIndex(({ object }) => object === one.object) === index,
    );
    found.set(key, { namespace, ...(role === undefined ? {} : { role }), rulings });
  }
  return found.size === 0 ? {} : { quarantined: [...found.values()] };
}

const WHOLE: ReadonlySet<string> = new Set(["role", "segment", "serial"]);

/** Those whom a canary names one by one, each once: replicas of one workload have the same labels. */
function canariesOf(catalogue: Catalogue, members: readonly EffectiveEnd<WorkloadEnd>[]): Site["canaries"] {
  const found = new Map<string, Site["canaries"][number]>();
  for (const { end, endpoint } of members) {
    const { role, namespace, inCanary, segment } = end;
    const named = catalogue.segments.get(segment ?? "")?.canary.namespaces.includes(namespace);
    if (role === undefined || !inCanary || named) continue;
    const labels = lasting(isInside(endpoint) ? endpoint.traits.labels : {});
    found.set(JSON.stringify([namespace, role, labels]), { namespace, role, labels });
  }
  return [...found.values()];
}

/** Labels that controllers give to single Pods or single rollouts: the next Pod of the workload has others. */
const PASSING: ReadonlySet<string> = new Set([
  "pod-template-hash",
  "pod-template-generation",
  "controller-revision-hash",
  "statefulset.kubernetes.io/pod-name",
  "apps.kubernetes.io/pod-index",
  "batch.kubernetes.io/controller-uid",
  "controller-uid",
]);

const lasting = (labels: Labels): Labels =>
  Object.fromEntries(
    Object.entries(labels)
      .filter(([key]) => !PASSING.has(key) && !isReservedLabel(key))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

/** Who an end is, and whether it is under quarantine. */
function whoIn(catalogue: Catalogue) {
  const find = quarantinesIn(catalogue);
  return (end: WorkloadEnd) => ({
    namespace: end.namespace,
    name: end.object.name,
    ...(end.role === undefined ? {} : { role: end.role }),
    ...(find(end) ? ({ quarantined: true } as const) : {}),
  });
}

const addressesOf = ({ definitions }: Catalogue, { namespace, object }: WorkloadEnd): AddressSet =>
  definitions.externalWorkloads
    .filter((each) => each.namespace === namespace && each.name === object.name)
    .flatMap(({ addresses }) => addresses.map(parseAddress))
    .reduce<AddressSet>((all, block) => (block ? uniteAddresses(all, setOf(block)) : all), NO_ADDRESSES);
