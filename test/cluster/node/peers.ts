import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../boot.ts";
import type { Peer } from "./probing.ts";

/** What of a Pod names it and tells its ports. */
export type PodFacts = {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
};

/**
 * Waits until `count` Pods exist in these namespaces and all are Ready (for at most two minutes), and gives them as peers
 * in the order of their names.
 */
export async function peersOf(
  cluster: Cluster,
  namespaces: readonly string[],
  count: number,
  describe: (pod: PodFacts) => Pick<Peer, "name" | "listens">,
): Promise<readonly Peer[]> {
  let pods: readonly PodFacts[] = [];
  for (const deadline = Date.now() + 120_000; Date.now() < deadline; await sleep(100)) {
    const { body } = await cluster.request("GET", "/api/v1/pods");
    const all = (body as { readonly items: readonly PodFacts[] }).items;
    pods = all.filter(({ metadata }) => namespaces.includes(metadata.namespace));
    if (pods.length === count && pods.every(isReady)) {
      const peers = pods.map((pod) => ({ ...describe(pod), uid: pod.metadata.uid, ip: pod.status.podIP ?? "" }));
      return peers.sort((one, other) => (one.name < other.name ? -1 : 1));
    }
  }
  const unready = pods.filter((pod) => !isReady(pod)).map(({ metadata }) => metadata.name);
  throw new Error(`${pods.length} Pods, not ${count}; not Ready: ${unready.join(", ")}`);
}

const isReady = ({ status }: PodFacts): boolean =>
  status.conditions?.some((each) => each.type === "Ready" && each.status === "True") ?? false;
