import type { Body } from "./objects.ts";

/** Metadata as an API server gives it back. */
export type Live = {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
};

/** The account under which KubeVirt's virt-controller works, as KubeVirt installs it. */
export const VIRT_CONTROLLER = { serviceAccount: "kubevirt/kubevirt-controller" } as const;

const reference = (apiVersion: string, kind: string, { metadata: { name, uid } }: Live) => ({
  apiVersion,
  kind,
  name,
  uid,
  controller: true,
  blockOwnerDeletion: true,
});

const masquerade = {
  domain: { devices: { interfaces: [{ name: "default", masquerade: {} }] }, memory: { guest: "64Mi" } },
  networks: [{ name: "default", pod: {} }],
};

/** A VirtualMachine as somebody applies it; `spec` goes over the instance's spec. */
export const virtualMachine = (name: string, spec: Body, labels: Body = { app: name }): Body => ({
  apiVersion: "kubevirt.io/v1",
  kind: "VirtualMachine",
  metadata: { name },
  spec: { runStrategy: "Always", template: { metadata: { labels }, spec: { ...masquerade, ...spec } } },
});

type Machine = Live & {
  readonly spec: { readonly template: { readonly metadata: { readonly labels?: Body }; readonly spec: Body } };
};

/** The instance that the virt-controller makes of a VirtualMachine. */
export const instanceOf = (machine: Machine): Body => ({
  apiVersion: "kubevirt.io/v1",
  kind: "VirtualMachineInstance",
  metadata: {
    name: machine.metadata.name,
    labels: { ...machine.spec.template.metadata.labels, "kubevirt.io/vm": machine.metadata.name },
    finalizers: ["foregroundDeleteVirtualMachine"],
    ownerReferences: [reference("kubevirt.io/v1", "VirtualMachine", machine)],
  },
  spec: machine.spec.template.spec,
});

type Instance = Live & { readonly spec: { readonly serviceAccountName?: string } };

/**
 * The launcher that the virt-controller makes of an instance: labels and annotations are the instance's, and KubeVirt's own
 * (virt-controller's template service, podLabels and generatePodAnnotations). With `migration` it is the target of one.
 */
export const launcherOf = (instance: Instance, migration?: string): Body => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    generateName: `virt-launcher-${instance.metadata.name}-`,
    labels: {
      ...instance.metadata.labels,
      "kubevirt.io": "virt-launcher",
      "kubevirt.io/created-by": instance.metadata.uid,
      "vm.kubevirt.io/name": instance.metadata.name,
      ...(migration === undefined ? {} : { "kubevirt.io/migrationJobUID": migration }),
    },
    annotations: {
      ...instance.metadata.annotations,
      "kubevirt.io/domain": instance.metadata.name,
      "kubectl.kubernetes.io/default-container": "compute",
    },
    ownerReferences: [reference("kubevirt.io/v1", "VirtualMachineInstance", instance)],
  },
  spec: {
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    serviceAccountName: instance.spec.serviceAccountName ?? "default",
    containers: [
      {
        name: "compute",
        image: "quay.io/kubevirt/virt-launcher:v1.9.0",
        securityContext: { capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] }, runAsUser: 107 },
      },
    ],
  },
});

/** What KubeVirt's ClusterRole lets the virt-controller do, as far as tests play it. */
export const VIRT_CONTROLLER_RULES = [
  { apiGroups: [""], resources: ["pods", "pods/finalizers"], verbs: ["*"] },
  { apiGroups: ["kubevirt.io"], resources: ["*"], verbs: ["*"] },
] as const;
