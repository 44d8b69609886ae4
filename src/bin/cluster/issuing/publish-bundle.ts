import { problemLine } from "../../../domain/problem.ts";
import type { KubeClient } from "../../../kube/client.ts";
import type { Resource } from "../../../kube/resources.ts";
import { decideTrustBundles } from "../../../reconcile/certificates/trust-bundles.ts";
import { TRUST_BUNDLE } from "../../../wire/manifests/names.ts";

const BUNDLES: Resource = {
  group: "certificates.k8s.io",
  version: "v1",
  plural: "clustertrustbundles",
  kind: "ClusterTrustBundle",
  namespaced: false,
};

/** Publishes our roots for kubelets where they are not as they should be. Throws where the API server will not have them. */
export async function publishBundle(client: KubeClient, own: string | undefined): Promise<void> {
  if (own === undefined) return;
  const found = await client.get(BUNDLES, { name: TRUST_BUNDLE });
  for (const action of decideTrustBundles({ own, foreign: new Map() }, found.ok ? [found.value] : [])) {
    if (action.do !== "applyTrustBundle") continue;
    const patch = { type: "apply", body: action.object, fieldManager: "signet", force: true } as const;
    const written = await client.patch(BUNDLES, { name: TRUST_BUNDLE }, patch);
    if (!written.ok) throw new Error(written.problems.map(problemLine).join("; "));
  }
}
