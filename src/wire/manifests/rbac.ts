import { SIGNET_NAMESPACE } from "../../domain/exempt-namespaces.ts";
import { type Manifest, manifest } from "./manifest.ts";
import { NAME } from "./names.ts";
import type { PeopleRole } from "./people-roles.ts";
import type { Permission } from "./permissions.ts";

const RBAC = "rbac.authorization.k8s.io";
const VERSION = `${RBAC}/v1`;

/** A PolicyRule of RBAC. */
export type PolicyRule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
};

/** One rule for each row of the table. */
export const ruleOf = ({ group, resources, names, verbs }: Omit<Permission, "where">): PolicyRule => ({
  apiGroups: [group],
  resources,
  ...(names === undefined ? {} : { resourceNames: names }),
  verbs,
});

/** The roles that hold these rows, called `name`, bound to Signet's account: one for the cluster, one for its namespace. */
export function accountRoles(name: string, permissions: readonly Permission[]): readonly Manifest[] {
  const rules = (where: Permission["where"]) => permissions.filter((row) => row.where === where).map(ruleOf);
  const own = rules("own");
  const namespaced = { name, namespace: SIGNET_NAMESPACE };
  return [
    manifest([VERSION, "ClusterRole"], { name }, { rules: rules("cluster") }),
    manifest([VERSION, "ClusterRoleBinding"], { name }, binding("ClusterRole", name)),
    ...(own.length === 0
      ? []
      : [
          manifest([VERSION, "Role"], namespaced, { rules: own }),
          manifest([VERSION, "RoleBinding"], namespaced, binding("Role", name)),
        ]),
  ];
}

const binding = (kind: "Role" | "ClusterRole", name: string) => ({
  roleRef: { apiGroup: RBAC, kind, name },
  subjects: [{ kind: "ServiceAccount", name: NAME, namespace: SIGNET_NAMESPACE }],
});

/** A ClusterRole for people, bound to nobody. */
export const peopleRole = ({ name, about, aggregateTo, permissions }: PeopleRole): Manifest =>
  manifest(
    [VERSION, "ClusterRole"],
    {
      name,
      labels: Object.fromEntries(aggregateTo.map((role) => [`${RBAC}/aggregate-to-${role}`, "true"])),
      annotations: { "kubernetes.io/description": about },
    },
    { rules: permissions.map(ruleOf) },
  );
