import { KINDS } from "../kinds.ts";
import { GROUP } from "../kinds/kind.ts";
import { SIGNER_NAME } from "../workloads/escapes.ts";
import { ASKS, LEASE, NAME, REPORT, SECRETS, SELF_TEST, TRUST_BUNDLE } from "./names.ts";

/** One row: what may be done to which resources of one group. `names` limits it to objects so called. */
export type Permission = {
  readonly group: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly names?: readonly string[];
  /** Where it holds; `own` is Signet's namespace. */
  readonly where: "cluster" | "own";
  readonly why: string;
};

/** The two verbs of whoever follows a collection. */
export const FOLLOW = ["list", "watch"] as const;
const ADMISSION = "admissionregistration.k8s.io";
const kinds = KINDS.map(({ plural }) => plural);
const statuses = kinds.map((plural) => `${plural}/status`);

/** All that Signet's own account may do. The manifests, docs/permissions.md and the fake cluster are made of it. */
export const SIGNET_PERMISSIONS: readonly Permission[] = [
  {
    group: GROUP,
    resources: kinds,
    verbs: FOLLOW,
    where: "cluster",
    why: "the catalogue is made of them",
  },
  {
    group: GROUP,
    resources: ["segments", "workloadroles"],
    verbs: ["get"],
    where: "cluster",
    why: "reads live what a stamp says is newer than the catalogue",
  },
  {
    group: GROUP,
    resources: statuses,
    verbs: ["patch"],
    where: "cluster",
    why: "records approvals and conditions; never touches a spec",
  },
  {
    group: "",
    resources: ["namespaces"],
    verbs: ["get", ...FOLLOW],
    where: "cluster",
    why: "enrolment, granted segments, UIDs",
  },
  {
    group: "",
    resources: ["pods"],
    verbs: ["get", ...FOLLOW, "patch"],
    where: "cluster",
    why: "finds Pods that mutation missed, and mends the stamp in their metadata",
  },
  {
    group: "kubevirt.io",
    resources: ["virtualmachineinstances"],
    verbs: ["get", ...FOLLOW, "patch"],
    where: "cluster",
    why: "a launcher Pod inherits the stamp of its instance; renews that stamp in the instance's metadata",
  },
  {
    group: "kubevirt.io",
    resources: ["virtualmachineinstancereplicasets", "virtualmachines"],
    verbs: FOLLOW,
    where: "cluster",
    why: "knows the machine behind an instance; judges what starts next",
  },
  {
    group: "pool.kubevirt.io",
    resources: ["virtualmachinepools"],
    verbs: FOLLOW,
    where: "cluster",
    why: "judges what starts next",
  },
  {
    group: "apps",
    resources: ["daemonsets", "deployments", "statefulsets"],
    verbs: FOLLOW,
    where: "cluster",
    why: "judges what starts next",
  },
  {
    group: "batch",
    resources: ["cronjobs"],
    verbs: FOLLOW,
    where: "cluster",
    why: "judges what starts next",
  },
  {
    group: "serving.knative.dev",
    resources: ["services"],
    verbs: FOLLOW,
    where: "cluster",
    why: "judges what starts next",
  },
  {
    group: "apps",
    resources: ["replicasets"],
    verbs: ["get"],
    where: "cluster",
    why: "an event about a refused Pod goes to the Deployment too",
  },
  {
    group: "batch",
    resources: ["jobs"],
    verbs: ["get"],
    where: "cluster",
    why: "an event about a refused Pod goes to the CronJob too",
  },
  {
    group: "events.k8s.io",
    resources: ["events"],
    verbs: ["create", "patch"],
    where: "cluster",
    why: "tells owners what was refused, and counts repetitions",
  },
  {
    group: "openreports.io",
    resources: ["clusterreports", "reports"],
    verbs: ["create", "list", "patch"],
    where: "cluster",
    why: "reports what is found wrong with what runs, where a cluster has these kinds",
  },
  {
    group: "openreports.io",
    resources: ["reports"],
    verbs: ["delete"],
    names: [REPORT],
    where: "cluster",
    why: "takes its own report away where nothing is left to report",
  },
  {
    group: "authentication.k8s.io",
    resources: ["tokenreviews"],
    verbs: ["create"],
    where: "cluster",
    why: "asks whose token a caller shows",
  },
  {
    group: ADMISSION,
    resources: ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
    verbs: ["get", "patch"],
    names: [NAME],
    where: "cluster",
    why: "writes its own authority into caBundle, there and nowhere else",
  },
  {
    group: "coordination.k8s.io",
    resources: ["leases"],
    verbs: ["create", "get", "patch", "update"],
    names: [LEASE],
    where: "own",
    why: "elects the replica that writes",
  },
  {
    group: "",
    resources: ["secrets"],
    verbs: ["create", "get", "patch", "update"],
    names: [SECRETS.authorities, SECRETS.revocations, SECRETS.serving, SECRETS.tokens],
    where: "own",
    why: "keeps its keys, and shares them between replicas",
  },
  {
    group: "",
    resources: ["configmaps"],
    verbs: ["create", "patch"],
    names: [SELF_TEST],
    where: "own",
    why: "asks by a dry run whether the API server's calls arrive; nothing is ever stored",
  },
  {
    group: "",
    resources: ["configmaps"],
    verbs: ["get", "patch"],
    names: [ASKS],
    where: "own",
    why: "reads what people ask of the authorities, and answers it there",
  },
];

/** What signing certificates for Pods needs besides; only with the component `signer`. */
export const SIGNER_PERMISSIONS: readonly Permission[] = [
  {
    group: "certificates.k8s.io",
    resources: ["podcertificaterequests"],
    verbs: FOLLOW,
    where: "cluster",
    why: "sees what kubelets ask for",
  },
  {
    group: "certificates.k8s.io",
    resources: ["podcertificaterequests/status"],
    verbs: ["update"],
    where: "cluster",
    why: "answers with the certificate",
  },
  {
    group: "certificates.k8s.io",
    resources: ["signers"],
    verbs: ["attest", "sign"],
    names: [SIGNER_NAME],
    where: "cluster",
    why: "signs and publishes for this one signer",
  },
  {
    group: "certificates.k8s.io",
    resources: ["clustertrustbundles"],
    verbs: ["create", "get", "patch"],
    names: [TRUST_BUNDLE],
    where: "cluster",
    why: "publishes the trust domain's bundle",
  },
  {
    group: "",
    resources: ["nodes", "serviceaccounts"],
    verbs: ["get", ...FOLLOW],
    where: "cluster",
    why: "checks the UIDs in a request: the API server does so only for nodes",
  },
];
