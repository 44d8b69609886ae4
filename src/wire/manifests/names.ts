import { SIGNET_NAMESPACE } from "../../domain/exempt-namespaces.ts";

/** Name of the Deployment, the Service, the service account and both webhook configurations. */
export const NAME = "signet";

/** User name of Signet's service account. */
export const ACCOUNT_USER = `system:serviceaccount:${SIGNET_NAMESPACE}:${NAME}`;

/** Port of the Pods: webhooks, API, health and metrics. */
export const PORT = 8443;

/** Port of Istio's certificate service, where its clients look. */
export const GRPC_PORT = 15_012;

/** Port where other trust domains fetch our bundle, and the Service that has no other. */
export const BUNDLE_PORT = 8444;
export const BUNDLE_SERVICE = "signet-bundle";

/** Labels of the server's Pods. */
export const SELECTOR = { "app.kubernetes.io/name": NAME, "app.kubernetes.io/component": "server" } as const;

/** Where the API server finds the server when it runs beside it, and not in the cluster. */
export const LOCAL_URL = `https://127.0.0.1:${PORT}`;

/** Host name by which the API server calls the Service; the serving certificate carries it. */
export const SERVICE_HOST = `${NAME}.${SIGNET_NAMESPACE}.svc`;

/** Name of each report of OpenReports; there is one a namespace, and one of the cluster. */
export const REPORT = "signet";

/** The Lease that elects the one replica that writes. */
export const LEASE = "signet-leader";

/** The ConfigMap, in Signet's namespace, that is only ever written as a dry run: to see whether webhooks are called. */
export const SELF_TEST = "signet-self-test";

/** The ConfigMap, in Signet's namespace, by which people ask for steps of a rotation and are answered. */
export const ASKS = "signet-authorities";

/** End of the names of the webhook entries that match it. */
export const SELF_TEST_ENTRY = "self-test.signet.dev";

/** Secrets that the server keeps: its authorities' keys, its serving authority, its keys for tokens, and what is revoked. */
export const SECRETS = {
  authorities: "signet-authorities",
  revocations: "signet-revocations",
  serving: "signet-serving",
  tokens: "signet-tokens",
} as const;

/** All signers under our name, as `attest` on signers knows them: each federated domain has one of its own. */
export const SIGNERS = "signet.dev/*";

/** The signer's one ClusterTrustBundle; the API server wants its name to begin with the signer's. */
export const TRUST_BUNDLE = "signet.dev:svid:bundle";

/** How the names of other domains' bundles begin; the name of the TrustDomain follows. */
export const FOREIGN_BUNDLES = "signet.dev:federated.";

/** User names of KubeVirt's virt-controller: as KubeVirt installs it, and as OpenShift Virtualization does. */
export const VIRT_CONTROLLERS = {
  kubevirt: "system:serviceaccount:kubevirt:kubevirt-controller",
  openshift: "system:serviceaccount:openshift-cnv:kubevirt-controller",
} as const;
