import type { OutsideEnd, WorkloadEnd } from "../../domain/flow.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import { outsideParts } from "../effective/outside.ts";
import type { Policy } from "../model/policy.ts";
import { includesAddresses, NO_ADDRESSES, subtractAddresses } from "../sets/address-set.ts";
import type { Cell } from "./cells.ts";
import { type Doors, insideOf, type Site } from "./doors.ts";
import type { Field } from "./judge.ts";
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
  const { intent, cells } = doors;
  const held = new Set(members.map(({ end }) => cellKey(end)));
  const imagined = cells.filter((cell) => cell.labels.length > 0 || !held.has(cellKey(cell.end)));
  const inside = insideOf(site);
  const outside = (parts: readonly EffectiveEnd<OutsideEnd>[]): readonly EffectiveEnd[] =>
    parts.flatMap(({ end, endpoint }) => {
      if (endpoint.kind !== "outside") return [];
      if (includesAddresses(inside, endpoint.addresses)) return [];
      return [{ end, endpoint: { ...endpoint, addresses: subtractAddresses(endpoint.addresses, inside) } }];
    });
  const { sources, destinations } = outsideParts(intent, { policies });
  return {
    workloads: [
      ...members.map((member) => stamped(intent, site.podNetworks, member)),
      ...imagined.map((cell) => stamped(intent, site.podNetworks, imaginedEnd(cell))),
    ],
    sources: outside(sources),
    destinations: outside(destinations),
  };
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
