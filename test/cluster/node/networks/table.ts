import { BRIDGE } from "./bridge.ts";
import { CALICO } from "./calico.ts";
import { CILIUM } from "./cilium.ts";
import type { Network, NetworkName } from "./network.ts";

/** Every network a node can have. */
export const NETWORKS: Readonly<Record<NetworkName, Network>> = { bridge: BRIDGE, calico: CALICO, cilium: CILIUM };

/** Reads a network's name, or gives undefined. */
export const readNetworkName = (text: string): NetworkName | undefined =>
  text === "bridge" || text === "calico" || text === "cilium" ? text : undefined;
