import { selects } from "../../domain/label-selector.ts";
import { type Problem, problem } from "../../domain/problem.ts";
import { cutsOfWorld, pairsOf, reachIn } from "../analysis/connectivity.ts";
import { INGRESS_CONTROLLER } from "../analysis/openings.ts";
import type { Member, Scene } from "../analysis/scene.ts";
import type { Traits } from "../model/endpoint.ts";
import type { ServiceRecord, World } from "../model/world.ts";
import { intersect, unite, uniteAll } from "../sets/intervals.ts";
import { NO_PORTS, type PortSet, portRange, portSetText } from "../sets/port-set.ts";

/** Workloads behind a Service that policies let nobody reach on any of its ports, neither from inside nor from outside. */
export function unreachableServices(world: World, scene: Scene): readonly Problem[] {
  if (!scene.open || scene.members.length < 2) return [];
  const reach = reachIn(scene);
  const open = new Map<string, PortSet>();
  const pairs = [
    ...pairsOf(scene, cutsOfWorld(world)),
    ...scene.members.map(({ endpoint }) => ({ source: INGRESS_CONTROLLER, destination: endpoint })),
  ];
  for (const pair of pairs) {
    const { text } = pair.destination;
    open.set(text, unite(open.get(text) ?? NO_PORTS, reach(pair)));
  }
  return world.services.flatMap((service) =>
    scene.members
      .filter((member) => serves(service, member))
      .flatMap((member) => judge(service, member, open.get(member.endpoint.text) ?? NO_PORTS)),
  );
}

const serves = (service: ServiceRecord, { endpoint }: Member): boolean =>
  service.namespace === endpoint.traits.namespace && selects(service.selector, endpoint.traits.labels);

function judge(service: ServiceRecord, { endpoint, pods }: Member, open: PortSet): readonly Problem[] {
  const ports = targets(service, endpoint.traits);
  if (ports.length === 0 || intersect(ports, open).length > 0) return [];
  const message = `The Service ${service.namespace}/${service.name} serves ${endpoint.text} on ${portSetText(ports)}, but policies let nobody in there.`;
  const found = problem("SERVICE_UNREACHABLE", "", message, "Allow its clients, or delete the Service.");
  const source = pods[0]?.locate([]);
  return [source ? { ...found, source } : found];
}

const targets = (service: ServiceRecord, traits: Traits): PortSet =>
  uniteAll(
    service.ports.map(({ target, protocol }) => {
      if (typeof target === "number")
        return target >= 1 && target <= 65535 ? portRange(protocol, target, target) : NO_PORTS;
      const named = traits.ports.find((port) => port.name === target);
      return named ? portRange(named.protocol, named.port, named.port) : NO_PORTS;
    }),
  );
