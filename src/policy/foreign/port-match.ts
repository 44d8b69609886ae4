import type { PortMatch } from "../model/policy.ts";
import { isPort, NO_PORTS, PROTOCOLS, type PortSet, type Protocol, portRange } from "../sets/port-set.ts";
import { at, type Field, optionalWhole, optionalWord, present, refuseField } from "./field.ts";

const NAME = /^(?=.*[a-z])[a-z0-9](?:[a-z0-9-]{0,13}[a-z0-9])?$/;

/** A protocol; TCP where it is absent, as Kubernetes has it. */
export const readProtocol = (field: Field): Protocol => optionalWord(field, PROTOCOLS) ?? "TCP";

/** The ports from one field to another, both included; refuses numbers that are no ports, and an end before the start. */
export function readRange(protocol: Protocol, from: Field, to: Field): PortSet {
  const [first, last] = [readPort(from), readPort(to)];
  if (first === undefined || last === undefined) return NO_PORTS;
  if (last >= first) return portRange(protocol, first, last);
  refuseField(to, "FIELD_INVALID", `The range of ports ends at ${last}, before it starts at ${first}.`);
  return NO_PORTS;
}

/** A port number from 1 to 65535, which must be there. */
function readPort(field: Field): number | undefined {
  const port = optionalWhole(field);
  if (!present(field)) refuseField(field, "FIELD_MISSING", "The port number is missing.");
  else if (port !== undefined && !isPort(port))
    refuseField(field, "FIELD_INVALID", `${port} is no port; ports are 1 to 65535.`);
  return port !== undefined && isPort(port) ? port : undefined;
}

/** A named port; `protocol` is given where the kind of policy fixes it. */
export function readNamedPort(field: Field, protocol?: Protocol): PortMatch {
  const name = typeof field.value === "string" ? field.value : "";
  if (!NAME.test(name))
    refuseField(
      field,
      "FIELD_INVALID",
      `"${name}" cannot be the name of a port (at most 15 small letters, digits, dashes).`,
    );
  const path = field.path;
  return protocol === undefined ? { kind: "named", name, path } : { kind: "named", name, protocol, path };
}

/** Whether the field holds a name of a port and not a number. */
const isPortName = (field: Field): boolean => typeof field.value === "string";

/** The entry `port`, `endPort`, `protocol` of a NetworkPolicy's `ports` (networking.k8s.io/v1 NetworkPolicyPort). */
export function readPolicyPort(field: Field): PortMatch {
  const protocol = readProtocol(at(field, "protocol"));
  const [port, end] = [at(field, "port"), at(field, "endPort")];
  if (isPortName(port)) {
    if (present(end)) refuseField(end, "FIELD_CONFLICT", "A named port cannot begin a range.");
    return readNamedPort(port, protocol);
  }
  if (!present(port)) {
    if (present(end)) refuseField(end, "FIELD_CONFLICT", "A range of ports needs `port` as its start.");
    return { kind: "ports", ports: portRange(protocol, 1, 65535) };
  }
  return { kind: "ports", ports: readRange(protocol, port, present(end) ? end : port) };
}
