import type { LabelSelector, Labels } from "../../domain/label-selector.ts";
import type { Problem, Source } from "../../domain/problem.ts";
import type { AddressSet } from "../sets/address-set.ts";
import type { Protocol } from "../sets/port-set.ts";
import type { ContainerPort, HostNode, WorkloadName } from "./endpoint.ts";
import type { FieldPath, Policy } from "./policy.ts";

/** A secondary network that a Pod asks for, and the addresses it asks for there. */
export type Attachment = { readonly namespace: string; readonly name: string; readonly addresses: AddressSet };

/** A Pod, the template of a controller, or a VM, as read. */
export type PodRecord = {
  readonly namespace: string;
  readonly name: string;
  /** The controller's name where there is one, else its own: all with one are one workload. */
  readonly workload: WorkloadName;
  readonly labels: Labels;
  readonly serviceAccount: string;
  readonly ports: readonly ContainerPort[];
  readonly addresses: AddressSet;
  readonly host?: HostNode;
  readonly virtualMachine: boolean;
  readonly attachments: readonly Attachment[];
  readonly replicas?: number;
  readonly locate: (path: FieldPath) => Source;
};

/** One `ports` entry of a Service; `target` is a number or the name of a container port. */
export type ServicePort = {
  readonly name?: string;
  readonly port: number;
  readonly target: number | string;
  readonly protocol: Protocol;
};

/** A Service with a selector. */
export type ServiceRecord = {
  readonly namespace: string;
  readonly name: string;
  readonly selector: LabelSelector;
  readonly ports: readonly ServicePort[];
};

/** An Ingress or Route: which Services it opens to the ingress controller; without a port all of the Service's. */
export type Opening = {
  readonly kind: "Ingress" | "Route";
  readonly namespace: string;
  readonly name: string;
  readonly backends: readonly { readonly service: string; readonly port?: number | string }[];
  readonly locate: (path: FieldPath) => Source;
};

/** A primary user-defined network: of one namespace (UDN), or of those it selects (CUDN). */
export type PrimaryNetwork = {
  readonly kind: "UDN" | "CUDN";
  readonly name: string;
  readonly namespaces: readonly string[];
};

/** A policy of a data plane that is not evaluated, and that may let somebody through; without a namespace it is for all. */
export type Unevaluated = {
  readonly text: string;
  readonly plane: "cilium" | "calico" | "istio" | "kubernetes";
  readonly namespace?: string;
};

/** Everything an analysis looks at, as read from plain objects. */
export type World = {
  /** Labels of every namespace that has an object or holds one. */
  readonly namespaces: ReadonlyMap<string, Labels>;
  readonly pods: readonly PodRecord[];
  readonly policies: readonly Policy[];
  readonly services: readonly ServiceRecord[];
  readonly openings: readonly Opening[];
  readonly primaryNetworks: readonly PrimaryNetwork[];
  /** NetworkAttachmentDefinitions, as `namespace/name`. */
  readonly attachments: ReadonlySet<string>;
  readonly unevaluated: readonly Unevaluated[];
  readonly warnings: readonly Problem[];
};
