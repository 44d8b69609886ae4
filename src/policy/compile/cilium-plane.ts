import type { LabelRequirement } from "../../domain/label-selector.ts";
import {
  at,
  type Field,
  items,
  keysOf,
  newNotes,
  optionalText,
  optionalWhole,
  present,
  textMap,
} from "../foreign/field.ts";
import {
  type Direction,
  DIRECTIONS,
  type Peer,
  type Policy,
  type PodSelector,
  type PortMatch,
  type Rule,
  type WrittenSelector,
} from "../model/policy.ts";
import { ALL_ADDRESSES, parseCidr, setOf, subtractAddresses, NO_ADDRESSES } from "../sets/address-set.ts";
import { type Protocol, PROTOCOLS, portRange } from "../sets/port-set.ts";
import { CILIUM_NAMESPACE } from "./cilium.ts";
import { kubernetesPlane, type Plane } from "./plane.ts";
import type { Rendered } from "./rendered.ts";

/**
 * Cilium under its own policies and those of Kubernetes: what allows adds up and closes the rest of the direction, what denies
 * stands above that, and below the tiers of Kubernetes. CIDRs mean no Pods; DNS names and L7 rules are not looked at here, so
 * what only they open counts as closed.
 */
export const ciliumPlane = (policies: readonly Policy[]): Plane => kubernetesPlane(policies);

/** What Cilium's objects mean: each as a policy that allows and one that denies. */
export const ciliumRules = (objects: readonly Rendered[]): readonly Policy[] => objects.flatMap(policiesIn);

/** After every priority of the tiers, so that what those accept counts as open. */
const BELOW_TIERS = 1_001;

function policiesIn({ kind, metadata, spec }: Rendered): readonly Policy[] {
  const root: Field = { value: spec, path: [], notes: newNotes() };
  const base = {
    kind: "NetworkPolicy",
    name: metadata.name,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    priority: BELOW_TIERS,
    subject: selectorIn(at(root, "endpointSelector"), metadata.namespace),
    seesHostNetwork: false,
    locate: () => ({ file: `${kind} ${metadata.name}`, line: 1, column: 1 }),
  } as const;
  const rules = (suffix: string, action: Rule["action"]) => {
    const read = (direction: Direction) =>
      present(at(root, `${direction}${suffix}`))
        ? items(at(root, `${direction}${suffix}`)).flatMap((rule, index) =>
            ruleIn(rule, index, action, metadata.namespace),
          )
        : undefined;
    return { ingress: read("ingress"), egress: read("egress") };
  };
  const has = (suffix: string): boolean => DIRECTIONS.some((direction) => present(at(root, `${direction}${suffix}`)));
  return [
    ...(has("") ? [{ ...base, tier: "network", rules: rules("", "allow") } as const] : []),
    ...(has("Deny") ? [{ ...base, tier: "admin", rules: rules("Deny", "deny") } as const] : []),
  ];
}

/** A rule without any peer allows nobody: it is there for default deny. */
function ruleIn(field: Field, index: number, action: Rule["action"], namespace: string | undefined): readonly Rule[] {
  const peers = keysOf(field).flatMap((key) => PEERS[key]?.(at(field, key), namespace) ?? []);
  if (peers.length === 0) return [];
  const ports = items(at(field, "toPorts")).flatMap((entry) => items(at(entry, "ports")).map(portIn));
  if (ports.length === 0 && present(at(field, "icmps"))) return [];
  return [{ index: index + 1, action, peers, ports: ports.length === 0 ? "all" : ports, path: field.path }];
}

type PeerReader = (field: Field, namespace: string | undefined) => readonly Peer[];

const endpoints: PeerReader = (field, namespace) =>
  items(field).map((one) => ({ kind: "pods", selector: selectorIn(one, namespace), path: one.path }));

const cidrs: PeerReader = (field) =>
  items(field).map((one) => ({ kind: "addresses", addresses: blockIn(one), matchesPods: false, path: one.path }));

const entities: PeerReader = (field) =>
  items(field).flatMap((one): readonly Peer[] =>
    one.value === "all"
      ? [
          { kind: "pods", selector: EVERY_POD, path: one.path },
          { kind: "addresses", addresses: ALL_ADDRESSES, matchesPods: false, path: one.path },
        ]
      : [],
  );

const PEERS: Readonly<Record<string, PeerReader>> = {
  fromEndpoints: endpoints,
  toEndpoints: endpoints,
  fromCIDRSet: cidrs,
  toCIDRSet: cidrs,
  fromEntities: entities,
  toEntities: entities,
};

const EVERY_POD: PodSelector = { namespaces: { selector: [] }, pods: [] };

function blockIn(field: Field) {
  const whole = parseCidr(optionalText(at(field, "cidr")) ?? "");
  return items(at(field, "except"))
    .flatMap((one) => parseCidr(optionalText(one) ?? "") ?? [])
    .reduce((left, block) => subtractAddresses(left, setOf(block)), whole ? setOf(whole) : NO_ADDRESSES);
}

function portIn(field: Field): PortMatch {
  const protocol: Protocol = PROTOCOLS.find((one) => one === at(field, "protocol").value) ?? "TCP";
  const text = optionalText(at(field, "port")) ?? "0";
  if (!/^\d+$/.test(text)) return { kind: "named", name: text, protocol, path: field.path };
  if (text === "0") return { kind: "ports", ports: portRange(protocol, 1, 65535) };
  return {
    kind: "ports",
    ports: portRange(protocol, Number(text), optionalWhole(at(field, "endPort")) ?? Number(text)),
  };
}

/** Without a requirement on the namespace a namespaced policy means its own, and a cluster-wide one every namespace. */
function selectorIn(field: Field, namespace: string | undefined): PodSelector {
  const requirements: WrittenSelector = [
    ...Object.entries(textMap(at(field, "matchLabels"))).map(([key, value]) => ({
      key,
      operator: "In" as const,
      values: [value],
      asLabel: true,
    })),
    ...items(at(field, "matchExpressions")).map(requirementIn),
  ];
  const places = requirements.filter(({ key }) => key === CILIUM_NAMESPACE);
  const pods = requirements
    .filter(({ key }) => key !== CILIUM_NAMESPACE)
    .map((one) => ({ ...one, key: one.key.replace(/^k8s:/, "") }));
  if (places.length === 0 && namespace !== undefined) return { namespaces: { name: namespace }, pods };
  return {
    namespaces: {
      selector: places
        .filter(({ operator }) => operator !== "Exists")
        .map((one) => ({ ...one, key: "kubernetes.io/metadata.name" })),
    },
    pods,
  };
}

function requirementIn(field: Field): WrittenSelector[number] {
  const operator = (["In", "NotIn", "Exists", "DoesNotExist"] as const).find(
    (one) => one === at(field, "operator").value,
  );
  const values: LabelRequirement["values"] = items(at(field, "values")).map((one) => optionalText(one) ?? "");
  return { key: optionalText(at(field, "key")) ?? "", operator: operator ?? "In", values, asLabel: false };
}
