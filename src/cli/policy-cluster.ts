import { type Catalogue, makeCatalogue } from "../domain/catalogue.ts";
import type { Instant } from "../domain/instant.ts";
import type { Labels } from "../domain/label-selector.ts";
import { ok, refuseAll, type Result } from "../domain/problem.ts";
import { targetOf } from "../policy/compile/published.ts";
import type { TargetName } from "../policy/compile/targets.ts";
import { compileForCluster, type Published, renderedOf, terminatingIn } from "../reconcile/policies/cluster.ts";
import {
  ATTACHMENTS,
  detectedTargets,
  disposedBy,
  JUDGED_RESOURCES,
  POLICY_RESOURCES,
} from "../reconcile/policies/published-kinds.ts";
import { readDefinitions, readNamespace } from "../wire/definitions.ts";
import { KINDS } from "../wire/kinds.ts";
import { type KubeObject, readApiObject } from "../wire/objects.ts";
import type { Raw } from "../wire/read-object.ts";
import type { Io } from "./io.ts";
import type { KubeResource } from "./kube-access.ts";
import { loadCatalogue } from "./load-catalogue.ts";
import { readPodNetworks } from "./policy-site.ts";
import type { PublishAccess } from "./publish-access.ts";
import { withNamespaces } from "./with-namespaces.ts";

/** What is wanted of a cluster: the folder of definitions, or else the cluster's own; targets, or else those it has. */
export type Wanted = {
  readonly catalogue?: string;
  readonly target?: readonly TargetName[];
  readonly podCidr: readonly string[];
  readonly now: Instant;
};

const core = (kind: string, plural: string, namespaced: boolean): KubeResource => ({
  group: "",
  version: "v1",
  plural,
  kind,
  namespaced,
});

/** Reads a cluster, and compiles for it. */
export async function readPublished(io: Io, access: PublishAccess, wanted: Wanted): Promise<Result<Published>> {
  const live = await readLive(access);
  if (!live.ok) return live;
  const { namespaces, definitions, served } = live.value;
  const catalogue = catalogueOf(io, wanted.catalogue, namespaces, definitions);
  const labels = labelsOf(namespaces);
  const podNetworks = readPodNetworks(wanted.podCidr);
  if (!catalogue.ok || !labels.ok || !podNetworks.ok)
    return refuseAll([catalogue, labels, podNetworks].flatMap((each) => (each.ok ? [] : each.problems)));
  const targets = wanted.target ?? detectedTargets(served, targetsIn(live.value.policies));
  return compileForCluster(
    {
      ...live.value,
      catalogue: catalogue.value,
      namespaces: labels.value,
      terminating: terminatingIn(namespaces.map(({ raw }) => raw)),
    },
    {
      targets,
      ours: disposedBy(targets),
      podNetworks: podNetworks.value,
      now: wanted.now,
    },
  );
}

/** The targets for which objects of ours stand. */
const targetsIn = (policies: readonly Raw[]): ReadonlySet<TargetName> =>
  new Set(policies.flatMap((raw) => targetOf(renderedOf(raw).metadata.labels) ?? []));

/** The folder's definitions, beside the namespaces that are there; or what the cluster itself has in force. */
function catalogueOf(
  io: Io,
  folder: string | undefined,
  namespaces: readonly KubeObject[],
  definitions: readonly KubeObject[],
): Result<Catalogue> {
  if (folder === undefined) {
    const own = readDefinitions([...namespaces, ...definitions]);
    return own.ok ? ok(makeCatalogue(own.value, "")) : own;
  }
  const loaded = loadCatalogue(io, folder);
  return loaded.ok ? withNamespaces(loaded.value.catalogue, namespaces, false) : loaded;
}

function labelsOf(namespaces: readonly KubeObject[]): Result<ReadonlyMap<string, Labels>> {
  const read = namespaces.map(readNamespace);
  const problems = read.flatMap((each) => (each.ok ? [] : each.problems));
  if (problems.length > 0) return refuseAll(problems);
  return ok(new Map(read.flatMap((each) => (each.ok ? [[each.value.name, each.value.labels] as const] : []))));
}

type Live = {
  readonly namespaces: readonly KubeObject[];
  readonly definitions: readonly KubeObject[];
  readonly pods: readonly Raw[];
  readonly nodes: readonly Raw[];
  readonly policies: readonly Raw[];
  readonly attachments: readonly Raw[];
  /** Kinds of policies that the cluster serves. */
  readonly served: ReadonlySet<string>;
};

async function readLive(access: PublishAccess): Promise<Result<Live>> {
  const policies = await Promise.all(JUDGED_RESOURCES.map((kind) => optional(access, kind)));
  const needed = await Promise.all([
    access.list(core("Namespace", "namespaces", false)),
    access.list(core("Pod", "pods", true)),
    access.list(core("Node", "nodes", false)),
    optional(access, ATTACHMENTS),
  ]);
  const own = await Promise.all(
    KINDS.map(({ kind, plural, scope }) =>
      optional(access, { group: "signet.dev", version: "v1alpha1", kind, plural, namespaced: scope === "Namespaced" }),
    ),
  );
  const [namespaces = [], pods = [], nodes = [], attachments = []] = needed.map(itemsIn);
  const spaces = objectsOf(namespaces);
  const definitions = objectsOf(own.flatMap(itemsIn));
  const problems = [...policies, ...needed, ...own, spaces, definitions].flatMap((each) =>
    each.ok ? [] : each.problems,
  );
  if (!spaces.ok || !definitions.ok || problems.length > 0) return refuseAll(problems);
  return ok({
    namespaces: spaces.value,
    definitions: definitions.value,
    pods,
    nodes,
    policies: policies.flatMap(itemsIn),
    attachments,
    served: new Set(POLICY_RESOURCES.filter((_kind, index) => isServed(policies[index])).map(({ kind }) => kind)),
  });
}

function objectsOf(items: readonly Raw[]): Result<readonly KubeObject[]> {
  const read = items.map((raw) => readApiObject(raw, "the cluster"));
  const problems = read.flatMap((each) => (each.ok ? [] : each.problems));
  return problems.length > 0 ? refuseAll(problems) : ok(read.flatMap((each) => (each.ok ? [each.value] : [])));
}

type Listed = Result<{ readonly items: readonly Raw[]; readonly absent?: true }>;

/** A kind that the cluster does not serve has no objects. */
async function optional(access: PublishAccess, resource: KubeResource): Promise<Listed> {
  const listed = await access.list(resource);
  if (listed.ok || listed.problems[0]?.code !== "NOT_FOUND") return listed;
  return ok({ items: [], absent: true });
}

const itemsIn = (listed: Listed): readonly Raw[] => (listed.ok ? listed.value.items : []);

const isServed = (listed: Listed | undefined): boolean => listed?.ok === true && listed.value.absent === undefined;
