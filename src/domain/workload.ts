import type { Labels } from "./label-selector.ts";
import type { Source } from "./problem.ts";

/** The kinds of workload that a role can be held by. */
export type WorkloadKind = "Pod" | "VirtualMachine" | "Machine" | "Function";
/** All kinds of workload, in the order they are shown. */
export const WORKLOAD_KINDS: readonly WorkloadKind[] = ["Pod", "VirtualMachine", "Machine", "Function"];

/** The controller of an object, from its `ownerReferences`. */
export type Owner = { readonly kind: string; readonly name: string; readonly uid: string };

/**
 * A way out of the workload's own boundary: what it is (`permit` is the word by which a role or an exception permits it),
 * and where it is asked for.
 */
export type Escape = { readonly check: EscapeCheck; readonly permit: string; readonly path: string };

/** The checks on host-level escapes; also the words of `permits` and of a SegmentException's `permit.check`. */
export type EscapeCheck =
  | "hostNetwork"
  | "hostPID"
  | "hostIPC"
  | "hostPath"
  | "hostProcess"
  | "privileged"
  | "capability"
  | "signerVolume"
  | "uncoveredInterfaces";

/** The object that was handed in: the Pod itself, or the Deployment, VM … whose template speaks for its Pods. */
export type ObjectReference = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  /** The object's name; `generateName` with an asterisk where the API server has still to choose one. */
  readonly name: string;
  readonly uid?: string;
};

/**
 * What Signet needs to know of a workload to judge it: a Pod, a KubeVirt VM, a bare machine or a function.
 */
export type Workload = {
  readonly kind: WorkloadKind;
  readonly object: ObjectReference;
  /** `pod` for a Pod, `template` for a controller's template, `object` for a VM or an ExternalWorkload. */
  readonly form: "pod" | "template" | "object";
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Labels and annotations that its Pods (or guest) will carry; roles match on them. */
  readonly labels: Labels;
  readonly annotations: Labels;
  /** Those of the object that would be stamped; for a Pod the same as `labels` and `annotations`. */
  readonly ownLabels: Labels;
  readonly ownAnnotations: Labels;
  readonly owner?: Owner;
  /** Whether it serves a function: a Pod of a Knative Service, or what brings such Pods. Fits roles for functions too. */
  readonly serves?: "function";
  /** The user name of whoever creates it, where that is known. */
  readonly creator?: string;
  readonly escapes: readonly Escape[];
  /** Path of the metadata that carries `labels` and `annotations`, for messages: `metadata` or `spec.template.metadata`. */
  readonly metadataPath: string;
  readonly source?: Source;
};

/** What is known of the VirtualMachineInstance that a Pod claims to launch. */
export type Launching = {
  /** Whether the Pod is, or was, created by a configured virt-controller. */
  readonly byVirtController: boolean;
  /** The live instance that the controller reference names by UID. none: there is none. unknown: nobody could be asked. */
  readonly machine: Workload | "none" | "unknown";
  /** Escapes that somebody else than KubeVirt adds to a launcher that runs: nothing that its instance brought. */
  readonly added?: readonly Escape[];
};
