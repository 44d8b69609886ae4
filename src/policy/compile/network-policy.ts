import type { LabelSelector } from "../../domain/label-selector.ts";
import { QUARANTINE_LABEL } from "../../domain/reserved-keys.ts";
import type { PortSpec } from "../../domain/sentences.ts";
import { DIRECTIONS, type Direction } from "../model/policy.ts";
import { blocksOf } from "./blocks.ts";
import type { Cell } from "./cells.ts";
import { type Doors, perSubject, type QuarantinedPods, type Site, type Subject } from "./doors.ts";
import type { Opening } from "./opening.ts";
import type { Party } from "./parties.ts";
import { metadataOf, type Rendered, selectorOf, shortHash } from "./rendered.ts";

/** The name of this target. */
export const NETWORK_POLICY = "networkpolicy";

/** One rule of a NetworkPolicy, and the openings it comes from. */
type Rule = { readonly key: string; readonly value: Readonly<Record<string, unknown>>; readonly opening: Opening };

type Sided = Readonly<Record<Direction, readonly Rule[]>>;

/**
 * NetworkPolicies for the doors: in each namespace in force one that selects every Pod and holds what all of them may, and
 * one for each role with all that its holders may, so that each stands without the other while both are changed.
 * NetworkPolicies add up, so denials are taken out of the rules.
 */
export function networkPolicies(doors: Doors): readonly Rendered[] {
  const namespaces = new Map<string, Subject[]>();
  for (const subject of doors.subjects) {
    const { namespace } = subject.cell;
    if (namespace === undefined) continue;
    namespaces.set(namespace, [...(namespaces.get(namespace) ?? []), subject]);
  }
  return [
    ...[...namespaces].flatMap(([namespace, subjects]) => inNamespace(doors, namespace, subjects)),
    ...quarantines(doors),
  ];
}

/** Pods under quarantine are selected by none of the others, and by one that opens nothing. */
function quarantines({ site: { quarantined = [] } }: Doors): readonly Rendered[] {
  const byNamespace = Map.groupBy(quarantined, ({ namespace }) => namespace);
  return [...byNamespace.keys()].sort().map((namespace) =>
    closingMarked(
      namespace,
      (byNamespace.get(namespace) ?? []).flatMap(({ rulings }) => rulings),
    ),
  );
}

/** A NetworkPolicy that selects what is marked in a namespace, and opens nothing. */
export function closingMarked(namespace: string, rulings: QuarantinedPods["rulings"]): Rendered {
  const marked = selectorOf([{ key: QUARANTINE_LABEL, operator: "Exists", values: [] }]);
  const lines = rulings.map((line) => ({ line }));
  const closed = policy("signet-quarantine", namespace, marked, NOTHING);
  return { ...closed, metadata: metadataOf(NETWORK_POLICY, "signet-quarantine", namespace, lines) };
}

const NOTHING: Sided = { ingress: [], egress: [] };

/** The requirement by which a policy lets go of what is marked. */
export const UNMARKED = { key: QUARANTINE_LABEL, operator: "DoesNotExist" } as const;

const FREE: LabelSelector = [{ ...UNMARKED, values: [] }];

/** Whether Pods of a namespace are under quarantine, whatever role they have: their stamp may be of another. */
const isMarked = ({ quarantined = [] }: Site, namespace: string | undefined): boolean =>
  quarantined.some((one) => one.namespace === namespace);

function inNamespace(doors: Doors, namespace: string, subjects: readonly Subject[]): readonly Rendered[] {
  const ruled = subjects.map((subject) => ({ subject, rules: rulesOf(doors.ground, subject) }));
  const isWhole = doors.intent.enclosedNamespaces.has(namespace);
  const shared = isWhole ? sharedBy(ruled.map(({ rules }) => rules)) : undefined;
  const marked = isMarked(doors.site, namespace);
  const base = shared ? [policy("signet", namespace, marked ? selectorOf(FREE) : {}, shared)] : [];
  const own = ruled.flatMap(({ subject, rules }) =>
    shared && (isSame(rules, shared) || doors.selecting.podsOf(subject.cell).length === 0)
      ? []
      : [ownPolicy(doors.ground, subject)],
  );
  return [...base, ...own];
}

const ownPolicy = perSubject((ground, subject) => {
  const { cell } = subject;
  const pods = ground.selecting.podsOf(cell);
  const selected = selectorOf(isMarked(ground.site, cell.namespace) ? [...pods, ...FREE] : pods);
  return policy(subjectName(cell), cell.namespace, selected, rulesOf(ground, subject));
});

/** `signet-role-checkout`, `signet-nobody`; cells that labels tell apart carry a digest of them. */
export function subjectName({ role, labels }: Cell): string {
  const digest = labels.length > 0 ? `-${shortHash(JSON.stringify(labels))}` : "";
  return role === undefined ? `signet-nobody${digest}` : `signet-role-${role}${digest}`;
}

const rulesOf = perSubject(
  (_ground, { ingress, egress }): Sided => ({
    ingress: ingress.flatMap((opening) => ruleOf(opening, "from")),
    egress: egress.flatMap((opening) => ruleOf(opening, "to")),
  }),
);

/** A named port means nothing towards addresses: those get the numbered ports only. */
function ruleOf(opening: Opening, side: "from" | "to"): readonly Rule[] {
  const named = side === "to" && opening.on.some((spec) => "portName" in spec);
  if (!named) return plainRule(opening, side);
  const [addresses, others] = [true, false].map((wanted) =>
    opening.parties.filter(({ kind }) => (kind === "addresses") === wanted),
  );
  const numbered = opening.on.filter((spec) => !("portName" in spec));
  return [
    ...plainRule({ ...opening, parties: others ?? [] }, side),
    ...plainRule({ ...opening, parties: addresses ?? [], on: numbered }, side),
  ];
}

function plainRule(opening: Opening, side: "from" | "to"): readonly Rule[] {
  const ports = opening.on.flatMap(portOf);
  const isAny = opening.on.some(({ protocol }) => protocol === "any");
  const peers = opening.parties.flatMap(peersOf);
  const everyone = opening.parties.some(({ kind }) => kind === "everyone");
  if ((ports.length === 0 && !isAny) || (peers.length === 0 && !everyone)) return [];
  const value = { ...(everyone ? {} : { [side]: peers }), ...(isAny ? {} : { ports }) };
  return [{ key: JSON.stringify(value), value, opening }];
}

/** Messages of ICMP have no port here: they pass where every port does, and a line for them alone opens nothing. */
function portOf(spec: PortSpec): readonly Readonly<Record<string, unknown>>[] {
  const protocol = spec.protocol.toUpperCase();
  if ("portName" in spec) return [{ protocol, port: spec.portName }];
  if (!("first" in spec)) return [];
  if (spec.first === 1 && spec.last === 65535) return [{ protocol }];
  return [{ protocol, port: spec.first, ...(spec.last > spec.first ? { endPort: spec.last } : {}) }];
}

function peersOf(party: Party): readonly Readonly<Record<string, unknown>>[] {
  if (party.kind === "pods")
    return [
      {
        namespaceSelector: selectorOf(party.namespaces),
        ...(party.pods.length > 0 ? { podSelector: selectorOf(party.pods) } : {}),
      },
    ];
  if (party.kind !== "addresses") return [];
  return blocksOf(party.addresses).map(({ cidr, except }) => ({
    ipBlock: { cidr, ...(except.length > 0 ? { except } : {}) },
  }));
}

/** The rules that all have. */
function sharedBy(all: readonly Sided[]): Sided {
  const [first, ...rest] = all;
  const common = (direction: Direction): readonly Rule[] => {
    const keys = rest.map((one) => new Set(one[direction].map(({ key }) => key)));
    return (first?.[direction] ?? []).filter(({ key }) => keys.every((has) => has.has(key)));
  };
  return { ingress: common("ingress"), egress: common("egress") };
}

const isSame = (rules: Sided, shared: Sided): boolean =>
  DIRECTIONS.every((direction) => rules[direction].length === shared[direction].length);

/** Both directions are closed but for the rules. */
function policy(
  name: string,
  namespace: string | undefined,
  podSelector: Readonly<Record<string, unknown>>,
  rules: Sided,
): Rendered {
  const openings = [...rules.ingress, ...rules.egress].map(({ opening }) => opening);
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadataOf(NETWORK_POLICY, name, namespace, openings),
    spec: {
      podSelector,
      policyTypes: ["Ingress", "Egress"],
      ...(rules.ingress.length > 0 ? { ingress: merged(rules.ingress, "from") } : {}),
      ...(rules.egress.length > 0 ? { egress: merged(rules.egress, "to") } : {}),
    },
  };
}

/** Rules for the same ports become one with all their peers. */
function merged(rules: readonly Rule[], side: "from" | "to"): readonly Readonly<Record<string, unknown>>[] {
  const byPorts = new Map<string, { ports: unknown; peers: Map<string, unknown>; everyone: boolean }>();
  for (const { value } of rules) {
    const key = JSON.stringify(value["ports"] ?? null);
    const known = byPorts.get(key) ?? { ports: value["ports"], peers: new Map<string, unknown>(), everyone: false };
    const peers = value[side];
    for (const peer of Array.isArray(peers) ? (peers as readonly unknown[]) : [])
      known.peers.set(JSON.stringify(peer), peer);
    byPorts.set(key, { ...known, everyone: known.everyone || peers === undefined });
  }
  return [...byPorts.values()].map(({ ports, peers, everyone }) => ({
    ...(everyone ? {} : { [side]: [...peers.values()] }),
    ...(ports === undefined ? {} : { ports }),
  }));
}
