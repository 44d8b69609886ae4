import { SIGNERS } from "./names.ts";
import type { Permission } from "./permissions.ts";

/** What publishing bundles of other trust domains needs besides; only with the component `federation`. */
export const FEDERATION_PERMISSIONS: readonly Permission[] = [
  {
    group: "certificates.k8s.io",
    resources: ["signers"],
    verbs: ["attest"],
    names: [SIGNERS],
    where: "cluster",
    why: "each domain has a signer name of its own, by the name of its TrustDomain; the API server knows no narrower pattern",
  },
  {
    group: "certificates.k8s.io",
    resources: ["clustertrustbundles"],
    verbs: ["create", "delete", "list", "patch"],
    where: "cluster",
    why: "publishes each domain's bundle and takes it away; a guard keeps it to names that begin with signet.dev:federated.",
  },
];
