import { SIGNET_NAMESPACE } from "../../domain/exempt-namespaces.ts";
import { type Manifest, manifest } from "./manifest.ts";
import { ASKS, LEASE, NAME, SECRETS } from "./names.ts";
import { PEOPLE_ROLES } from "./people-roles.ts";
import { SIGNET_PERMISSIONS } from "./permissions.ts";
import { accountRoles, peopleRole } from "./rbac.ts";

const inOwn = (name: string) => ({ name, namespace: SIGNET_NAMESPACE });

/** Signet's namespace; it holds nothing that needs more than Pod security's `restricted`. */
export function namespaceManifest(): Manifest {
  const modes = ["audit", "enforce", "warn"];
  const labels = Object.fromEntries(modes.map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]));
  return manifest(["v1", "Namespace"], { name: SIGNET_NAMESPACE, labels });
}

/**
 * The account and all that it may do. The Lease, the ConfigMap and the Secrets lie ready empty, so that the account may be held to their
 * names: the right to create by POST cannot be limited to a name. Applying the manifests again leaves what they hold.
 */
export const accountManifests = (): readonly Manifest[] => [
  manifest(["v1", "ServiceAccount"], inOwn(NAME), { automountServiceAccountToken: false }),
  ...accountRoles(NAME, SIGNET_PERMISSIONS),
  manifest(["coordination.k8s.io/v1", "Lease"], inOwn(LEASE)),
  manifest(["v1", "ConfigMap"], inOwn(ASKS)),
  ...Object.values(SECRETS).map((name) => manifest(["v1", "Secret"], inOwn(name), { type: "Opaque" })),
];

/** Roles for people; nobody is bound. */
export const peopleManifests = (): readonly Manifest[] => PEOPLE_ROLES.map(peopleRole);

const FLOW = "flowcontrol.apiserver.k8s.io/v1";
const account = { kind: "ServiceAccount", serviceAccount: { name: NAME, namespace: SIGNET_NAMESPACE } };

/**
 * Signet's own calls don't queue behind those of other service accounts, whose schema has precedence 9000; the Lease goes
 * the way of the control plane's own.
 */
export function flowSchemas(): readonly Manifest[] {
  const lease = {
    verbs: ["create", "get", "patch", "update"],
    apiGroups: ["coordination.k8s.io"],
    resources: ["leases"],
    namespaces: [SIGNET_NAMESPACE],
  };
  const all = { verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], clusterScope: true };
  return [flowSchema("signet-leases", "leader-election", 150, lease), flowSchema(NAME, "workload-high", 1000, all)];
}

const flowSchema = (name: string, level: string, precedence: number, rule: object): Manifest =>
  manifest(
    [FLOW, "FlowSchema"],
    { name },
    {
      spec: {
        priorityLevelConfiguration: { name: level },
        matchingPrecedence: precedence,
        distinguisherMethod: { type: "ByUser" },
        rules: [{ subjects: [account], resourceRules: [rule] }],
      },
    },
  );
