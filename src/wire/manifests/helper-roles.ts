import { type Manifest, manifest } from "./manifest.ts";
import { VIRT_CONTROLLERS } from "./names.ts";

/** A kind of Pod that some controller creates by itself in the namespaces of others, and the role that is shipped for it. */
type Helper = {
  readonly name: string;
  readonly createdBy: string;
  /** KubeVirt and its neighbours name none, so most run as `default`. */
  readonly account: string;
  readonly labels: Readonly<Record<string, string>> | readonly string[];
  readonly permits?: readonly string[];
};

/** The person that the shipped role of `oc debug` names until a kustomization puts others in the place. */
const HELPER_PERSON = "replace-me";
/** The segment that the shipped roles name until a kustomization puts another in its place. */
export const HELPER_SEGMENT = "replace-me";

const account = (namespace: string, name: string): string => `system:serviceaccount:${namespace}:${name}`;
const SOLVER = "acme.cert-manager.io/http01-solver";

/** What KubeVirt and CDI create; both in the namespaces where they are installed. */
const virtualization = (virtController: string, cdi: string): readonly Helper[] => [
  // Attaches a hot-plugged disk, or the claim of a memory dump, to the node of a launcher.
  {
    name: "kubevirt-hotplug",
    createdBy: virtController,
    account: "default",
    labels: { "kubevirt.io": "hotplug-disk" },
  },
  // Serves a VirtualMachineExport. Its one label holds the export's name.
  {
    name: "kubevirt-export",
    createdBy: virtController,
    account: "default",
    labels: ["kubevirt.io.virt-export-service"],
  },
  { name: "cdi-import", createdBy: cdi, account: "default", labels: { "cdi.kubevirt.io": "importer" } },
  { name: "cdi-upload", createdBy: cdi, account: "default", labels: { "cdi.kubevirt.io": "cdi-upload-server" } },
  { name: "cdi-clone", createdBy: cdi, account: "default", labels: { "cdi.kubevirt.io": "cdi-clone-source" } },
];

/** OpenShift's builds run privileged, and read the node's pull secret. */
const builds: readonly Helper[] = [
  {
    name: "openshift-build",
    createdBy: account("openshift-infra", "build-controller"),
    account: "builder",
    labels: ["openshift.io/build.name"],
    permits: ["privileged", "hostPath:/var/lib/kubelet/config.json"],
  },
  {
    name: "openshift-deployer",
    createdBy: account("openshift-infra", "deployer-controller"),
    account: "deployer",
    labels: ["openshift.io/deployer-pod-for.name"],
  },
];

const solvers: readonly Helper[] = [
  {
    name: "acme-solver",
    createdBy: account("cert-manager", "cert-manager"),
    account: "default",
    labels: { [SOLVER]: "true" },
  },
];

/** A TaskRun's Pod, under the account that Tekton gives it where nobody names another. */
const tasks = (controller: string, serviceAccount: string): readonly Helper[] => [
  { name: "tekton-task", createdBy: controller, account: serviceAccount, labels: ["tekton.dev/taskRun"] },
];

/**
 * The Pod of `oc debug node/…`: on the node's network and among its processes, privileged, with all its files. People create
 * it, so that the role fits nobody until a kustomization puts their names in.
 */
const debugging: readonly Helper[] = [
  {
    name: "oc-debug-node",
    createdBy: HELPER_PERSON,
    account: "default",
    labels: { "debug.openshift.io/managed-by": "oc-debug" },
    permits: ["hostNetwork", "hostPID", "hostIPC", "privileged", "hostPath:/"],
  },
];

/** Folder below `manifests/helper-roles` → what it is for, and its roles. */
export const HELPERS: Readonly<Record<string, { readonly about: string; readonly roles: readonly Helper[] }>> = {
  kubevirt: {
    about: "Pods that KubeVirt and CDI create in the namespaces of machines.",
    roles: virtualization(VIRT_CONTROLLERS.kubevirt, account("cdi", "cdi-sa")),
  },
  "openshift-virtualization": {
    about: "Pods that OpenShift Virtualization creates in the namespaces of machines.",
    roles: virtualization(VIRT_CONTROLLERS.openshift, account("openshift-cnv", "cdi-sa")),
  },
  "openshift-builds": { about: "Pods of OpenShift's builds and DeploymentConfigs.", roles: builds },
  tekton: {
    about: "Pods of Tekton's TaskRuns that name no account.",
    roles: tasks(account("tekton-pipelines", "tekton-pipelines-controller"), "default"),
  },
  "openshift-pipelines": {
    about: "Pods of OpenShift Pipelines' TaskRuns that name no account.",
    roles: tasks(account("openshift-pipelines", "tekton-pipelines-controller"), "pipeline"),
  },
  "openshift-debug": {
    about: "Pods of `oc debug node/NAME`, which reach all of the node. Name who may, in createdBy.",
    roles: debugging,
  },
  "cert-manager": { about: "Pods that solve ACME's HTTP-01 challenges for cert-manager.", roles: solvers },
};

/** The WorkloadRole of a helper: entitled are only Pods of its account that its controller creates, with its labels. */
export const helperRole = ({ name, createdBy, account, labels, permits }: Helper): Manifest =>
  manifest(
    ["signet.dev/v1alpha1", "WorkloadRole"],
    { name },
    {
      spec: {
        segment: HELPER_SEGMENT,
        match: { serviceAccounts: [account], kinds: ["Pod"], createdBy: [createdBy], podLabels: selector(labels) },
        labels: { helper: name },
        ...(permits === undefined ? {} : { permits }),
      },
    },
  );

const selector = (labels: Helper["labels"]): object =>
  isKeys(labels) ? { matchExpressions: labels.map((key) => ({ key, operator: "Exists" })) } : { matchLabels: labels };

const isKeys = (labels: Helper["labels"]): labels is readonly string[] => Array.isArray(labels);
