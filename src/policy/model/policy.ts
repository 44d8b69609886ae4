import type { LabelRequirement } from "../../domain/label-selector.ts";
import type { Source } from "../../domain/problem.ts";
import type { AddressSet } from "../sets/address-set.ts";
import type { PortSet, Protocol } from "../sets/port-set.ts";

/** A place inside an object: keys and indexes from the top. */
export type FieldPath = readonly (string | number)[];

/** Which door of a workload a rule guards. */
export type Direction = "ingress" | "egress";
/** Both doors, in the order in which they are shown. */
export const DIRECTIONS: readonly Direction[] = ["egress", "ingress"];

/** The foreign kinds that are evaluated. */
export type PolicyKind =
  | "NetworkPolicy"
  | "AdminNetworkPolicy"
  | "BaselineAdminNetworkPolicy"
  | "ClusterNetworkPolicy"
  | "MultiNetworkPolicy";

/** When a policy is asked: before, with, or after the NetworkPolicies. */
type Tier = "admin" | "network" | "baseline";

/** What a rule does with the ports it matches; `pass` leaves the tier. */
export type Action = "allow" | "deny" | "pass";

/** A label selector that remembers which of its requirements were written as `matchLabels`. */
export type WrittenSelector = readonly (LabelRequirement & { readonly asLabel: boolean })[];

/** Which Pods are meant: by the name or the labels of their namespace, and by their own labels. */
export type PodSelector = {
  readonly namespaces: { readonly name: string } | { readonly selector: WrittenSelector };
  readonly pods: WrittenSelector;
};

/** One entry of `from`, `to`: who stands at the other end. */
export type Peer =
  | { readonly kind: "pods"; readonly selector: PodSelector; readonly path: FieldPath }
  /** `matchesPods`: whether a Pod with such an address is meant too; the kind of the policy decides. */
  | {
      readonly kind: "addresses";
      readonly addresses: AddressSet;
      readonly matchesPods: boolean;
      readonly path: FieldPath;
    }
  /** `nodes` of ClusterNetworkPolicy, which meet host-networked Pods; those of AdminNetworkPolicy meet nothing. */
  | { readonly kind: "nodes"; readonly selector: WrittenSelector; readonly met: boolean; readonly path: FieldPath }
  /** A peer we don't know: fails closed, as the ClusterNetworkPolicy API demands. */
  | { readonly kind: "unknown"; readonly path: FieldPath };

/** One entry of `ports` or `protocols`. A named port without protocol takes that of the destination's container port. */
export type PortMatch =
  | { readonly kind: "ports"; readonly ports: PortSet }
  | { readonly kind: "named"; readonly name: string; readonly protocol?: Protocol; readonly path: FieldPath };

/** One rule in one direction; `index` counts from 1. */
export type Rule = {
  readonly index: number;
  readonly name?: string;
  readonly action: Action;
  readonly peers: readonly Peer[] | "anyone";
  readonly ports: readonly PortMatch[] | "all";
  readonly path: FieldPath;
};

/** A foreign policy of any kind, read. A direction without rules (`undefined`) is one the policy doesn't touch. */
export type Policy = {
  readonly kind: PolicyKind;
  readonly namespace?: string;
  readonly name: string;
  readonly tier: Tier;
  /** Ascending; 0 where the kind has none. */
  readonly priority: number;
  readonly subject: PodSelector;
  /** Whether Pods on the host network can be subject or peer; ClusterNetworkPolicy says never. */
  readonly seesHostNetwork: boolean;
  readonly rules: Readonly<Record<Direction, readonly Rule[] | undefined>>;
  /** Secondary networks that a MultiNetworkPolicy acts on, as `namespace/name`. */
  readonly networks?: readonly { readonly namespace: string; readonly name: string }[];
  readonly locate: (path: FieldPath) => Source;
};

/** `NetworkPolicy shop/orders-db`, or the bare name where there is no namespace. */
export const policyText = (policy: Pick<Policy, "kind" | "namespace" | "name">): string =>
  `${policy.kind} ${policyName(policy)}`;

/** `shop/orders-db`, or the bare name where there is no namespace. */
export const policyName = (policy: Pick<Policy, "namespace" | "name">): string =>
  policy.namespace === undefined ? policy.name : `${policy.namespace}/${policy.name}`;
