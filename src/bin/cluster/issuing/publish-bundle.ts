import { problemLine } from "../../../domain/problem.ts";
import type { KubeClient } from "../../../kube/client.ts";
import { trustBundleVersion } from "../../../kube/signer-watches.ts";
import { clusterTrustBundles } from "../../../kube/trust-bundles.ts";
import { decideTrustBundles } from "../../../reconcile/certificates/trust-bundles.ts";
import { TRUST_BUNDLE } from "../../../wire/manifests/names.ts";

/**
 * Publishes our roots for kubelets where they are not as they should be. Throws where the API server will not have them, or
 * has no such kind: no Pod could verify another.
 */
export async function publishBundle(client: KubeClient, own: string | undefined): Promise<void> {
  if (own === undefined) return;
  const version = await trustBundleVersion(client);
  if (version === undefined) throw new Error("the API server has no ClusterTrustBundles: switch their feature gate on");
  const found = await client.get(clusterTrustBundles(version), { name: TRUST_BUNDLE });
  const wanted = { own, foreign: new Map<string, string>(), version };
  for (const action of decideTrustBundles(wanted, found.ok ? [found.value] : [])) {
    if (action.do !== "applyTrustBundle") continue;
    const patch = { type: "apply", body: action.object, fieldManager: "signet", force: true } as const;
    const written = await client.patch(clusterTrustBundles(version), { name: TRUST_BUNDLE }, patch);
    if (!written.ok) throw new Error(written.problems.map(problemLine).join("; "));
  }
}
