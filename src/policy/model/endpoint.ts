import type { Labels } from "../../domain/label-selector.ts";
import type { AddressSet } from "../sets/address-set.ts";
import type { Protocol } from "../sets/port-set.ts";
import type { PodSelector } from "./policy.ts";

/** A port that a container lists. */
export type ContainerPort = { readonly port: number; readonly protocol: Protocol; readonly name?: string };

/** What is known of the node under a host-networked Pod; `complete` if it has no other labels than these. */
export type HostNode = { readonly labels: Labels; readonly complete: boolean };

/** What policies can see of something inside the cluster. */
export type Traits = {
  readonly namespace: string;
  readonly namespaceLabels: Labels;
  readonly labels: Labels;
  readonly ports: readonly ContainerPort[];
  /** Known addresses on the network looked at; empty where they are not known. */
  readonly addresses: AddressSet;
  /** Present for a Pod on the host network. */
  readonly host?: HostNode;
  /** A KubeVirt VM: it answers on every port, and as a peer on secondary networks it is known by address only. */
  readonly virtualMachine: boolean;
};

/** How a workload is called. */
export type WorkloadName = { readonly namespace: string; readonly name: string; readonly kind: string };

/** `shop/orders-db[StatefulSet]`. */
export const workloadText = (name: WorkloadName): string => `${name.namespace}/${name.name}[${name.kind}]`;

/** One end of a flow inside the cluster: a workload, or the ingress controller. */
export type Inside = {
  readonly kind: "workload" | "ingress-controller";
  readonly name: WorkloadName;
  readonly text: string;
  readonly traits: Traits;
};

/** One end of a flow outside the cluster: a range of addresses that no policy tells apart. */
export type Outside = { readonly kind: "outside"; readonly text: string; readonly addresses: AddressSet };

/**
 * A Pod that is not in the input but that a rule could mean: any Pod that meets the selector and no more is known of.
 * Without a selector it is any Pod of the cluster.
 */
export type Imagined = { readonly kind: "imagined"; readonly text: string; readonly selector?: PodSelector };

/** One end of a flow. */
export type Endpoint = Inside | Outside | Imagined;

/** Whether an end is a workload of the input or the ingress controller, so that its labels and ports are known. */
export const isInside = (end: Endpoint): end is Inside => end.kind === "workload" || end.kind === "ingress-controller";
