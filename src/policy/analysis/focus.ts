import { type Problem, problem } from "../../domain/problem.ts";
import { type Endpoint, isInside } from "../model/endpoint.ts";
import type { Direction } from "../model/policy.ts";
import { holds } from "../sets/intervals.ts";
import { isPort, type PortSet, PROTOCOLS, portKey, type Protocol } from "../sets/port-set.ts";
import type { Pair } from "./connectivity.ts";
import type { Scene } from "./scene.ts";

/** One port of one protocol. */
export type OnePort = { readonly protocol: Protocol; readonly port: number };

/** Which part of the connectivity is asked for. */
export type Focus = {
  /** Keep pairs with one of these at one side; empty keeps all. A name is `name` or `namespace/name`. */
  readonly workloads: readonly string[];
  /** Keep pairs with one of these at the other side. */
  readonly peers: readonly string[];
  /** `ingress`: the workload must be the destination; `egress`: the source. */
  readonly direction?: Direction;
  readonly conn?: OnePort;
};

/** Everything. */
export const NO_FOCUS: Focus = { workloads: [], peers: [] };

/** Reads `tcp-80` or `TCP/80`. */
export function parseOnePort(text: string): OnePort | undefined {
  const [, word, digits] = /^([A-Za-z]+)[-/](\d{1,5})$/.exec(text) ?? [];
  const protocol = PROTOCOLS.find((one) => one === word?.toUpperCase());
  const port = Number(digits);
  return protocol === undefined || !isPort(port) ? undefined : { protocol, port };
}

/** Whether the endpoint goes by this name. Outside ranges go by none. */
export const isCalled = (endpoint: Endpoint, name: string): boolean =>
  isInside(endpoint) &&
  (endpoint.name.name === name ||
    (endpoint.kind === "workload" && `${endpoint.name.namespace}/${endpoint.name.name}` === name));

/** Whether a pair is asked for. Peers and direction count only with a workload. */
export function inFocus(focus: Focus, { source, destination }: Pair): boolean {
  if (focus.workloads.length === 0) return true;
  const is = (names: readonly string[], endpoint: Endpoint) => names.some((name) => isCalled(endpoint, name));
  const fits = (workload: Endpoint, peer: Endpoint) =>
    is(focus.workloads, workload) && (focus.peers.length === 0 || is(focus.peers, peer));
  const asDestination = focus.direction !== "egress" && fits(destination, source);
  return asDestination || (focus.direction !== "ingress" && fits(source, destination));
}

/** Whether the ports hold the one that is asked for. */
export const onFocusPort = (focus: Focus, ports: PortSet): boolean =>
  focus.conn === undefined || holds(ports, portKey(focus.conn.protocol, focus.conn.port));

/** What of a focus has no effect: names that nobody bears, and options that need another one. */
export function focusWarnings(focus: Focus, scenes: readonly Scene[], controllerIsThere: boolean): readonly Problem[] {
  const known = scenes.flatMap((scene) => scene.members.map((member) => member.endpoint));
  const unknown = [...focus.workloads, ...focus.peers].filter(
    (name) =>
      !known.some((endpoint) => isCalled(endpoint, name)) && !(name === "ingress-controller" && controllerIsThere),
  );
  const alone = focus.workloads.length === 0;
  return [
    ...unknown.map((name) =>
      problem("WORKLOAD_UNKNOWN", "", `Workload ${name} does not exist in the input resources.`),
    ),
    ...(alone && focus.peers.length > 0
      ? [problem("USAGE", "", "--focus-peer counts only with --focus-workload; it is ignored.")]
      : []),
    ...(alone && focus.direction
      ? [problem("USAGE", "", "--focus-direction counts only with --focus-workload; it is ignored.")]
      : []),
  ];
}
