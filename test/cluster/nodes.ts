import { accepted } from "./accepted.ts";
import type { ApiClient } from "./api.ts";

/** The user a kubelet of that node authenticates as. */
export function nodeSubject(name: string): { readonly name: string; readonly groups: readonly string[] } {
  return { name: `system:node:${name}`, groups: ["system:nodes"] };
}

/** Creates Node objects that say Ready but have no kubelet behind them. */
export async function createFakeNodes(admin: ApiClient, names: readonly string[]): Promise<void> {
  for (const name of names) await accepted(admin, "POST", "/api/v1/nodes", { body: fakeNode(name) });
}

function fakeNode(name: string) {
  const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const resources = { cpu: "32", memory: "64Gi", pods: "10000", "ephemeral-storage": "100Gi" };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" } },
    status: {
      capacity: resources,
      allocatable: resources,
      addresses: [{ type: "Hostname", address: name }],
      conditions: [
        {
          type: "Ready",
          status: "True",
          reason: "Pretended",
          message: "an object without a kubelet",
          lastHeartbeatTime: now,
          lastTransitionTime: now,
        },
      ],
    },
  };
}
