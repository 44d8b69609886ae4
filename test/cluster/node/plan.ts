import type { ComponentName } from "../components.ts";
import type { BinaryName } from "../recipes.ts";
import { NODE_FILES } from "./place.ts";
import { cleanUpScript } from "./scripts.ts";
import { cgroupOf, layOutNode, NODE_BINARIES, type NodeOptions, type RealNode, startNode } from "./start-node.ts";

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

const ONE_NODE: NodePlan = {
  binaries: NODE_BINARIES,
  components: ["kube-scheduler"],
  lastWork: (stateDir) => cleanUpScript(cgroupOf(stateDir)),
  layOut: layOutNode,
  // The API server finds kubelet in the node's network through the door.
  flags: (given) => {
    const egress = `--egress-selector-config-file=${NODE_FILES.egress}`;
    return { ...given, "kube-apiserver": [egress, ...(given["kube-apiserver"] ?? [])] };
  },
  start: startNode,
};

/** The plan for that many nodes. */
export const nodePlan = (nodes: 0 | 1): NodePlan => (nodes === 0 ? NO_NODE : ONE_NODE);
