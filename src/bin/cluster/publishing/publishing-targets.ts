import type { KubeClient } from "../../../kube/client.ts";
import { reviewOwnAccess } from "../../../kube/reviews.ts";
import { TARGET_NAMES, type TargetName } from "../../../policy/compile/targets.ts";
import {
  disposedBy,
  JUDGED_RESOURCES,
  type PolicyResource,
  PUBLISHED,
} from "../../../reconcile/policies/published-kinds.ts";

/** The targets that are published to, and those of whose objects that disposes. */
export type PublishedTargets = { readonly ours: ReadonlySet<TargetName>; readonly targets: readonly TargetName[] };

/** Targets that only deny: where nothing is published that opens, they would close without opening. */
const BESIDE_NETWORK_POLICIES: ReadonlySet<TargetName> = new Set<TargetName>([
  "clusternetworkpolicy",
  "adminnetworkpolicy",
  "baselineadminnetworkpolicy",
  "multinetworkpolicy",
]);

/**
 * The targets that are published to: those whose kinds the cluster serves and that we have been given the right to write; the
 * manifests' components are the switches. Where Cilium's own policies are written NetworkPolicies are not: in Cilium both
 * add up, and the one would open whole ports that the other opens for some data. Waypoints are left to the command line.
 */
export async function publishedTargets(
  client: Pick<KubeClient, "create">,
  served: readonly Pick<PolicyResource, "group" | "kind">[],
): Promise<PublishedTargets> {
  const isServed = ({ group, kind }: PolicyResource) => served.some((one) => one.group === group && one.kind === kind);
  const known = TARGET_NAMES.filter((name) => PUBLISHED[name]?.every(isServed));
  const allowed = await Promise.all(known.map((name) => mayWrite(client, name)));
  const may = new Set(known.filter((_name, index) => allowed[index]));
  const cilium = may.has("ciliumnetworkpolicy");
  const opens = cilium || may.has("networkpolicy");
  const targets = [...may].filter(
    (name) =>
      name !== "istio-waypoint" &&
      !(name === "networkpolicy" && cilium) &&
      (opens || !BESIDE_NETWORK_POLICIES.has(name)),
  );
  return { ours: new Set([...disposedBy(targets)].filter((name) => may.has(name))), targets };
}

/** What is only looked at where this is published. */
export function lookedAtBeside({ ours, targets }: PublishedTargets): ReadonlySet<PolicyResource> {
  const written = new Set([...ours, ...targets].flatMap((name) => PUBLISHED[name] ?? []));
  const isWritten = (one: PolicyResource) =>
    [...written].some(({ group, kind }) => group === one.group && kind === one.kind);
  return new Set(JUDGED_RESOURCES.filter((one) => !isWritten(one)));
}

async function mayWrite(client: Pick<KubeClient, "create">, target: TargetName): Promise<boolean> {
  const name = target === "baselineadminnetworkpolicy" ? { name: "default" } : {};
  const answers = await Promise.all(
    (PUBLISHED[target] ?? []).map(({ group, plural }) =>
      reviewOwnAccess(client, { verb: "patch", group, resource: plural, ...name }),
    ),
  );
  return answers.every(Boolean);
}
