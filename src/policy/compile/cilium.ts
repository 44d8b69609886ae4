import type { LabelSelector } from "../../domain/label-selector.ts";
import { remembered } from "../../domain/remembered.ts";
import type { DataClause, PortSpec } from "../../domain/sentences.ts";
import { DIRECTIONS, type Direction } from "../model/policy.ts";
import { blocksOf } from "./blocks.ts";
import { type Doors, type Ground, perSubject } from "./doors.ts";
import { subjectName } from "./network-policy.ts";
import type { Opening } from "./opening.ts";
import type { Party, Pods } from "./parties.ts";
import { type Refusal, refusalsOf } from "./refusals.ts";
import { metadataOf, type Rendered, selectorOf } from "./rendered.ts";

/** The name of the target CiliumNetworkPolicy, cilium.io/v2. */
export const CILIUM = "ciliumnetworkpolicy";

type Values = Readonly<Record<string, unknown>>;

/** The label under which Cilium knows a Pod's namespace. */
export const CILIUM_NAMESPACE = "k8s:io.kubernetes.pod.namespace";
const NAME_LABEL = "kubernetes.io/metadata.name";
/** Ports that one `toPorts` entry holds. */
const MOST_PORTS = 40;

/**
 * CiliumNetworkPolicies for the doors, and CiliumClusterwideNetworkPolicies that deny what is refused above them. HTTP and
 * DNS of data clauses are enforced where a Cilium proxy is on; a rule without peers or ports is default deny alone.
 */
export const ciliumPolicies = (doors: Doors): readonly Rendered[] => [
  ...doors.subjects.map((subject) => allowing(doors.ground, subject)),
  ...defaultDenies(doors.ground),
  ...denying(doors.ground),
];

const allowing = perSubject((ground, subject): Rendered => {
  const { cell } = subject;
  const rules = (direction: Direction): readonly Values[] => {
    const all = subject[direction].flatMap((opening) => rulesOf(opening, direction));
    return all.length > 0 ? all : [{}];
  };
  return {
    apiVersion: "cilium.io/v2",
    kind: "CiliumNetworkPolicy",
    metadata: metadataOf(CILIUM, subjectName(cell), cell.namespace, [...subject.ingress, ...subject.egress]),
    spec: {
      endpointSelector: prefixed(ground.selecting.podsOf(cell)),
      ingress: rules("ingress"),
      egress: rules("egress"),
    },
  };
});

/** Whatever stands in an enclosed namespace is closed, whatever its labels are. */
const defaultDenies = remembered(({ intent }: Ground): readonly Rendered[] =>
  [...intent.enclosedNamespaces.keys()].sort().map((namespace) => ({
    apiVersion: "cilium.io/v2",
    kind: "CiliumNetworkPolicy",
    metadata: metadataOf(CILIUM, "signet", namespace, []),
    spec: { endpointSelector: {}, ingress: [{}], egress: [{}] },
  })),
);

function rulesOf({ parties, on, line }: Opening, direction: Direction): readonly Values[] {
  const isAny = on.some(({ protocol }) => protocol === "any");
  const ports = on.flatMap(portOf);
  const messages = on.flatMap(messageOf);
  const prefix = direction === "ingress" ? "from" : "to";
  return parties
    .flatMap((party) => peersOf(party, prefix))
    .flatMap((peers): readonly Values[] => {
      if (isAny) return [peers];
      const withPorts = chunked(ports).map((some) => ({ ports: some, ...dataRules(line.data) }));
      return [
        ...(withPorts.length > 0 ? [{ ...peers, toPorts: withPorts }] : []),
        ...(messages.length > 0 ? [{ ...peers, icmps: [{ fields: messages }] }] : []),
      ];
    });
}

function chunked<T>(items: readonly T[]): readonly (readonly T[])[] {
  const count = Math.ceil(items.length / MOST_PORTS);
  return Array.from({ length: count }, (_, index) => items.slice(index * MOST_PORTS, (index + 1) * MOST_PORTS));
}

function portOf(spec: PortSpec): readonly Values[] {
  const protocol = spec.protocol.toUpperCase();
  if ("portName" in spec) return [{ port: spec.portName, protocol }];
  if (!("first" in spec)) return [];
  if (spec.first === 1 && spec.last === 65535) return [{ port: "0", protocol }];
  return [{ port: String(spec.first), protocol, ...(spec.last > spec.first ? { endPort: spec.last } : {}) }];
}

const messageOf = (spec: PortSpec): readonly Values[] =>
  "type" in spec && spec.type !== undefined
    ? [{ family: spec.protocol === "icmp" ? "IPv4" : "IPv6", type: spec.type }]
    : [];

/** What Cilium's proxy looks at: methods and paths of HTTP, names of DNS. Other protocols have no rules. */
function dataRules(data: DataClause | undefined): Values {
  if (data?.protocol === "http") {
    const [methods, paths] = [data.operations ?? [undefined], data.paths ?? [undefined]];
    const http = methods.flatMap((method) =>
      paths.map((path) => ({
        ...(method === undefined ? {} : { method: method.toUpperCase() }),
        ...(path === undefined ? {} : { path: asRegex(path) }),
      })),
    );
    return { rules: { http } };
  }
  if (data?.protocol === "dns" && data.paths)
    return { rules: { dns: data.paths.map((matchPattern) => ({ matchPattern })) } };
  return {};
}

/** A path as Cilium's extended POSIX expression over the whole path; a trailing asterisk means all that begins so. */
const asRegex = (path: string): string => {
  const escaped = (text: string): string => text.replaceAll(/[.+?^${}()|[\]\\*]/g, (character) => `\\${character}`);
  return path.endsWith("*") ? `${escaped(path.slice(0, -1))}.*` : escaped(path);
};

function peersOf(party: Party, prefix: "from" | "to"): readonly Values[] {
  if (party.kind === "everyone") return [{ [`${prefix}Entities`]: ["all"] }];
  if (party.kind === "pods") return [{ [`${prefix}Endpoints`]: [endpointsOf(party)] }];
  if (party.kind === "addresses")
    return [
      {
        [`${prefix}CIDRSet`]: blocksOf(party.addresses).map(({ cidr, except }) => ({
          cidr,
          ...(except.length > 0 ? { except } : {}),
        })),
      },
    ];
  const { peer } = party;
  if (peer.by === "entity") return [{ [`${prefix}Entities`]: ["host", "remote-node"] }];
  if (peer.by !== "fqdn" || prefix === "from") return [];
  return [{ toFQDNs: [peer.name.startsWith("*") ? { matchPattern: `*${peer.name}` } : { matchName: peer.name }] }];
}

/** Pods of other namespaces are only meant where a requirement on the namespace says so. */
const endpointsOf = ({ namespaces, pods }: Pods): Values =>
  prefixed([
    ...(namespaces.length > 0 ? namespaces : [{ key: NAME_LABEL, operator: "Exists", values: [] } as const]),
    ...pods,
  ]);

const prefixed = (selector: LabelSelector): Values =>
  selectorOf(selector.map((one) => ({ ...one, key: one.key === NAME_LABEL ? CILIUM_NAMESPACE : `k8s:${one.key}` })));

/** One cluster-wide policy for each origin and subject; what it denies no policy allows. */
const denying = remembered((ground: Ground): readonly Rendered[] => {
  const groups = new Map<string, Refusal[]>();
  for (const refusal of refusalsOf(ground)) {
    const key = JSON.stringify([refusal.origin, refusal.subject]);
    groups.set(key, [...(groups.get(key) ?? []), refusal]);
  }
  const counts = new Map<string, number>();
  return [...groups.values()].flatMap((refusals) => {
    const [first] = refusals;
    if (!first) return [];
    const count = counts.get(first.origin) ?? 0;
    counts.set(first.origin, count + 1);
    const spec = Object.fromEntries(
      DIRECTIONS.flatMap((direction) => {
        const rules = refusals.filter((one) => one.direction === direction).flatMap(deniesOf);
        return rules.length > 0 ? [[`${direction}Deny`, rules] as const] : [];
      }),
    );
    if (Object.keys(spec).length === 0) return [];
    return [
      {
        apiVersion: "cilium.io/v2",
        kind: "CiliumClusterwideNetworkPolicy",
        metadata: metadataOf(
          CILIUM,
          `signet-${first.origin}${count === 0 ? "" : `-${count}`}`,
          undefined,
          refusals.map(({ ruling }) => ({ line: ruling })),
        ),
        spec: {
          endpointSelector: endpointsOf(first.subject),
          enableDefaultDeny: { ingress: false, egress: false },
          ...spec,
        },
      },
    ];
  });
});

function deniesOf({ parties, on, direction }: Refusal): readonly Values[] {
  const isAny = on.some(({ protocol }) => protocol === "any");
  const ports = on.flatMap(portOf);
  if (!isAny && ports.length === 0) return [];
  return parties
    .flatMap((party) => peersOf(party, direction === "ingress" ? "from" : "to"))
    .map((peers) => (isAny ? peers : { ...peers, toPorts: chunked(ports).map((some) => ({ ports: some })) }));
}
