/** A rule of a webhook entry: which operations on which resources it is about. */
export type WebhookRule = {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly operations: readonly ("CREATE" | "UPDATE")[];
  readonly resources: readonly string[];
  readonly scope: "Namespaced";
};

const rule = (
  group: string,
  apiVersions: readonly string[],
  resources: readonly string[],
  operations: WebhookRule["operations"] = ["CREATE", "UPDATE"],
): WebhookRule => ({ apiGroups: [group], apiVersions, operations, resources, scope: "Namespaced" });

/** Pods as they are created. */
export const POD_CREATION: readonly WebhookRule[] = [rule("", ["v1"], ["pods"], ["CREATE"])];

/** The three ways of changing a Pod. A rule for `pods` covers no subresource. */
export const POD_CHANGES: readonly WebhookRule[] = [
  rule("", ["v1"], ["pods", "pods/ephemeralcontainers", "pods/resize"], ["UPDATE"]),
];

/** KubeVirt's machines; a rule for kinds that a cluster does not have costs nothing. */
export const MACHINES: readonly WebhookRule[] = [
  rule("kubevirt.io", ["v1"], ["virtualmachineinstances", "virtualmachines"]),
];

/** What KubeVirt's virt-controller makes, and keeps in step. */
export const LAUNCHED: readonly WebhookRule[] = [rule("", ["v1"], ["pods"]), ...MACHINES];

/** Everything that can be born with a stamp. */
export const STAMPED: readonly WebhookRule[] = [
  ...POD_CREATION,
  rule("kubevirt.io", ["v1"], ["virtualmachineinstances", "virtualmachines"], ["CREATE"]),
];

/** What Signet writes as a dry run to see whether it is called. */
export const SELF_TESTED: readonly WebhookRule[] = [rule("", ["v1"], ["configmaps"])];

/** Whatever holds a template of Pods or machines. */
export const TEMPLATES: readonly WebhookRule[] = [
  rule("", ["v1"], ["podtemplates", "replicationcontrollers"]),
  rule("apps", ["v1"], ["daemonsets", "deployments", "replicasets", "statefulsets"]),
  rule("batch", ["v1"], ["cronjobs", "jobs"]),
  rule("apps.openshift.io", ["v1"], ["deploymentconfigs"]),
  rule("argoproj.io", ["v1alpha1"], ["rollouts"]),
  rule("serving.knative.dev", ["v1"], ["configurations", "services"]),
  rule("kubevirt.io", ["v1"], ["virtualmachineinstancereplicasets"]),
  rule("pool.kubevirt.io", ["v1alpha1", "v1beta1"], ["virtualmachinepools"]),
];
