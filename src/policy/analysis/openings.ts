import { selects } from "../../domain/label-selector.ts";
import type { Inside, Traits } from "../model/endpoint.ts";
import type { Opening, ServicePort, World } from "../model/world.ts";
import { NO_ADDRESSES } from "../sets/address-set.ts";
import { uniteAll } from "../sets/intervals.ts";
import { NO_PORTS, type PortSet, portRange } from "../sets/port-set.ts";
import type { Member } from "./scene.ts";

const NAMESPACE = "ingress-controller-ns";

/** The one Pod that stands for whatever serves Ingress and Route objects; policies see it as any other Pod. */
export const INGRESS_CONTROLLER: Inside = {
  kind: "ingress-controller",
  name: { namespace: NAMESPACE, name: "ingress-controller", kind: "Pod" },
  text: "{ingress-controller}",
  traits: {
    namespace: NAMESPACE,
    namespaceLabels: { "kubernetes.io/metadata.name": NAMESPACE },
    labels: {},
    ports: [],
    addresses: NO_ADDRESSES,
    virtualMachine: false,
  },
};

/** A way through an Ingress or Route and a Service to a workload, and the ports it leads to. */
export type Way = { readonly opening: Opening; readonly service: string; readonly ports: PortSet };

/** The ways that Ingress and Route objects open to a workload; none if no Service of theirs selects it. */
export const waysTo = (world: World, { endpoint }: Member): readonly Way[] =>
  world.openings.flatMap((opening) =>
    opening.backends.flatMap((backend) =>
      world.services
        .filter(
          (service) =>
            service.namespace === opening.namespace &&
            service.name === backend.service &&
            service.namespace === endpoint.traits.namespace &&
            selects(service.selector, endpoint.traits.labels),
        )
        .map((service) => ({
          opening,
          service: service.name,
          ports: uniteAll(
            service.ports.filter((port) => isMeant(port, backend.port)).map((port) => targetOf(port, endpoint.traits)),
          ),
        })),
    ),
  );

/** A backend names a service port by name, number (as a text too) or target port; naming none it means all. */
const isMeant = (port: ServicePort, wanted: number | string | undefined): boolean =>
  wanted === undefined ||
  [port.name, port.port, port.target].some((one) => one !== undefined && String(one) === String(wanted));

/** The target port, if the workload lists it; its protocol there is not looked at, traffic through the controller is TCP. */
function targetOf(port: ServicePort, traits: Traits): PortSet {
  const { target } = port;
  const found = traits.ports.find((one) => (typeof target === "number" ? one.port === target : one.name === target));
  if (found) return portRange("TCP", found.port, found.port);
  return traits.virtualMachine && typeof target === "number" ? portRange("TCP", target, target) : NO_PORTS;
}
