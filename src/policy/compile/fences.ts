import { CLASSIFICATION_LABEL, ENVIRONMENT_LABEL, ROLE_LABEL } from "../../domain/reserved-keys.ts";
import type { LabelSelector } from "../../domain/label-selector.ts";
import type { FenceDimension, PortSpec } from "../../domain/sentences.ts";
import type { Fence, Line } from "../intent/line.ts";
import { type Bits, both, eachBit, isEmpty, noBits, without } from "../reach/bits.ts";
import type { Ground } from "./doors.ts";
import type { Pods } from "./parties.ts";
import { stillDenied } from "./ports.ts";
import type { Refusal } from "./refusals.ts";

/** An exception that lifts denials, and the cells it names. */
export type Crossing = { readonly line: Line; readonly from: Bits; readonly to: Bits };

const LABELS: Readonly<Record<FenceDimension, string>> = {
  environment: ENVIRONMENT_LABEL,
  classification: CLASSIFICATION_LABEL,
};

const ANY: readonly PortSpec[] = [{ protocol: "any" }];

/** One value of a fence, and who is on its other sides. */
type Side = {
  readonly base: Pick<Refusal, "origin" | "ruling" | "direction">;
  readonly here: LabelSelector;
  readonly others: LabelSelector;
};

/** One value of a fence refuses all others; who has none is outside it. Roles that an exception lets be called stand apart. */
export function fenceRefusals(ground: Ground, fence: Fence, crossings: readonly Crossing[]): readonly Refusal[] {
  const key = LABELS[fence.dimension];
  const values = new Set([...ground.intent.catalogue.segments.values()].flatMap((one) => one[fence.dimension] ?? []));
  return [...values].sort().flatMap((value) => {
    const cells = ground.selecting.sure({ by: fence.dimension, name: value });
    const lifted = crossings.filter(({ from, to }) => !isEmpty(both(to, cells)) && !isEmpty(without(from, cells)));
    const roles = rolesIn(ground, both(unionOf(lifted, "to", ground), cells));
    const side: Side = {
      base: { origin: `fence-${fence.dimension}-${value}`, ruling: fence, direction: "ingress" },
      here: [{ key, operator: "In", values: [value] }],
      others: [
        { key, operator: "Exists", values: [] },
        { key, operator: "NotIn", values: [value] },
      ],
    };
    const plain = refusal(side, [...side.here, ...notRoles(roles)], side.others, ANY);
    return [plain, ...roles.flatMap((role) => aroundRole(ground, side, role, lifted))];
  });
}

/** The fence around one role that exceptions let be called: by those roles on the rest of the ports, by all others on none. */
function aroundRole(ground: Ground, side: Side, role: string, lifted: readonly Crossing[]): readonly Refusal[] {
  const touching = lifted.filter(({ line }) => line.to.by === "role" && line.to.name === role);
  const callers = rolesIn(ground, unionOf(touching, "from", ground));
  const subject = isRole(role);
  const rest = callers.flatMap((caller) => {
    const on = touching
      .filter(({ line }) => line.from.by === "role" && line.from.name === caller)
      .reduce((left, { line }) => stillDenied(left, line.on), ANY);
    return on.length > 0 ? [refusal(side, subject, [...side.others, ...isRole(caller)], on)] : [];
  });
  return [refusal(side, subject, [...side.others, ...notRoles(callers)], ANY), ...rest];
}

const refusal = ({ base }: Side, subject: LabelSelector, peers: LabelSelector, on: readonly PortSpec[]): Refusal => ({
  ...base,
  subject: everywhere(subject),
  parties: [everywhere(peers)],
  on,
});

const everywhere = (pods: LabelSelector): Pods => ({ kind: "pods", namespaces: [], pods });

const isRole = (role: string): LabelSelector => [{ key: ROLE_LABEL, operator: "In", values: [role] }];

const notRoles = (roles: readonly string[]): LabelSelector =>
  roles.length > 0 ? [{ key: ROLE_LABEL, operator: "NotIn", values: roles }] : [];

/** Everybody that exceptions name on one side. */
export const unionOf = (crossings: readonly Crossing[], side: "from" | "to", { cells }: Pick<Ground, "cells">): Bits =>
  crossings.reduce<Bits>((all, one) => all.map((word, index) => word | (one[side][index] ?? 0)), noBits(cells.length));

function rolesIn({ cells }: Ground, bits: Bits): readonly string[] {
  const roles = new Set<string>();
  eachBit(bits, (place) => {
    const role = cells[place]?.role;
    if (role !== undefined) roles.add(role);
  });
  return [...roles].sort();
}
