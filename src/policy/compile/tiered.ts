import { createHash } from "node:crypto";
import { remembered } from "../../domain/remembered.ts";
import type { PortSpec } from "../../domain/sentences.ts";
import { DIRECTIONS, type Direction } from "../model/policy.ts";
import { ALL_ADDRESSES } from "../sets/address-set.ts";
import { cidrsOf } from "./blocks.ts";
import type { Doors, Ground } from "./doors.ts";
import type { Party, Pods } from "./parties.ts";
import { type Refusal, refusalsOf } from "./refusals.ts";
import { LINES_ANNOTATION, metadataOf, type Rendered, selectorOf } from "./rendered.ts";

/** What tells the tiered kinds apart. */
type Dialect = {
  readonly target: string;
  readonly apiVersion: string;
  readonly kind: string;
  /** Most entries of a list: rules, peers, ports. */
  readonly most: number;
  readonly portsField: string;
  readonly portOf: (spec: PortSpec) => readonly Values[];
};

type Values = Readonly<Record<string, unknown>>;

/** The name of the target ClusterNetworkPolicy, policy.networking.k8s.io/v1alpha2. */
export const CLUSTER_NETWORK_POLICY = "clusternetworkpolicy";
/** The name of the target AdminNetworkPolicy, policy.networking.k8s.io/v1alpha1. */
export const ADMIN_NETWORK_POLICY = "adminnetworkpolicy";

const CLUSTER: Dialect = {
  target: CLUSTER_NETWORK_POLICY,
  apiVersion: "policy.networking.k8s.io/v1alpha2",
  kind: "ClusterNetworkPolicy",
  most: 25,
  portsField: "protocols",
  portOf: (spec) => {
    if ("portName" in spec) return [{ destinationNamedPort: spec.portName }];
    if (!("first" in spec)) return [];
    const destinationPort =
      spec.first === spec.last ? { number: spec.first } : { range: { start: spec.first, end: spec.last } };
    return [{ [spec.protocol]: { destinationPort } }];
  },
};

const ADMIN: Dialect = {
  target: ADMIN_NETWORK_POLICY,
  apiVersion: "policy.networking.k8s.io/v1alpha1",
  kind: "AdminNetworkPolicy",
  most: 100,
  portsField: "ports",
  portOf: (spec) => {
    if ("portName" in spec) return [{ namedPort: spec.portName }];
    if (!("first" in spec)) return [];
    const protocol = spec.protocol.toUpperCase();
    return spec.first === spec.last
      ? [{ portNumber: { protocol, port: spec.first } }]
      : [{ portRange: { protocol, start: spec.first, end: spec.last } }];
  },
};

/** CIDRs that one `networks` peer holds. */
const MOST_NETWORKS = 25;
/** Priorities that OVN-Kubernetes enforces for AdminNetworkPolicy, and those of ClusterNetworkPolicy. */
const PRIORITIES = { [ADMIN.target]: 100, [CLUSTER.target]: 1001 };

/**
 * ClusterNetworkPolicies: in the Admin tier what is refused above all that anybody allows, in the Baseline tier default deny
 * of enclosed namespaces, should a NetworkPolicy be missing.
 */
export const clusterNetworkPolicies = ({ ground }: Doors): readonly Rendered[] => tieredOf(ground);

const tieredOf = remembered((ground: Ground): readonly Rendered[] => [
  ...prioritised(CLUSTER, objectsOf(CLUSTER, ground)).map((object) => withTier(object, "Admin")),
  ...baseline(CLUSTER, ground, "signet-baseline").map((object) =>
    withTier({ ...object, spec: { priority: 1000, ...object.spec } }, "Baseline"),
  ),
]);

/** AdminNetworkPolicies for what is refused. OVN-Kubernetes enforces priorities 0 to 99 only. */
export const adminNetworkPolicies = ({ ground }: Doors): readonly Rendered[] => administeredOf(ground);

const administeredOf = remembered((ground: Ground) => prioritised(ADMIN, objectsOf(ADMIN, ground)));

/** The name of the target BaselineAdminNetworkPolicy, of which a cluster has one. */
export const BASELINE_NETWORK_POLICY = "baselineadminnetworkpolicy";

const DIALECTS: Readonly<Record<string, Dialect>> = { [ADMIN.target]: ADMIN, [CLUSTER.target]: CLUSTER };

/** Refusals that one rule or object of a target cannot hold: they stand in several. */
export function splitRefusals(target: string, { ground }: Doors): readonly Refusal[] {
  const dialect = DIALECTS[target];
  if (!dialect) return [];
  return groupsOf(ground).flatMap((refusals) => {
    const rules = refusals.map((one) => ({ one, count: rulesOf(dialect, one).length }));
    const tooMany = DIRECTIONS.some(
      (direction) =>
        rules.reduce((sum, { one, count }) => sum + (one.direction === direction ? count : 0), 0) > dialect.most,
    );
    return tooMany ? refusals : rules.filter(({ count }) => count > 1).map(({ one }) => one);
  });
}

/** Rules of objects for which a target has no priority left, as texts. */
export function unranked(target: string, { ground }: Doors): readonly string[] {
  const dialect = DIALECTS[target];
  if (!dialect) return [];
  return objectsOf(dialect, ground)
    .slice(roomOf(dialect))
    .flatMap(({ metadata }) => (metadata.annotations?.[LINES_ANNOTATION] ?? "").split("\n"));
}

/** The BaselineAdminNetworkPolicy: default deny of enclosed namespaces, should a NetworkPolicy be missing. */
export const baselineNetworkPolicy = ({ ground }: Doors): readonly Rendered[] =>
  baseline({ ...ADMIN, target: BASELINE_NETWORK_POLICY, kind: "BaselineAdminNetworkPolicy" }, ground, "default");

type Unranked = Rendered & { readonly spec: Values };

const withTier = (object: Unranked, tier: string): Rendered => ({ ...object, spec: { tier, ...object.spec } });

function baseline(dialect: Dialect, { intent }: Ground, name: string): readonly Unranked[] {
  const namespaces = [...intent.enclosedNamespaces.keys()].sort();
  if (namespaces.length === 0) return [];
  const subject: Pods = {
    kind: "pods",
    namespaces: [{ key: "kubernetes.io/metadata.name", operator: "In", values: namespaces }],
    pods: [],
  };
  return [
    {
      apiVersion: dialect.apiVersion,
      kind: dialect.kind,
      metadata: metadataOf(dialect.target, name, undefined, []),
      spec: {
        subject: subjectOf(subject),
        ingress: [{ name: "default-deny", action: "Deny", from: everyone("ingress") }],
        egress: [{ name: "default-deny", action: "Deny", to: everyone("egress") }],
      },
    },
  ];
}

/** Objects by origin and subject; what is more than one object holds stands in several. All of them deny: order is free. */
function objectsOf(dialect: Dialect, ground: Ground): readonly Unranked[] {
  const counts = new Map<string, number>();
  return groupsOf(ground).flatMap((refusals) => {
    const [first] = refusals;
    if (!first) return [];
    const rules = (direction: Direction) =>
      chunked(
        refusals.filter((one) => one.direction === direction).flatMap((one) => rulesOf(dialect, one)),
        dialect.most,
      );
    const [ingress, egress] = [rules("ingress"), rules("egress")];
    return Array.from({ length: Math.max(ingress.length, egress.length) }, (_, index): Unranked => {
      const count = counts.get(first.origin) ?? 0;
      counts.set(first.origin, count + 1);
      return {
        apiVersion: dialect.apiVersion,
        kind: dialect.kind,
        metadata: metadataOf(
          dialect.target,
          nameOf(first.origin, count),
          undefined,
          refusals.map(({ ruling }) => ({ line: ruling })),
        ),
        spec: {
          subject: subjectOf(first.subject),
          ...(ingress[index] ? { ingress: ingress[index] } : {}),
          ...(egress[index] ? { egress: egress[index] } : {}),
        },
      };
    });
  });
}

/** Refusals that may share an object: of one origin, for one subject. */
const groupsOf = (ground: Ground): readonly (readonly Refusal[])[] => [
  ...Map.groupBy(refusalsOf(ground), ({ origin, subject }) => JSON.stringify([origin, subject])).values(),
];

const nameOf = (origin: string, count: number): string => {
  const plain = /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(origin) && origin.length < 200;
  return `signet-${plain ? origin : `deny-${digestOf(origin).toString(16)}`}${count === 0 ? "" : `-${count}`}`;
};

/** One refusal as rules with no list longer than the kind allows. Messages of ICMP alone have no form. */
function rulesOf(dialect: Dialect, { ruling, direction, parties, on }: Refusal): readonly Values[] {
  const isAny = on.some(({ protocol }) => protocol === "any");
  const ports = on.flatMap(dialect.portOf);
  if (!isAny && ports.length === 0) return [];
  const side = direction === "ingress" ? "from" : "to";
  const name = `${ruling.object}, ${ruling.path}`.slice(0, 100);
  return chunked(
    parties.flatMap((party) => peersOf(party, direction)),
    dialect.most,
  ).flatMap((peers) =>
    (isAny ? [undefined] : chunked(ports, dialect.most)).map((some) => ({
      name,
      action: "Deny",
      [side]: peers,
      ...(some ? { [dialect.portsField]: some } : {}),
    })),
  );
}

const subjectOf = ({ namespaces, pods }: Pods): Values =>
  pods.length === 0
    ? { namespaces: selectorOf(namespaces) }
    : { pods: { namespaceSelector: selectorOf(namespaces), podSelector: selectorOf(pods) } };

function peersOf(party: Party, direction: Direction): readonly Values[] {
  if (party.kind === "everyone") return everyone(direction);
  if (party.kind === "pods") return [subjectOf(party)];
  if (party.kind !== "addresses") return [];
  return chunked(cidrsOf(party.addresses), MOST_NETWORKS).map((networks) => ({ networks }));
}

/** Every Pod, and what else has a form: the tiers know no addresses that connections come from. */
const everyone = (direction: Direction): readonly Values[] => [
  subjectOf({ kind: "pods", namespaces: [], pods: [] }),
  ...(direction === "ingress" ? [] : [{ networks: cidrsOf(ALL_ADDRESSES) }]),
];

function chunked<T>(items: readonly T[], most: number): readonly (readonly T[])[] {
  const chunks: T[][] = [];
  for (let index = 0; index < items.length; index += most) chunks.push(items.slice(index, index + most));
  return chunks;
}

const roomOf = ({ target }: Dialect): number => PRIORITIES[target] ?? 100;

/** Every object a priority of its own, by its name: others keep theirs when one comes or goes. Too many are left out. */
function prioritised(dialect: Dialect, objects: readonly Unranked[]): readonly Unranked[] {
  const room = roomOf(dialect);
  const taken = new Set<number>();
  return objects.slice(0, room).map((object) => {
    let priority = digestOf(object.metadata.name) % room;
    while (taken.has(priority)) priority = (priority + 1) % room;
    taken.add(priority);
    return { ...object, spec: { priority, ...object.spec } };
  });
}

const digestOf = (text: string): number => createHash("sha256").update(text).digest().readUInt32BE(0);
