import type { ComponentName } from "../components.ts";
import type { BinaryName } from "../recipes.ts";
import { cgroupOf, writeServerFiles } from "./layout.ts";
import type { NetworkName } from "./networks/network.ts";
import { NETWORKS } from "./networks/table.ts";
import { NODE_FILES } from "./place.ts";
import { cleanUpScript } from "./scripts.ts";
import { type NodeOptions, type RealNode, startNode } from "./start-node.ts";

/** Flags by component, as they are handed to a cluster's boot. */
export type ExtraFlags = Partial<Readonly<Record<ComponentName, readonly string[]>>>;

/** What the nodes of a cluster add to each step of its boot. */
export type NodePlan = {
  readonly binaries: readonly BinaryName[];
  readonly components: readonly ComponentName[];
  /** What the reaper does at the end. */
  readonly lastWork: (stateDir: string) => string;
  /** Writes what the API server reads at its start. */
  readonly layOut: (stateDir: string) => Promise<void>;
  readonly flags: (given: ExtraFlags) => ExtraFlags;
  readonly start: (options: NodeOptions) => Promise<RealNode | undefined>;
};

const NO_NODE: NodePlan = {
  binaries: [],
  components: [],
  lastWork: () => "",
  layOut: async () => undefined,
  flags: (given) => given,
  start: async () => undefined,
};

const NODE_BINARIES: readonly BinaryName[] = [
  "kubelet",
  "kube-scheduler",
  "containerd",
  "containerd-shim-runc-v2",
  "ctr",
  "node-init",
  "node-door",
  "node-probe",
  "node-done",
  "pause",
  "standin",
];

/** The plan for that many nodes, whose Pods are on the first of the networks; the others can be switched to later. */
export function nodePlan(nodes: 0 | 1, networks: readonly NetworkName[] = []): NodePlan {
  if (nodes === 0) return NO_NODE;
  return {
    binaries: [...NODE_BINARIES, ...networks.flatMap((name) => NETWORKS[name].binaries)],
    components: ["kube-scheduler"],
    lastWork: (stateDir) => cleanUpScript(cgroupOf(stateDir)),
    layOut: writeServerFiles,
    // The API server finds kubelet in the node's network through the door.
    flags: (given) => {
      const egress = `--egress-selector-config-file=${NODE_FILES.egress}`;
      return { ...given, "kube-apiserver": [egress, ...(given["kube-apiserver"] ?? [])] };
    },
    start: (options) => startNode(options, networks[0] ?? "bridge"),
  };
}
