/** Something that somebody tries; without `namespace` in all of them, without `name` whatever its name. */
export type Attempt = {
  readonly verb: string;
  readonly group?: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly name?: string;
  readonly namespace?: string;
};

const signet = (verb: string, resource: string, more: Partial<Attempt> = {}): Attempt => ({
  verb,
  group: "signet.dev",
  resource,
  ...more,
});
const own = "signet-system";
const ADMISSION = "admissionregistration.k8s.io";
const CERTIFICATES = "certificates.k8s.io";

/** What Signet's account does every day. */
export const ALLOWED: readonly Attempt[] = [
  signet("list", "segments"),
  signet("watch", "restrictions"),
  signet("patch", "segments", { subresource: "status" }),
  signet("patch", "segmentpolicies", { subresource: "status" }),
  { verb: "watch", resource: "namespaces" },
  { verb: "list", resource: "pods" },
  { verb: "patch", resource: "pods" },
  { verb: "get", group: "apps", resource: "replicasets" },
  { verb: "create", group: "events.k8s.io", resource: "events", namespace: "payments" },
  { verb: "watch", group: "kubevirt.io", resource: "virtualmachineinstances" },
  { verb: "create", group: "authentication.k8s.io", resource: "tokenreviews" },
  signet("get", "workloadroles"),
  { verb: "patch", group: ADMISSION, resource: "validatingwebhookconfigurations", name: "signet" },
  { verb: "update", group: "coordination.k8s.io", resource: "leases", name: "signet-leader", namespace: own },
  { verb: "get", resource: "secrets", name: "signet-authorities", namespace: own },
  { verb: "update", resource: "secrets", name: "signet-serving", namespace: own },
];

/** What Signet's account never may, with or without components. */
export const FORBIDDEN: readonly Attempt[] = [
  signet("create", "segments"),
  signet("update", "segments"),
  signet("delete", "workloadroles"),
  signet("approve", "segments"),
  signet("enrol", "segments"),
  signet("update", "segments", { subresource: "status" }),
  signet("get", "restrictions"),
  { verb: "create", group: "authorization.k8s.io", resource: "subjectaccessreviews" },
  { verb: "get", group: ADMISSION, resource: "validatingadmissionpolicies" },
  { verb: "patch", resource: "namespaces" },
  { verb: "create", resource: "pods" },
  { verb: "update", resource: "pods" },
  { verb: "delete", resource: "pods" },
  { verb: "create", resource: "pods", subresource: "exec" },
  { verb: "patch", resource: "pods", subresource: "status" },
  { verb: "create", resource: "pods", subresource: "binding" },
  { verb: "get", resource: "secrets", namespace: "payments" },
  { verb: "list", resource: "secrets", namespace: own },
  { verb: "get", resource: "secrets", name: "other", namespace: own },
  { verb: "get", resource: "secrets", name: "signet-authorities", namespace: "payments" },
  { verb: "create", resource: "secrets", namespace: own },
  { verb: "delete", resource: "secrets", name: "signet-authorities", namespace: own },
  { verb: "get", resource: "configmaps", namespace: "payments" },
  { verb: "update", group: "coordination.k8s.io", resource: "leases", name: "n1", namespace: "kube-node-lease" },
  { verb: "update", group: "coordination.k8s.io", resource: "leases", name: "other", namespace: own },
  { verb: "patch", group: ADMISSION, resource: "validatingwebhookconfigurations", name: "other" },
  { verb: "delete", group: ADMISSION, resource: "validatingwebhookconfigurations", name: "signet" },
  { verb: "create", group: ADMISSION, resource: "mutatingwebhookconfigurations" },
  { verb: "patch", group: ADMISSION, resource: "validatingadmissionpolicies" },
  { verb: "patch", group: "apps", resource: "deployments" },
  { verb: "patch", group: "kubevirt.io", resource: "virtualmachines" },
  { verb: "create", group: "rbac.authorization.k8s.io", resource: "clusterrolebindings" },
  { verb: "escalate", group: "rbac.authorization.k8s.io", resource: "clusterroles" },
  { verb: "impersonate", resource: "users" },
  { verb: "create", resource: "serviceaccounts", subresource: "token", namespace: own },
  { verb: "sign", group: CERTIFICATES, resource: "signers", name: "kubernetes.io/kube-apiserver-client" },
  { verb: "attest", group: CERTIFICATES, resource: "signers", name: "example.org/other" },
  { verb: "create", group: CERTIFICATES, resource: "podcertificaterequests" },
  { verb: "approve", group: CERTIFICATES, resource: "signers" },
];

/** What only the component `signer` brings. */
export const SIGNER_ONLY: readonly Attempt[] = [
  { verb: "watch", group: CERTIFICATES, resource: "podcertificaterequests" },
  { verb: "update", group: CERTIFICATES, resource: "podcertificaterequests", subresource: "status" },
  { verb: "sign", group: CERTIFICATES, resource: "signers", name: "signet.dev/svid" },
  { verb: "attest", group: CERTIFICATES, resource: "signers", name: "signet.dev/svid" },
  { verb: "patch", group: CERTIFICATES, resource: "clustertrustbundles", name: "signet.dev:svid:bundle" },
  { verb: "get", resource: "nodes" },
  { verb: "get", resource: "serviceaccounts", namespace: "payments" },
];

/** Somebody with one role, bound in the cluster or in the namespace `team`. */
type PersonAttempt = Attempt & {
  readonly role: string;
  readonly bound: "cluster" | "namespace";
  readonly allowed: boolean;
};

const person =
  (role: string, bound: "cluster" | "namespace") =>
  (allowed: boolean, attempt: Attempt): PersonAttempt => ({ role, bound, allowed, ...attempt });

const viewer = person("signet-viewer", "cluster");
const editor = person("signet-editor", "cluster");
const approver = person("signet-approver", "cluster");
const teamAdmin = person("admin", "namespace");
const teamEdit = person("edit", "namespace");
const teamView = person("view", "namespace");

/** Who of the people may what. */
export const PEOPLE: readonly PersonAttempt[] = [
  viewer(true, signet("list", "segments")),
  viewer(false, signet("create", "segmentpolicies", { namespace: "team" })),
  viewer(false, signet("patch", "segments", { subresource: "status" })),
  editor(true, signet("create", "segments")),
  editor(true, signet("delete", "workloadroles")),
  editor(true, signet("create", "restrictions")),
  editor(false, signet("approve", "segments")),
  editor(false, signet("enrol", "segments")),
  editor(false, signet("patch", "segments", { subresource: "status" })),
  approver(true, signet("approve", "segments", { name: "payments" })),
  approver(true, signet("approve", "segmentpolicies", { namespace: "team" })),
  approver(true, signet("approve", "restrictions")),
  approver(true, signet("patch", "segments", { subresource: "status" })),
  approver(true, signet("enrol", "segments", { name: "payments" })),
  approver(true, signet("enrol", "namespaces", { name: "team" })),
  approver(false, signet("create", "segments")),
  approver(false, signet("update", "segments")),
  approver(false, { verb: "patch", resource: "namespaces" }),
  teamAdmin(true, signet("create", "segmentpolicies", { namespace: "team" })),
  teamAdmin(false, signet("create", "segmentpolicies", { namespace: "other" })),
  teamAdmin(false, signet("approve", "segmentpolicies", { namespace: "team" })),
  teamEdit(true, signet("update", "segmentexceptions", { namespace: "team" })),
  teamEdit(false, signet("create", "segments")),
  teamEdit(false, signet("patch", "segmentexceptions", { subresource: "status", namespace: "team" })),
  teamView(true, signet("get", "segmentpolicies", { namespace: "team" })),
  teamView(false, signet("create", "segmentpolicies", { namespace: "team" })),
];
