import { SIGNET_NAMESPACE } from "../../domain/exempt-namespaces.ts";
import type { KubeClient } from "../../kube/client.ts";
import { CONFIG_MAPS } from "../../kube/resources.ts";
import { SELF_TEST } from "../../wire/manifests/names.ts";

const NAME = { namespace: SIGNET_NAMESPACE, name: SELF_TEST };
const BODY = { apiVersion: "v1", kind: "ConfigMap", metadata: NAME };

/**
 * Whether the API server reaches both webhooks and trusts their certificate: a dry run of an object that both configurations
 * have an entry for, each failing closed. Server-side apply names the object, so that RBAC can limit it to this one.
 */
export async function callsArrive(client: Pick<KubeClient, "patch">): Promise<boolean> {
  const patch = { type: "apply", body: BODY, fieldManager: SELF_TEST, force: true } as const;
  return client.patch(CONFIG_MAPS, NAME, patch, { dryRun: true }).then(
    ({ ok }) => ok,
    () => false,
  );
}
