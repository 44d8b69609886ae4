import { FOLLOW, type Permission } from "./permissions.ts";

const TIERS = "policy.networking.k8s.io";
const NETWORKS = "k8s.cni.cncf.io";
const PUBLISH = [...FOLLOW, "create", "delete", "patch"] as const;

/**
 * Calico's API server lists policies only for those who may get the tiers that they are in, and list the policies of a tier
 * (docs.tigera.io, Calico: Configure RBAC for tiered policies).
 */
const CALICO_TIERS: readonly Permission[] = [
  { resources: ["tiers"], verbs: ["get", ...FOLLOW] },
  { resources: ["tier.globalnetworkpolicies", "tier.networkpolicies"], verbs: FOLLOW },
].map((read) => ({
  ...read,
  group: "projectcalico.org",
  where: "cluster",
  why: "without it Calico's API server shows no policies",
}));

/** A component that switches publishing on, and what it grants. */
export type PublishingComponent = { readonly about: string; readonly permissions: readonly Permission[] };

/**
 * What publishing policies needs besides, by component: each is the switch of its targets. `publishing` comes first, and
 * reads what others bring.
 */
export const PUBLISHING_PERMISSIONS: Readonly<Record<string, PublishingComponent>> = {
  publishing: {
    about: "Publishes what approved sentences mean, as NetworkPolicies.",
    permissions: [
      {
        group: "networking.k8s.io",
        resources: ["networkpolicies"],
        verbs: PUBLISH,
        where: "cluster",
        why: "writes and prunes its own, mends them, and judges what those of others open beside them",
      },
      {
        group: TIERS,
        resources: ["adminnetworkpolicies", "baselineadminnetworkpolicies", "clusternetworkpolicies"],
        verbs: FOLLOW,
        where: "cluster",
        why: "judges what policies of others deny above",
      },
      ...[
        { group: "cilium.io", resources: ["ciliumclusterwidenetworkpolicies", "ciliumnetworkpolicies"] },
        { group: "crd.projectcalico.org", resources: ["globalnetworkpolicies", "networkpolicies"] },
        { group: "projectcalico.org", resources: ["globalnetworkpolicies", "networkpolicies"] },
      ].map(
        (read): Permission => ({
          ...read,
          verbs: FOLLOW,
          where: "cluster",
          why: "sees what may open beside ours, and keeps everything back until somebody has looked at it",
        }),
      ),
      ...CALICO_TIERS,
      { group: "", resources: ["nodes"], verbs: FOLLOW, where: "cluster", why: "which addresses Pods have" },
    ],
  },
  "publishing-tiers": {
    about: "Publishes fences, denials and quarantines above all policies: ClusterNetworkPolicy, AdminNetworkPolicy.",
    permissions: [
      {
        group: TIERS,
        resources: ["adminnetworkpolicies", "clusternetworkpolicies"],
        verbs: PUBLISH,
        where: "cluster",
        why: "writes and prunes what denies above all policies",
      },
    ],
  },
  "publishing-baseline": {
    about: "Publishes default deny as the one BaselineAdminNetworkPolicy that a cluster has.",
    permissions: [
      {
        group: TIERS,
        resources: ["baselineadminnetworkpolicies"],
        verbs: ["create", "delete", "patch"],
        names: ["default"],
        where: "cluster",
        why: "writes the one that there is",
      },
    ],
  },
  "publishing-cilium": {
    about: "Publishes for Cilium, with HTTP and DNS of data clauses, instead of NetworkPolicies.",
    permissions: [
      {
        group: "cilium.io",
        resources: ["ciliumclusterwidenetworkpolicies", "ciliumnetworkpolicies"],
        verbs: PUBLISH,
        where: "cluster",
        why: "writes and prunes its own, and mends them",
      },
    ],
  },
  "publishing-istio": {
    about: "Publishes AuthorizationPolicies for ztunnel besides.",
    permissions: [
      {
        group: "security.istio.io",
        resources: ["authorizationpolicies"],
        verbs: PUBLISH,
        where: "cluster",
        why: "writes and prunes its own, and mends them",
      },
    ],
  },
  "publishing-multinetwork": {
    about: "Publishes MultiNetworkPolicies for secondary networks besides.",
    permissions: [
      {
        group: NETWORKS,
        resources: ["multi-networkpolicies"],
        verbs: PUBLISH,
        where: "cluster",
        why: "writes and prunes its own, and mends them",
      },
      {
        group: NETWORKS,
        resources: ["network-attachment-definitions"],
        verbs: FOLLOW,
        where: "cluster",
        why: "which secondary networks there are",
      },
    ],
  },
};
