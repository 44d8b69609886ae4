import type { Catalogue } from "../../domain/catalogue.ts";
import type { Instant } from "../../domain/instant.ts";
import type { Labels } from "../../domain/label-selector.ts";
import { ok, type Result } from "../../domain/problem.ts";
import { type Compilation, compile, type Order } from "../../policy/compile/compile.ts";
import { targetOf } from "../../policy/compile/published.ts";
import type { Rendered } from "../../policy/compile/rendered.ts";
import type { Compiled, TargetName } from "../../policy/compile/targets.ts";
import { unreadKind } from "../../policy/foreign/unevaluated.ts";
import { readWorld } from "../../policy/foreign/world.ts";
import { compileIntent } from "../../policy/intent/intent.ts";
import type { World } from "../../policy/model/world.ts";
import { type AddressSet, parseCidr, setOf, uniteAddresses } from "../../policy/sets/address-set.ts";
import { type Raw, rawAt, textAt } from "../../wire/read-object.ts";
import { clusterMembers } from "./cluster-members.ts";
import { PUBLISHED } from "./published-kinds.ts";
import { siteOf } from "./site.ts";

/** A cluster as the API server has it, in plain objects. */
export type ClusterState = {
  readonly catalogue: Catalogue;
  /** Labels of the namespaces by name. */
  readonly namespaces: ReadonlyMap<string, Labels>;
  /** Those of them that are being deleted; absent: none. */
  readonly terminating?: ReadonlySet<string>;
  readonly pods: readonly Raw[];
  /** Nodes say which addresses Pods have. */
  readonly nodes: readonly Raw[];
  /** Policies of every kind that is published to, ours and others'. */
  readonly policies: readonly Raw[];
  /** Kinds of policies that the cluster serves and that may not be read. */
  readonly unread?: readonly { readonly group: string; readonly kind: string }[];
  /** NetworkAttachmentDefinitions. */
  readonly attachments: readonly Raw[];
};

/** For which targets a cluster is compiled, and when. */
export type Wanted = {
  readonly targets: readonly TargetName[];
  /** Targets of whose objects we dispose. What stands of others stays, and counts as somebody else's. */
  readonly ours: ReadonlySet<TargetName>;
  /** Addresses that Pods have, beside those that nodes name. */
  readonly podNetworks: AddressSet;
  readonly now: Instant;
};

/** A cluster as publishing sees it: what is ours there, and what the definitions compile to. */
export type Published = {
  readonly order: Order;
  readonly compilation: Compilation;
  readonly ours: readonly { readonly target: TargetName; readonly object: Rendered }[];
  /** Namespaces that are being deleted, for as long as that takes; absent: none. */
  readonly terminating?: ReadonlySet<string>;
};

/**
 * Compiles for a cluster; beside what was compiled before, less is worked out anew. Refuses where a policy of somebody else
 * can't be read: any verdict without it would be wrong.
 */
export function compileForCluster(state: ClusterState, wanted: Wanted, before?: Published): Result<Published> {
  const { targets, now } = wanted;
  const { ours, others } = parted(state.policies, wanted.ours);
  const foreign = foreignPolicies(others);
  if (!foreign.ok) return foreign;
  const { catalogue, namespaces } = state;
  const members = clusterMembers(catalogue, state.pods, namespaces);
  const podNetworks = [...state.nodes].flatMap(podBlocksOf).reduce(uniteAddresses, wanted.podNetworks);
  const site = siteOf({ catalogue, members, attachments: [...state.attachments].map(keyOf), podNetworks });
  const { policies } = foreign.value;
  const unevaluated = [...foreign.value.unevaluated, ...(state.unread ?? []).flatMap(unreadKind)];
  const intent = compileIntent(catalogue, before?.order.intent);
  const order: Order = { intent, site, targets, foreign: policies, unevaluated, members, now };
  const compilation = compile(order, before?.compilation);
  if (!compilation.ok) return compilation;
  const { terminating = new Set() } = state;
  return ok({ order, compilation: inPlace(compilation.value, namespaces), ours, terminating });
}

/** Without objects in namespaces that are not there: nothing runs in them, and they take nothing. */
function inPlace(compilation: Compilation, namespaces: ReadonlyMap<string, Labels>): Compilation {
  const isThere = ({ metadata: { namespace } }: Rendered): boolean =>
    namespace === undefined || namespaces.has(namespace);
  const compiled = [...compilation.compiled].map(([name, objects]) => [name, objects.filter(isThere)] as const);
  return { ...compilation, compiled: new Map(compiled) };
}

/** The names of the namespaces among some objects that are being deleted. */
export const terminatingIn = (objects: readonly Raw[]): ReadonlySet<string> =>
  new Set(
    objects
      .filter(({ kind }) => kind === "Namespace")
      .map((object) => rawAt(object, "metadata"))
      .filter((metadata) => textAt(metadata, "deletionTimestamp") !== undefined)
      .flatMap((metadata) => textAt(metadata, "name") ?? []),
  );

/** What stands in the cluster, by target. */
export const compiledOf = (ours: Published["ours"]): Compiled =>
  new Map(
    [...Map.groupBy(ours, ({ target }) => target)].map(([target, all]) => [target, all.map(({ object }) => object)]),
  );

function parted(policies: Iterable<Raw>, ours: ReadonlySet<TargetName>) {
  const own: Published["ours"][number][] = [];
  const others: Raw[] = [];
  for (const raw of policies) {
    const object = renderedOf(raw);
    const target = targetOf(object.metadata.labels);
    if (target !== undefined && ours.has(target) && isOfTarget(object, target)) own.push({ target, object });
    else others.push(raw);
  }
  return { ours: own, others };
}

/** Labels alone make nothing ours: groups have kinds of the same name. */
const isOfTarget = ({ apiVersion, kind }: Rendered, target: TargetName): boolean =>
  (PUBLISHED[target] ?? []).some((one) => one.kind === kind && apiVersion.startsWith(`${one.group}/`));

function foreignPolicies(raws: readonly Raw[]): Result<Pick<World, "policies" | "unevaluated">> {
  return readWorld(
    raws.map((value) => ({ value, locate: () => ({ file: nameText(value), line: 1, column: 1 }) })),
    { multipleNetworks: false, parseYaml: () => undefined },
  );
}

const nameText = (raw: Raw): string => `${textAt(raw, "kind") ?? ""} ${keyOf(raw)}`;

function keyOf(raw: Raw): string {
  const metadata = rawAt(raw, "metadata");
  const namespace = textAt(metadata, "namespace");
  return `${namespace === undefined ? "" : `${namespace}/`}${textAt(metadata, "name") ?? ""}`;
}

/** An object of the API server as one that was compiled; Cilium's rules beside the spec are part of what it says. */
export function renderedOf(object: Raw): Rendered {
  const metadata = rawAt(object, "metadata");
  const namespace = textAt(metadata, "namespace");
  return {
    apiVersion: textAt(object, "apiVersion") ?? "",
    kind: textAt(object, "kind") ?? "",
    metadata: {
      name: textAt(metadata, "name") ?? "",
      ...(namespace === undefined ? {} : { namespace }),
      labels: textsIn(rawAt(metadata, "labels")),
      annotations: textsIn(rawAt(metadata, "annotations")),
    },
    spec: "specs" in object ? { ...rawAt(object, "spec"), specs: object["specs"] } : (object["spec"] ?? {}),
  };
}

const textsIn = (raw: Raw): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(raw).flatMap(([name, value]) => (typeof value === "string" ? [[name, value] as const] : [])),
  );

function podBlocksOf(node: Raw): readonly AddressSet[] {
  const { podCIDRs } = rawAt(node, "spec");
  const texts: readonly unknown[] = Array.isArray(podCIDRs) ? podCIDRs : [];
  return texts.flatMap((text) => (typeof text === "string" ? (parseCidr(text) ?? []) : [])).map(setOf);
}
