import { type Endpoint, isInside, type Traits } from "../model/endpoint.ts";
import type { Policy, PortMatch, Rule } from "../model/policy.ts";
import { uniteAll } from "../sets/intervals.ts";
import { ALL_PORTS, NO_PORTS, type PortSet, portRange } from "../sets/port-set.ts";

/** The ports that a rule means towards this destination; a name is looked up among its container ports. */
export function portsTowards(policy: Policy, rule: Rule, destination: Endpoint): PortSet {
  if (rule.ports === "all") return ALL_PORTS;
  return uniteAll(
    rule.ports.map((port) =>
      port.kind === "ports" ? port.ports : isInside(destination) ? resolve(policy, port, destination.traits) : NO_PORTS,
    ),
  );
}

/**
 * The first container port of that name. NetworkPolicy: its protocol must be the one written; the tiered kinds take the
 * container port's own. No match means no port, never all ports.
 */
export function resolve(policy: Policy, port: Extract<PortMatch, { kind: "named" }>, traits: Traits): PortSet {
  const fits = (protocol: string): boolean =>
    port.protocol === undefined || policy.tier !== "network" || protocol === port.protocol;
  const found = traits.ports.find((one) => one.name === port.name && fits(one.protocol));
  return found ? portRange(found.protocol, found.port, found.port) : NO_PORTS;
}
