import { refuse, type Result } from "../domain/problem.ts";
import type { KubeClient } from "../kube/client.ts";
import type { Resource } from "../kube/resources.ts";
import { saysTheSame, withDigest } from "../policy/compile/published.ts";
import type { Rendered } from "../policy/compile/rendered.ts";
import { renderedOf } from "../reconcile/policies/cluster.ts";
import { type Raw, rawAt } from "../wire/read-object.ts";

/**
 * Writes a compiled object so that it says that and nothing else. Server-side apply leaves what other field managers put
 * beside our fields (kubernetes.io, Server-Side Apply): where its answer says more, the content is replaced. A change between
 * the two is refused with API_CONFLICT, and so is an object that still says something else then.
 */
export async function applyWhole(
  client: Pick<KubeClient, "patch">,
  resource: Resource,
  object: Rendered,
): Promise<Result<Raw>> {
  const body: Raw = { ...withDigest(object) };
  const applied = await client.patch(resource, object.metadata, {
    type: "apply",
    body,
    fieldManager: "signet",
    force: true,
  });
  if (!applied.ok || saysTheSame(renderedOf(applied.value), object)) return applied;
  const replacement = { type: "json", body: replacing(applied.value, object.spec) } as const;
  const replaced = await client.patch(resource, object.metadata, replacement, { fieldManager: "signet" });
  if (!replaced.ok || saysTheSame(renderedOf(replaced.value), object)) return replaced;
  return refuse(
    "API_CONFLICT",
    "spec",
    "The API server took it, and its answer says something else: an admission webhook changes it.",
    "Have the webhook leave objects of Signet alone.",
  );
}

/** JSON Patch (RFC 6902): `add` replaces what is there. */
const replacing = (live: Raw, spec: unknown): readonly unknown[] => [
  { op: "test", path: "/metadata/resourceVersion", value: rawAt(live, "metadata")["resourceVersion"] },
  { op: "add", path: "/spec", value: spec },
  ...("specs" in live ? [{ op: "remove", path: "/specs" }] : []),
];
