import { TARGET_NAMES, type TargetName } from "../../policy/compile/targets.ts";

/** A resource of the API server. */
export type PolicyResource = {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
};

/** The resources that each target publishes to a cluster; targets that act elsewhere are not published there. */
export const PUBLISHED: Readonly<Partial<Record<TargetName, readonly PolicyResource[]>>> = {
  networkpolicy: [resource("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", true)],
  clusternetworkpolicy: [
    resource("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", "clusternetworkpolicies", false),
  ],
  adminnetworkpolicy: [
    resource("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", "adminnetworkpolicies", false),
  ],
  baselineadminnetworkpolicy: [
    resource("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy", "baselineadminnetworkpolicies", false),
  ],
  ciliumnetworkpolicy: [
    resource("cilium.io/v2", "CiliumNetworkPolicy", "ciliumnetworkpolicies", true),
    resource("cilium.io/v2", "CiliumClusterwideNetworkPolicy", "ciliumclusterwidenetworkpolicies", false),
  ],
  "istio-ztunnel": [resource("security.istio.io/v1", "AuthorizationPolicy", "authorizationpolicies", true)],
  "istio-waypoint": [resource("security.istio.io/v1", "AuthorizationPolicy", "authorizationpolicies", true)],
  multinetworkpolicy: [resource("k8s.cni.cncf.io/v1beta1", "MultiNetworkPolicy", "multi-networkpolicies", true)],
};

/** Every resource that is published to, once. */
export const POLICY_RESOURCES: readonly PolicyResource[] = [
  ...new Map(
    Object.values(PUBLISHED)
      .flat()
      .map((one) => [one.kind, one]),
  ).values(),
];

/** Policies that are only looked at: they may open beside ours. Calico serves them in the one group or the other. */
const CALICO_RESOURCES: readonly PolicyResource[] = ["crd.projectcalico.org/v1", "projectcalico.org/v3"].flatMap(
  (version) => [
    resource(version, "NetworkPolicy", "networkpolicies", true),
    resource(version, "GlobalNetworkPolicy", "globalnetworkpolicies", false),
  ],
);

/** Everything that publishing looks at for policies, ours and others'. */
export const JUDGED_RESOURCES: readonly PolicyResource[] = [...POLICY_RESOURCES, ...CALICO_RESOURCES];

/** Secondary networks, which the target multinetworkpolicy is compiled for. */
export const ATTACHMENTS: PolicyResource = resource(
  "k8s.cni.cncf.io/v1",
  "NetworkAttachmentDefinition",
  "network-attachment-definitions",
  true,
);

/** Targets that are taken where the cluster has their kind and nothing else is said: those that add denials. */
const DETECTED: ReadonlySet<TargetName> = new Set(["networkpolicy", "clusternetworkpolicy", "adminnetworkpolicy"]);

/**
 * The targets of a cluster that serves these kinds and in which objects of ours stand for some targets. In Cilium its own
 * policies and NetworkPolicies add up: the one would open whole ports that the other opens for some data.
 */
export function detectedTargets(served: ReadonlySet<string>, standing: ReadonlySet<TargetName>): readonly TargetName[] {
  const found = TARGET_NAMES.filter(
    (name) =>
      (DETECTED.has(name) || standing.has(name)) && (PUBLISHED[name] ?? []).every(({ kind }) => served.has(kind)),
  );
  return found.includes("ciliumnetworkpolicy") ? found.filter((name) => name !== "networkpolicy") : found;
}

/**
 * The targets whose objects go with what is published to some: those themselves, and NetworkPolicies that Cilium's own
 * replace. Objects of all others are of another publisher.
 */
export const disposedBy = (targets: readonly TargetName[]): ReadonlySet<TargetName> =>
  new Set([...targets, ...(targets.includes("ciliumnetworkpolicy") ? (["networkpolicy"] as const) : [])]);

function resource(apiVersion: string, kind: string, plural: string, namespaced: boolean): PolicyResource {
  const [group = "", version = ""] = apiVersion.split("/");
  return { group, version, kind, plural, namespaced };
}
