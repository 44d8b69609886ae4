import type { Instant } from "../domain/instant.ts";
import { ok, refuse, refuseAll, type Result } from "../domain/problem.ts";
import { scenesOf } from "../policy/analysis/scene.ts";
import { type Compilation, compile, type Order } from "../policy/compile/compile.ts";
import { targetOf } from "../policy/compile/published.ts";
import type { Rendered } from "../policy/compile/rendered.ts";
import { type Compiled, type TargetName } from "../policy/compile/targets.ts";
import { KINDS } from "../wire/kinds.ts";
import { type Raw, rawAt, textAt } from "../wire/read-object.ts";
import { readInventory } from "./inventory.ts";
import type { Io } from "./io.ts";
import type { KubeResource } from "./kube-access.ts";
import { readPodNetworks, siteOf } from "./policy-site.ts";
import type { PublishAccess } from "./publish-access.ts";
import { DETECTED, PUBLISHED } from "./published-kinds.ts";

/** What is wanted of a cluster: the folder of definitions, or else the cluster's own; targets, or else those it has. */
export type Wanted = {
  readonly catalogue?: string;
  readonly target?: readonly TargetName[];
  readonly podCidr: readonly string[];
  readonly now: Instant;
};

/** A cluster as publishing sees it: what is ours there, and what the definitions compile to. */
export type Published = {
  readonly order: Order;
  readonly compilation: Compilation;
  readonly ours: readonly { readonly target: TargetName; readonly object: Rendered }[];
};

const core = (kind: string, plural: string, namespaced: boolean): KubeResource => ({
  group: "",
  version: "v1",
  plural,
  kind,
  namespaced,
});

const CLUSTER = "the cluster";
const DEFINITIONS = "the cluster's definitions";

/** Reads a cluster, and compiles for it. */
export async function readPublished(io: Io, access: PublishAccess, wanted: Wanted): Promise<Result<Published>> {
  const live = await readLive(access);
  if (!live.ok) return live;
  const { objects, nodes, served, definitions } = live.value;
  const ours = objects.flatMap((object): Published["ours"] => {
    const target = targetOf(labelsOf(object));
    return target === undefined ? [] : [{ target, object: renderedOf(object) }];
  });
  const foreign = objects.filter((object) => targetOf(labelsOf(object)) === undefined);
  const texts = new Map([
    [CLUSTER, listText(foreign)],
    [DEFINITIONS, listText(definitions)],
  ]);
  const inventory = readInventory(withTexts(io, texts), [CLUSTER], { catalogue: wanted.catalogue ?? DEFINITIONS });
  const podNetworks = readPodNetworks([...wanted.podCidr, ...nodes.flatMap(podCidrsOf)]);
  if (!inventory.ok || !podNetworks.ok)
    return refuseAll([inventory, podNetworks].flatMap((each) => (each.ok ? [] : each.problems)));
  const { intent, members, world } = inventory.value;
  const order: Order = {
    intent,
    members,
    site: siteOf(inventory.value, podNetworks.value),
    targets: wanted.target ?? DETECTED.filter((name) => (PUBLISHED[name] ?? []).every((one) => served.has(one.kind))),
    foreign: scenesOf(world)[0]?.policies ?? [],
    now: wanted.now,
  };
  const compilation = compile(order);
  return compilation.ok ? ok({ order, compilation: compilation.value, ours }) : compilation;
}

/** What stands in the cluster, by target. */
export function compiledOf(ours: Published["ours"]): Compiled {
  const all = new Map<TargetName, Rendered[]>();
  for (const { target, object } of ours) all.set(target, [...(all.get(target) ?? []), object]);
  return all;
}

type Live = {
  readonly objects: readonly Raw[];
  readonly nodes: readonly Raw[];
  readonly definitions: readonly Raw[];
  /** Kinds of policies that the cluster serves. */
  readonly served: ReadonlySet<string>;
};

async function readLive(access: PublishAccess): Promise<Result<Live>> {
  const kinds = [
    ...new Map(
      Object.values(PUBLISHED)
        .flat()
        .map((one) => [one.kind, one]),
    ).values(),
  ];
  const policies = await Promise.all(kinds.map((kind) => optional(access, kind)));
  const needed = await Promise.all([
    access.list(core("Namespace", "namespaces", false)),
    access.list(core("Pod", "pods", true)),
    access.list(core("Node", "nodes", false)),
  ]);
  const own = await Promise.all(
    KINDS.map(({ kind, plural, scope }) =>
      optional(access, { group: "signet.dev", version: "v1alpha1", kind, plural, namespaced: scope === "Namespaced" }),
    ),
  );
  const problems = [...policies, ...needed, ...own].flatMap((each) => (each.ok ? [] : each.problems));
  if (problems.length > 0) return refuseAll(problems);
  const [namespaces, pods, nodes] = needed.map(itemsIn);
  return ok({
    objects: [...(namespaces ?? []), ...(pods ?? []), ...policies.flatMap(itemsIn)],
    nodes: nodes ?? [],
    definitions: [...(namespaces ?? []), ...own.flatMap(itemsIn)],
    served: new Set(kinds.flatMap(({ kind }, index) => (isServed(policies[index]) ? [kind] : []))),
  });
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

const listText = (items: readonly Raw[]): string => JSON.stringify({ apiVersion: "v1", kind: "List", items });

/** The texts stand for files of their names. */
const withTexts = (io: Io, texts: ReadonlyMap<string, string>): Io => ({
  ...io,
  readInputs: (paths) => {
    const [only = ""] = paths;
    const text = texts.get(only);
    return text === undefined ? io.readInputs(paths) : ok([{ name: only, text }]);
  },
});

const labelsOf = (object: Raw): Readonly<Record<string, string>> => textsAt(rawAt(object, "metadata"), "labels");

const textsAt = (raw: Raw | undefined, key: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries((raw && rawAt(raw, key)) ?? {}).flatMap(([name, value]) =>
      typeof value === "string" ? [[name, value] as const] : [],
    ),
  );

function renderedOf(object: Raw): Rendered {
  const metadata = rawAt(object, "metadata");
  const namespace = textAt(metadata, "namespace");
  return {
    apiVersion: textAt(object, "apiVersion") ?? "",
    kind: textAt(object, "kind") ?? "",
    metadata: {
      name: textAt(metadata, "name") ?? "",
      ...(namespace === undefined ? {} : { namespace }),
      labels: textsAt(metadata, "labels"),
      annotations: textsAt(metadata, "annotations"),
    },
    spec: object["spec"] ?? {},
  };
}

function podCidrsOf(node: Raw): readonly string[] {
  const cidrs = rawAt(node, "spec")?.["podCIDRs"];
  return Array.isArray(cidrs) ? cidrs.filter((one): one is string => typeof one === "string") : [];
}

/** The resource of an object's kind. */
export function resourceOf({ kind }: Pick<Rendered, "kind">): Result<KubeResource> {
  const found = Object.values(PUBLISHED)
    .flat()
    .find((one) => one.kind === kind);
  return found ? ok(found) : refuse("KIND_UNKNOWN", "kind", `${kind} is not published to a cluster.`);
}
