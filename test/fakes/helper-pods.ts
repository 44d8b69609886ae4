/** A Pod as the controller of some project creates it, with labels and owner as that project's sources write them. */
export type HelperPod = {
  readonly folder: string;
  readonly role: string;
  /** Who creates it, and under which account it runs. */
  readonly creator: string;
  readonly account: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Absent where a person creates it. */
  readonly owner?: readonly [apiVersion: string, kind: string];
  /** What goes over its spec. */
  readonly spec?: Readonly<Record<string, unknown>>;
};

const account = (namespace: string, name: string): string => `system:serviceaccount:${namespace}:${name}`;

const CDI = {
  app: "containerized-data-importer",
  "app.kubernetes.io/component": "storage",
  "app.kubernetes.io/managed-by": "cdi-controller",
};

/** KubeVirt: RenderHotplugAttachmentPodTemplate, createExporterPodManifest. CDI: importer, upload server, clone source. */
const virtualization = (folder: string, virtController: string, cdi: string): readonly HelperPod[] => [
  {
    folder,
    role: "kubevirt-hotplug",
    creator: virtController,
    account: "default",
    labels: { "kubevirt.io": "hotplug-disk" },
    owner: ["v1", "Pod"],
  },
  {
    folder,
    role: "kubevirt-export",
    creator: virtController,
    account: "default",
    labels: { "kubevirt.io.virt-export-service": "backup" },
    owner: ["export.kubevirt.io/v1beta1", "VirtualMachineExport"],
  },
  {
    folder,
    role: "cdi-import",
    creator: cdi,
    account: "default",
    labels: { ...CDI, "cdi.kubevirt.io": "importer", "prometheus.cdi.kubevirt.io": "true" },
    owner: ["v1", "PersistentVolumeClaim"],
  },
  {
    folder,
    role: "cdi-upload",
    creator: cdi,
    account: "default",
    labels: { ...CDI, "cdi.kubevirt.io": "cdi-upload-server", service: "cdi-upload-disk" },
    owner: ["v1", "PersistentVolumeClaim"],
  },
  {
    folder,
    role: "cdi-clone",
    creator: cdi,
    account: "default",
    labels: { ...CDI, "cdi.kubevirt.io": "cdi-clone-source" },
    owner: ["v1", "PersistentVolumeClaim"],
  },
];

/** Every helper for which a role is shipped. */
export const HELPER_PODS: readonly HelperPod[] = [
  ...virtualization("kubevirt", account("kubevirt", "kubevirt-controller"), account("cdi", "cdi-sa")),
  ...virtualization(
    "openshift-virtualization",
    account("openshift-cnv", "kubevirt-controller"),
    account("openshift-cnv", "cdi-sa"),
  ),
  {
    folder: "openshift-builds",
    role: "openshift-build",
    creator: account("openshift-infra", "build-controller"),
    account: "builder",
    labels: { "openshift.io/build.name": "web-1" },
    annotations: { "openshift.io/build.name": "web-1" },
    owner: ["build.openshift.io/v1", "Build"],
    spec: {
      containers: [{ name: "docker-build", image: "example.org/builder", securityContext: { privileged: true } }],
      volumes: [{ name: "node-pullsecrets", hostPath: { path: "/var/lib/kubelet/config.json", type: "File" } }],
    },
  },
  {
    folder: "openshift-builds",
    role: "openshift-deployer",
    creator: account("openshift-infra", "deployer-controller"),
    account: "deployer",
    labels: { "openshift.io/deployer-pod-for.name": "web-1" },
    owner: ["v1", "ReplicationController"],
  },
  // Tekton: podconvert's Builder. The labels of a TaskRun that a PipelineRun made.
  ...(
    [
      ["tekton", "tekton-pipelines", "default"],
      ["openshift-pipelines", "openshift-pipelines", "pipeline"],
    ] as const
  ).map(
    ([folder, namespace, serviceAccount]): HelperPod => ({
      folder,
      role: "tekton-task",
      creator: account(namespace, "tekton-pipelines-controller"),
      account: serviceAccount,
      labels: {
        "app.kubernetes.io/managed-by": "tekton-pipelines",
        "tekton.dev/task": "build",
        "tekton.dev/taskRun": "build-1",
        "tekton.dev/taskRunUID": "00000000-0000-0000-0000-000000000001",
      },
      owner: ["tekton.dev/v1", "TaskRun"],
    }),
  ),
  // oc: the Pod that `oc debug node/worker-1` makes, as somebody whom a kustomization named.
  {
    folder: "openshift-debug",
    role: "oc-debug-node",
    creator: "replace-me",
    account: "default",
    labels: { "debug.openshift.io/managed-by": "oc-debug" },
    annotations: {
      "debug.openshift.io/source-container": "container-00",
      "debug.openshift.io/source-resource": "/v1, Resource=nodes/worker-1",
    },
    spec: {
      hostNetwork: true,
      hostPID: true,
      hostIPC: true,
      containers: [{ name: "container-00", image: "example.org/tools", securityContext: { privileged: true } }],
      volumes: [{ name: "host", hostPath: { path: "/", type: "Directory" } }],
    },
  },
  {
    folder: "cert-manager",
    role: "acme-solver",
    creator: account("cert-manager", "cert-manager"),
    account: "default",
    labels: {
      "acme.cert-manager.io/http01-solver": "true",
      "acme.cert-manager.io/http-domain": "1",
      "acme.cert-manager.io/http-token": "2",
    },
    owner: ["acme.cert-manager.io/v1", "Challenge"],
  },
];

/** The Pod as its controller sends it. */
export const helperPodBody = (pod: HelperPod, ownerUid = "00000000-0000-0000-0000-000000000001") => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    generateName: `${pod.role}-`,
    labels: pod.labels,
    ...(pod.annotations ? { annotations: pod.annotations } : {}),
    ...(pod.owner ? { ownerReferences: [ownerOf(pod.owner, ownerUid)] } : {}),
  },
  spec: {
    serviceAccountName: pod.account,
    containers: [{ name: "main", image: "example.org/none" }],
    ...pod.spec,
  },
});

const ownerOf = ([apiVersion, kind]: readonly [string, string], uid: string) => ({
  apiVersion,
  kind,
  name: "owner",
  uid,
  controller: true,
  blockOwnerDeletion: true,
});
