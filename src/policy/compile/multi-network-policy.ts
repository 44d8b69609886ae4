import type { Doors, Site } from "./doors.ts";
import { networkPolicies } from "./network-policy.ts";
import { ownerLabels, type Rendered } from "./rendered.ts";

/** The name of the target MultiNetworkPolicy, for secondary networks. */
export const MULTI_NETWORK_POLICY = "multinetworkpolicy";

/**
 * The NetworkPolicies once more for the secondary networks of each namespace. Where a network has no subnets, OVN-Kubernetes
 * takes addresses as peers only, and label peers match nobody: narrower.
 */
export const multiNetworkPolicies = (doors: Doors): readonly Rendered[] =>
  doors.site.networks.length === 0 ? [] : onNetworks(doors.site, networkPolicies(doors));

/** NetworkPolicies as MultiNetworkPolicies for the secondary networks of their namespaces. */
export const onNetworks = ({ networks }: Pick<Site, "networks">, policies: readonly Rendered[]): readonly Rendered[] =>
  policies.flatMap((policy) => {
    const names = networks.filter(({ namespace }) => namespace === policy.metadata.namespace);
    if (names.length === 0) return [];
    const annotations = {
      ...policy.metadata.annotations,
      "k8s.v1.cni.cncf.io/policy-for": names.map(({ namespace, name }) => `${namespace}/${name}`).join(","),
    };
    return [
      {
        ...policy,
        apiVersion: "k8s.cni.cncf.io/v1beta1",
        kind: "MultiNetworkPolicy",
        metadata: { ...policy.metadata, labels: ownerLabels(MULTI_NETWORK_POLICY), annotations },
      },
    ];
  });
