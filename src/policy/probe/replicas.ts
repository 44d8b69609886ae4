import type { PodRecord, World } from "../model/world.ts";
import { type AddressSet, noAddresses, v4Text } from "../sets/address-set.ts";

const POD_NETWORK = 10 * 2 ** 24;
const NODE_NETWORK = 192 * 2 ** 24 + 168 * 2 ** 16;

/** The world with each replica of a controller as a Pod of its own, `name-0`, `name-1` …, and an address for every Pod. */
export function withReplicas(world: World): World {
  const pods = world.pods.flatMap(replicasOf);
  return {
    ...world,
    pods: pods.map((pod, index) => (noAddresses(pod.addresses) ? { ...pod, addresses: addressFor(pod, index) } : pod)),
  };
}

function replicasOf(pod: PodRecord): readonly PodRecord[] {
  if (pod.workload.kind === "Pod" || pod.virtualMachine) return [pod];
  return Array.from({ length: pod.replicas ?? 1 }, (_, index) => {
    const name = `${pod.name}-${index}`;
    const labels = {
      "apps.kubernetes.io/pod-index": String(index),
      "statefulset.kubernetes.io/pod-name": name,
      ...pod.labels,
    };
    return { ...pod, name, labels: pod.workload.kind === "StatefulSet" ? labels : pod.labels };
  });
}

/** A host-networked Pod has its node's address. */
const addressFor = (pod: PodRecord, index: number): AddressSet => {
  const address = (pod.host ? NODE_NETWORK : POD_NETWORK) + index + 1;
  return { v4: [address, address + 1], v6: [] };
};

/** The address of a Pod as `/32`, undefined if there is no such Pod. */
export function podAddress(world: World, name: string): string | undefined {
  const pod = world.pods.find((one) => `${one.namespace}/${one.name}` === name);
  const first = pod?.addresses.v4[0];
  return first === undefined ? undefined : `${v4Text(first)}/32`;
}
