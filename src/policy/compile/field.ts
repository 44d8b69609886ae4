import type { OutsideEnd, WorkloadEnd } from "../../domain/flow.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import { outsideParts } from "../effective/outside.ts";
import type { Policy } from "../model/policy.ts";
import { includesAddresses, NO_ADDRESSES, subtractAddresses } from "../sets/address-set.ts";
import type { Cell } from "./cells.ts";
import { type Doors, insideOf, type Site } from "./doors.ts";
import type { Field } from "./end-class.ts";
import { stamped } from "./stamped.ts";

/**
 * Everybody that a compilation is judged over: the workloads, stamped; for each cell without one a workload that could be
 * there; and the outside, cut wherever a rule of ours or of a policy cuts it. What Pods or machines have is not outside.
 */
export function fieldOf(
  doors: Doors,
  site: Site,
  members: readonly EffectiveEnd<WorkloadEnd>[],
  policies: readonly Policy[],
): Field {
  const { intent } = doors;
  const inside = insideOf(site);
  const outside = (parts: readonly EffectiveEnd<OutsideEnd>[]): readonly EffectiveEnd[] =>
    parts.flatMap(({ end, endpoint }) => {
      if (endpoint.kind !== "outside") return [];
      if (includesAddresses(inside, endpoint.addresses)) return [];
      return [{ end, endpoint: { ...endpoint, addresses: subtractAddresses(endpoint.addresses, inside) } }];
    });
  const { sources, destinations } = outsideParts(intent, { policies });
  return {
    workloads: workloadsOn(doors, members),
    sources: outside(sources),
    destinations: outside(destinations),
  };
}

/** For each ground the members that were seen there last, and what they were as workloads of a field. */
const known = new WeakMap<Doors["ground"], { readonly members: Members; readonly workloads: Field["workloads"] }>();

type Members = readonly EffectiveEnd<WorkloadEnd>[];

/** The same list for the same members on the same ground. */
function workloadsOn({ intent, cells, ground }: Doors, members: Members): Field["workloads"] {
  const before = known.get(ground);
  if (before?.members.length === members.length && before.members.every((one, place) => one === members[place]))
    return before.workloads;
  const held = new Set(members.map(({ end }) => cellKey(end)));
  const imagined = cells.filter((cell) => cell.labels.length > 0 || !held.has(cellKey(cell.end)));
  const workloads = [...members, ...imagined.map(imaginedEnd)].map((one) =>
    stamped(intent, ground.site.podNetworks, one),
  );
  known.set(ground, { members, workloads });
  return workloads;
}

const cellKey = ({ namespace, role }: WorkloadEnd): string => `${namespace} ${role ?? ""}`;

/** A Pod that could be in a cell, though none is in the input. */
function imaginedEnd({ end, role, namespace }: Cell): EffectiveEnd<WorkloadEnd> {
  const labels = Object.entries(end.labels).map(([key, value]) => `, ${key}=${value}`);
  const name = `(any Pod ${role === undefined ? "without a role" : `of role ${role}`}${labels.join("")})`;
  const space = namespace ?? "(any other namespace)";
  return {
    end: { ...end, object: { kind: "Pod", namespace: space, name } },
    endpoint: {
      kind: "workload",
      name: { namespace: space, name, kind: "Pod" },
      text: `${space}/${name}`,
      traits: {
        namespace: namespace ?? "",
        namespaceLabels: namespace === undefined ? {} : { "kubernetes.io/metadata.name": namespace },
        labels: end.labels,
        ports: [],
        addresses: NO_ADDRESSES,
        virtualMachine: false,
      },
    },
  };
}
