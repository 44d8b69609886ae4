import type { Resource } from "./resources.ts";

/** Roots that kubelets write into Pods (certificates.k8s.io), in the version that the API server has. */
export const clusterTrustBundles = (version: string): Resource => ({
  group: "certificates.k8s.io",
  version,
  plural: "clustertrustbundles",
  kind: "ClusterTrustBundle",
  namespaced: false,
});
