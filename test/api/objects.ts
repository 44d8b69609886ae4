/** An object for the API server, as tests write it. */
export type Body = Readonly<Record<string, unknown>>;

/** Metadata beside the name. */
export type Meta = Readonly<Record<string, unknown>>;

const podSpec = (image = "example.org/none") => ({
  containers: [{ name: "main", image, resources: { requests: { cpu: "1m" } } }],
});

/** The template of a controller, with this image. */
export const templateOf = (image = "example.org/none") => ({
  metadata: { labels: { app: "web" } },
  spec: { ...podSpec(image), restartPolicy: "Always" },
});

const jobTemplate = (image?: string) => {
  const { metadata, spec } = templateOf(image);
  return { metadata, spec: { ...spec, restartPolicy: "Never" } };
};

/** A Pod that nothing objects to. */
export const pod = (name: string, meta: Meta = {}, spec: Body = {}): Body => ({
  metadata: { name, ...meta },
  spec: { ...podSpec(), ...spec },
});

const selected = { selector: { matchLabels: { app: "web" } } };

/** Every kind of Kubernetes that holds a template, by resource: the path of its collection in a namespace, and a spec. */
export const CONTROLLERS = {
  deployments: { path: "apis/apps/v1", spec: { replicas: 0, ...selected, template: templateOf() } },
  replicasets: { path: "apis/apps/v1", spec: { replicas: 0, ...selected, template: templateOf() } },
  statefulsets: { path: "apis/apps/v1", spec: { serviceName: "web", ...selected, template: templateOf() } },
  daemonsets: { path: "apis/apps/v1", spec: { ...selected, template: templateOf() } },
  replicationcontrollers: { path: "api/v1", spec: { replicas: 0, selector: { app: "web" }, template: templateOf() } },
  jobs: { path: "apis/batch/v1", spec: { template: jobTemplate() } },
  cronjobs: {
    path: "apis/batch/v1",
    spec: { schedule: "0 0 1 1 *", jobTemplate: { spec: { template: jobTemplate() } } },
  },
} as const;

/** The resource of one such kind. */
export type Controller = keyof typeof CONTROLLERS;

/** Path of a collection in a namespace, or of one object in it. */
export const pathOf = (namespace: string, resource: string, name = ""): string => {
  const root = resource in CONTROLLERS ? CONTROLLERS[resource as Controller].path : ROOTS[resource];
  return `/${root ?? "api/v1"}/namespaces/${namespace}/${resource}${name === "" ? "" : `/${name}`}`;
};

const ROOTS: Readonly<Record<string, string>> = {
  virtualmachines: "apis/kubevirt.io/v1",
  virtualmachineinstances: "apis/kubevirt.io/v1",
  leases: "apis/coordination.k8s.io/v1",
};

/** A virtual machine, running or not. */
export const machine = (name: string, image = "example.org/disk"): Body => ({
  apiVersion: "kubevirt.io/v1",
  kind: "VirtualMachine",
  metadata: { name },
  spec: { running: false, template: { metadata: { labels: { app: "vm" } }, spec: { domain: {}, image } } },
});

/** The instance of a virtual machine. */
export const instance = (name: string, meta: Meta = {}): Body => ({
  apiVersion: "kubevirt.io/v1",
  kind: "VirtualMachineInstance",
  metadata: { name, labels: { app: "vm" }, ...meta },
  spec: { domain: {} },
});

/** A CustomResourceDefinition of KubeVirt's group that takes anything. */
export const kubevirtCrd = (plural: string, kind: string): Body => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${plural}.kubevirt.io`, annotations: { "api-approved.kubernetes.io": "unapproved, a stand-in" } },
  spec: {
    group: "kubevirt.io",
    scope: "Namespaced",
    names: { plural, kind },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
});
