import type { WorkloadKind } from "../../domain/workload.ts";

/** How the object of some kind speaks for its workloads. */
export type Shape = {
  readonly kind: WorkloadKind;
  /** `pod` and `object` are stamped themselves; a `template` is judged early and left alone. */
  readonly form: "pod" | "template" | "object";
  /** Path of what holds `metadata` and `spec` of the Pod or VMI. */
  readonly template: readonly string[];
  /** Whether `spec` there is a Pod's or a KubeVirt VMI's. */
  readonly spec: "pod" | "vmi";
  /** Whether its Pods serve a function, whatever their labels say. */
  readonly serves?: "function";
  /** User name of the controller that will create the Pods, where Kubernetes fixes it. */
  readonly creator?: string;
};

const controller = (name: string): string => `system:serviceaccount:kube-system:${name}`;
const template = (path: readonly string[], creator?: string): Shape => ({
  kind: "Pod",
  form: "template",
  template: path,
  spec: "pod",
  ...(creator === undefined ? {} : { creator: controller(creator) }),
});

/** API group and kind → its shape. What is not here is no workload. */
const SHAPES: Readonly<Record<string, Shape>> = {
  "/Pod": { kind: "Pod", form: "pod", template: [], spec: "pod" },
  "/PodTemplate": template(["template"]),
  "/ReplicationController": template(["spec", "template"], "replication-controller"),
  "apps/Deployment": template(["spec", "template"], "replicaset-controller"),
  "apps/ReplicaSet": template(["spec", "template"], "replicaset-controller"),
  "apps/StatefulSet": template(["spec", "template"], "statefulset-controller"),
  "apps/DaemonSet": template(["spec", "template"], "daemon-set-controller"),
  "batch/Job": template(["spec", "template"], "job-controller"),
  "batch/CronJob": template(["spec", "jobTemplate", "spec", "template"], "job-controller"),
  "apps.openshift.io/DeploymentConfig": template(["spec", "template"], "replication-controller"),
  "argoproj.io/Rollout": template(["spec", "template"], "replicaset-controller"),
  "serving.knative.dev/Service": { ...template(["spec", "template"], "replicaset-controller"), serves: "function" },
  "serving.knative.dev/Configuration": {
    ...template(["spec", "template"], "replicaset-controller"),
    serves: "function",
  },
  "kubevirt.io/VirtualMachine": { kind: "VirtualMachine", form: "object", template: ["spec", "template"], spec: "vmi" },
  "kubevirt.io/VirtualMachineInstance": { kind: "VirtualMachine", form: "object", template: [], spec: "vmi" },
  "kubevirt.io/VirtualMachineInstanceReplicaSet": {
    kind: "VirtualMachine",
    form: "template",
    template: ["spec", "template"],
    spec: "vmi",
  },
  "pool.kubevirt.io/VirtualMachinePool": {
    kind: "VirtualMachine",
    form: "template",
    template: ["spec", "virtualMachineTemplate", "spec", "template"],
    spec: "vmi",
  },
};

/** Every kind of object that is a workload or speaks for some. */
export const WORKLOAD_OBJECT_KINDS: readonly string[] = [
  ...Object.keys(SHAPES).map((key) => key.slice(key.indexOf("/") + 1)),
  "ExternalWorkload",
];

/** By group, and there by kind: every review looks here, and texts that are put together for it cost more than two looks. */
const BY_GROUP = new Map<string, Map<string, Shape>>();
for (const [key, shape] of Object.entries(SHAPES)) {
  const [group = "", kind = ""] = key.split("/");
  BY_GROUP.set(group, (BY_GROUP.get(group) ?? new Map<string, Shape>()).set(kind, shape));
}

/** The shape of an object of this apiVersion and kind; undefined where it is no workload. */
export function shapeOf(apiVersion: string, kind: string): Shape | undefined {
  const slash = apiVersion.indexOf("/");
  return BY_GROUP.get(slash === -1 ? "" : apiVersion.slice(0, slash))?.get(kind);
}

/** `group/Kind` of every kind that holds or is a workload. */
export const workloadKinds = (): readonly string[] => Object.keys(SHAPES);
