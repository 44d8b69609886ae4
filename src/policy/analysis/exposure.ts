import { impliedBy, onlyNamespace, selectorKey } from "../evaluate/imagined.ts";
import { makeEvaluator, type Evaluator } from "../evaluate/evaluator.ts";
import { isSubject, selectsPod } from "../evaluate/match.ts";
import { openPorts, sliceDoor } from "../evaluate/slices.ts";
import type { Imagined, Inside } from "../model/endpoint.ts";
import { DIRECTIONS, type Direction, type PodSelector, type Policy, type WrittenSelector } from "../model/policy.ts";
import { sameSet } from "../sets/intervals.ts";
import { type PortSet, PROTOCOLS, portSetText, rangesOf, rangesText } from "../sets/port-set.ts";
import type { Connection } from "./connectivity.ts";
import type { Member, Scene } from "./scene.ts";

/** What a workload is exposed to in one direction: outside, any Pod of the cluster, or Pods that a rule names. */
export type Exposure = {
  readonly direction: Direction;
  readonly workload: Inside;
  readonly peer: string;
  readonly ports: PortSet;
  /** Named ports that nobody of the input resolves, by protocol. */
  readonly names: readonly string[];
};

/** A workload that no policy selects in a direction. */
type Unprotected = { readonly workload: Inside; readonly direction: Direction };

/** The exposure of all workloads of a network. */
export type ExposureReport = { readonly exposures: readonly Exposure[]; readonly unprotected: readonly Unprotected[] };

/** What workloads are exposed to beyond the input. `connections` is the plain list, which holds the outside. */
export function exposureOf(scene: Scene, connections: readonly Connection[]): ExposureReport {
  const evaluator = makeEvaluator(scene.policies);
  const both = scene.members.flatMap((member) => DIRECTIONS.map((direction) => ({ member, direction })));
  return {
    exposures: both.flatMap(({ member, direction }) => [
      ...outsideOf(member, direction, connections),
      ...insideOf(scene, evaluator, member, direction),
    ]),
    unprotected: both
      .filter(({ member, direction }) => guarding(scene, member, direction).length === 0)
      .map(({ member, direction }) => ({ workload: member.endpoint, direction })),
  };
}

/** Policies that say anything about one direction of a workload. */
const guarding = (scene: Scene, { endpoint }: Member, direction: Direction): readonly Policy[] =>
  scene.policies.filter((policy) => {
    const rules = policy.rules[direction];
    return rules !== undefined && (policy.tier === "network" || rules.length > 0) && isSubject(policy, endpoint);
  });

const outsideOf = (
  { endpoint }: Member,
  direction: Direction,
  connections: readonly Connection[],
): readonly Exposure[] =>
  connections.flatMap(({ source, destination, ports }) => {
    const [own, other] = direction === "egress" ? [source, destination] : [destination, source];
    return own === endpoint && other.kind === "outside"
      ? [{ direction, workload: endpoint, peer: other.text, ports, names: [] }]
      : [];
  });

const ENTIRE_CLUSTER: Imagined = { kind: "imagined", text: "entire-cluster" };

/** Any Pod of the cluster, and each kind of Pod that a rule names and that fares otherwise. */
function insideOf(scene: Scene, evaluator: Evaluator, member: Member, direction: Direction): readonly Exposure[] {
  const towards = (peer: Imagined): Exposure => exposureTo(evaluator, member, direction, peer);
  const anybody = towards(ENTIRE_CLUSTER);
  const named = imaginedPeers(scene, member, direction)
    .filter((peer) => !isThere(scene, peer.selector))
    .map(towards)
    .filter((exposure) => !sameSet(exposure.ports, anybody.ports) || exposure.names.join() !== anybody.names.join());
  return [...(anybody.ports.length > 0 || anybody.names.length > 0 ? [anybody] : []), ...named];
}

function exposureTo(evaluator: Evaluator, { endpoint }: Member, direction: Direction, peer: Imagined): Exposure {
  const [own, other] = [evaluator.classOf(endpoint), evaluator.classOf(peer)];
  const slices = sliceDoor(evaluator, own, other, direction);
  return {
    direction,
    workload: endpoint,
    peer: peer.text,
    ports: openPorts(slices),
    names: direction === "egress" ? unresolvedNames(evaluator, own, other) : [],
  };
}

/** Names of ports that NetworkPolicies allow towards a Pod whose container ports nobody knows. */
function unresolvedNames(evaluator: Evaluator, own: number, other: number): readonly string[] {
  const rules = (evaluator.door(own, "egress")?.network ?? []).flatMap(({ rules: all }) => all);
  const names = rules
    .filter((bound) => bound.match(other) === "yes")
    .flatMap(({ rule }) => (rule.ports === "all" ? [] : rule.ports))
    .flatMap((port) => (port.kind === "named" ? [`${port.protocol ?? "TCP"} ${port.name}`] : []));
  return [...new Set(names)].sort();
}

/** `TCP 80,http,UDP 53`: numbers first, then names that nobody resolves. */
export function exposedPortsText({ ports, names }: Exposure): string {
  if (names.length === 0) return portSetText(ports);
  return PROTOCOLS.map((protocol) => {
    const own = names.filter((name) => name.startsWith(`${protocol} `)).map((name) => name.slice(protocol.length + 1));
    const parts = [rangesText(rangesOf(ports, protocol)), ...own].filter((part) => part !== "");
    return parts.length === 0 ? "" : `${protocol} ${parts.join(",")}`;
  })
    .filter((part) => part !== "")
    .join(",");
}

/** The kinds of Pod that rules of this door name, each once. */
function imaginedPeers(
  scene: Scene,
  member: Member,
  direction: Direction,
): readonly (Imagined & { readonly selector: PodSelector })[] {
  const selectors = guarding(scene, member, direction)
    .flatMap((policy) => policy.rules[direction] ?? [])
    .flatMap((rule) => (rule.peers === "anyone" ? [] : rule.peers))
    .flatMap((peer) => (peer.kind === "pods" && !impliedBy(peer.selector, undefined) ? [peer.selector] : []));
  const written = firstWritten(scene);
  const unique = new Map(selectors.map((selector) => [selectorKey(selector), selector]));
  return [...unique].map(([key, selector]) => ({
    kind: "imagined",
    text: selectorText(written.get(key) ?? selector),
    selector,
  }));
}

/** Selectors of one meaning go by the form in which the first policy writes them. */
function firstWritten({ policies }: Scene): ReadonlyMap<string, PodSelector> {
  const written = new Map<string, PodSelector>();
  const rules = policies.flatMap((policy) => DIRECTIONS.flatMap((direction) => policy.rules[direction] ?? []));
  for (const peer of rules.flatMap((rule) => (rule.peers === "anyone" ? [] : rule.peers)))
    if (peer.kind === "pods" && !written.has(selectorKey(peer.selector)))
      written.set(selectorKey(peer.selector), peer.selector);
  return written;
}

/**
 * Whether a workload of the input is what the selector names: only where labels say it all, as an expression, or no word
 * on Pods at all, leaves room for others.
 */
const isThere = (scene: Scene, selector: PodSelector): boolean =>
  selector.pods.length > 0 &&
  allLabels(selector.pods) &&
  ("name" in selector.namespaces || allLabels(selector.namespaces.selector)) &&
  scene.members.some(({ endpoint }) => selectsPod(selector, endpoint.traits));

const allLabels = (selector: WrittenSelector): boolean => selector.every(({ asLabel }) => asLabel);

/** `backend/[pod with {app=x}]`, `[namespace with {a=b}]/[all pods]`, `[all namespaces]/[pod with {…}]`. */
function selectorText(selector: PodSelector): string {
  const name = onlyNamespace(selector);
  const requirements = "name" in selector.namespaces ? [] : selector.namespaces.selector;
  const namespace =
    name ?? (requirements.length === 0 ? "[all namespaces]" : `[namespace with {${requirementsText(requirements)}}]`);
  const pods = selector.pods.length === 0 ? "[all pods]" : `[pod with {${requirementsText(selector.pods)}}]`;
  return `${namespace}/${pods}`;
}

const requirementsText = (requirements: WrittenSelector): string =>
  requirements
    .map(({ key, operator, values, asLabel }) =>
      asLabel ? `${key}=${values[0] ?? ""}` : `{Key:${key},Operator:${operator},Values:[${values.join(" ")}],}`,
    )
    .sort()
    .join(",");
