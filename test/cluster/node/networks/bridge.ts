import { join } from "node:path";
import { NODE } from "../place.ts";
import type { Network } from "./network.ts";

/** Pods on one bridge, and no policy: whatever is not stopped by somebody else passes. */
export const BRIDGE: Network = {
  binaries: [],
  conflist: ({ stateDir }) => {
    const ipam = {
      type: "host-local",
      dataDir: join(stateDir, "node/addresses"),
      ranges: [[{ subnet: NODE.podNetwork, rangeStart: NODE.firstPodAddress, gateway: NODE.address }]],
      routes: [{ dst: "0.0.0.0/0" }],
    };
    const bridge = { type: "bridge", bridge: NODE.bridge, isGateway: true, ipMasq: false, hairpinMode: true, ipam };
    const portmap = { type: "portmap", capabilities: { portMappings: true } };
    return { cniVersion: "1.0.0", name: "bridge", plugins: [bridge, portmap] };
  },
  start: async () => undefined,
  stop: async () => undefined,
};
