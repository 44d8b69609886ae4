import { type Inside, type Traits, type WorkloadName, workloadText } from "../model/endpoint.ts";
import type { Policy } from "../model/policy.ts";
import type { PodRecord, PrimaryNetwork, World } from "../model/world.ts";
import { type AddressSet, NO_ADDRESSES, uniteAddresses } from "../sets/address-set.ts";

/** A network that is looked at by itself. */
export type NetworkName =
  | { readonly kind: "pod-network" }
  | { readonly kind: "UDN" | "CUDN" | "NAD"; readonly name: string };

/** A workload on a network, and the Pods that are it. */
export type Member = { readonly endpoint: Inside; readonly pods: readonly PodRecord[] };

/** One network: who is on it, which policies act on it, and whether the outside and the ingress controller reach it. */
export type Scene = {
  readonly network: NetworkName;
  readonly members: readonly Member[];
  readonly policies: readonly Policy[];
  readonly open: boolean;
};

/** Whether one line stands for a workload with all its Pods, or for each Pod. */
export type Level = "workload" | "pod";

/**
 * Cuts the world into networks: the Pod network, then primary user-defined networks, then secondary networks by name.
 * Without user-defined networks or attachments that is one.
 */
export function scenesOf(world: World, level: Level = "workload"): readonly Scene[] {
  const taken = new Map(world.primaryNetworks.flatMap((network) => network.namespaces.map((name) => [name, network])));
  const primary = world.policies.filter((policy) => policy.kind !== "MultiNetworkPolicy");
  const on = (network: PrimaryNetwork | undefined): readonly PodRecord[] =>
    world.pods.filter((pod) => taken.get(pod.namespace) === network);
  const scene = (network: NetworkName, pods: readonly PodRecord[]): Scene => ({
    network,
    members: membersOf(world, level, { network, pods, addresses: (pod) => pod.addresses }),
    policies: primary,
    open: true,
  });
  const userDefined = [...world.primaryNetworks].sort((a, b) => compare(orderOf(a), orderOf(b)));
  return [
    scene({ kind: "pod-network" }, on(undefined)),
    ...userDefined.map((network) => scene({ kind: network.kind, name: shownName(network) }, on(network))),
    ...secondaryNames(world).map((name) => secondaryScene(world, name, level)),
  ];
}

/** A UDN is called after its namespace, a CUDN by its name. */
const shownName = (network: PrimaryNetwork): string =>
  network.kind === "UDN" ? (network.namespaces[0] ?? network.name) : network.name;

const orderOf = (network: PrimaryNetwork): string => `${network.kind === "UDN" ? 0 : 1} ${shownName(network)}`;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Networks of one name are one network, whichever namespace defines them. */
const secondaryNames = (world: World): readonly string[] =>
  [...new Set([...world.attachments].map((key) => key.slice(key.indexOf("/") + 1)))].sort();

function secondaryScene(world: World, name: string, level: Level): Scene {
  const attached = (pod: PodRecord) =>
    pod.attachments.filter((one) => one.name === name && world.attachments.has(`${one.namespace}/${one.name}`));
  const network: NetworkName = { kind: "NAD", name };
  const pods = world.pods.filter((pod) => attached(pod).length > 0);
  return {
    network,
    members: membersOf(world, level, {
      network,
      pods,
      addresses: (pod) => attached(pod).reduce((all, { addresses }) => uniteAddresses(all, addresses), NO_ADDRESSES),
    }),
    policies: world.policies.filter((policy) => policy.networks?.some((one) => one.name === name)),
    open: false,
  };
}

/** A network with the Pods on it, and the addresses that each has there. */
type Attached = {
  readonly network: NetworkName;
  readonly pods: readonly PodRecord[];
  readonly addresses: (pod: PodRecord) => AddressSet;
};

/** Workloads of the Pods, in the order of their names; the first Pod of an owner speaks for all. */
function membersOf(world: World, level: Level, { network, pods, addresses }: Attached): readonly Member[] {
  const groups = new Map<string, { pods: PodRecord[]; name: WorkloadName }>();
  for (const pod of pods) {
    const name: WorkloadName = level === "pod" ? { ...pod.workload, name: pod.name } : pod.workload;
    const group = groups.get(workloadText(name));
    if (group) group.pods.push(pod);
    else groups.set(workloadText(name), { pods: [pod], name });
  }
  return [...groups.values()]
    .flatMap(({ pods: group, name }) => {
      const [first] = group;
      if (!first) return [];
      const endpoint: Inside = {
        kind: "workload",
        name,
        text: textOn(network, name),
        traits: traitsOf(world, first, addresses(first)),
      };
      return [{ endpoint, pods: group }];
    })
    .sort((a, b) => compare(a.endpoint.text, b.endpoint.text));
}

/** In a UDN the namespace is marked, as its addresses are not those of the Pod network. */
const textOn = (network: NetworkName, name: WorkloadName): string =>
  workloadText(network.kind === "UDN" ? { ...name, namespace: `${name.namespace}[udn]` } : name);

const traitsOf = (world: World, pod: PodRecord, addresses: AddressSet): Traits => ({
  namespace: pod.namespace,
  namespaceLabels: world.namespaces.get(pod.namespace) ?? {},
  labels: pod.labels,
  ports: pod.ports,
  addresses,
  ...(pod.host ? { host: pod.host } : {}),
  virtualMachine: pod.virtualMachine,
});
