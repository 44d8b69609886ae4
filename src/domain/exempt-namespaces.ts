/** Signet's own namespace. */
export const SIGNET_NAMESPACE = "signet-system";
/** Signet's own service account there. */
export const OWN_ACCOUNT = "signet";
/** Signet's own user name: the one that writes stamps and statuses. */
export const SIGNET_ACCOUNT = `system:serviceaccount:${SIGNET_NAMESPACE}:${OWN_ACCOUNT}`;

/** Namespaces that Signet is never in the way of, by name: no label can take a cluster's own parts hostage. */
export const EXEMPT_NAMESPACES: ReadonlySet<string> = new Set([
  "kube-system",
  "kube-public",
  "kube-node-lease",
  SIGNET_NAMESPACE,
]);
