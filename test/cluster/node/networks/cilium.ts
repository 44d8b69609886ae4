import { existsSync } from "node:fs";
import { join } from "node:path";
import { accepted } from "../../accepted.ts";
import { NODE } from "../place.ts";
import { JUDGED_POD_NETWORK } from "./calico.ts";
import { applyCrds } from "./crds.ts";
import { type Network, type NodeAccess } from "./network.ts";

const ADMIN_CRDS = join(import.meta.dirname, "../../../conformance/data/crds/network-policy-api/v1alpha2-standard");
const READY = "127.0.0.1:9879";

/**
 * Cilium 1.20.2: its agent and CNI plugin, enforcing by eBPF: policies of networking.k8s.io/v1, ClusterNetworkPolicy
 * v1alpha2, and CiliumNetworkPolicy without its L7 part (there is no Envoy). No operator.
 */
export const CILIUM: Network = {
  binaries: ["cilium-agent", "cilium-cni", "cilium-bpf", "cilium-crds"],
  conflist: () => ({
    cniVersion: "1.0.0",
    name: "cilium",
    plugins: [{ type: "cilium-cni", "log-file": "/var/log/cni.log" }],
  }),
  start: async (node) => {
    const crds = node.bin("cilium-crds");
    await applyCrds(node.admin, [join(crds, "v2"), join(crds, "v2alpha1"), ADMIN_CRDS]);
    await accepted(node.admin, "PATCH", `/api/v1/nodes/${NODE.name}`, {
      body: { spec: { podCIDR: "10.99.0.0/24", podCIDRs: ["10.99.0.0/24"] } },
      contentType: "application/merge-patch+json",
    });
    await node.run("/bin/sh", "-euc", prepare(node));
    const { stateDir } = node;
    node.start("cilium-agent", [node.bin("cilium-agent"), ...flags(node)], {
      K8S_NODE_NAME: NODE.name,
      KUBERNETES_SERVICE_HOST: NODE.address,
      KUBERNETES_SERVICE_PORT: String(NODE.apiPort),
      PATH: `${join(stateDir, "node/tools")}:/usr/sbin:/usr/bin:/sbin:/bin`,
    });
    await node.until("cilium-agent", async () => (await node.statusInside(READY, "/healthz")) === 200);
  },
  stop: async (node) => {
    await node.stop("cilium-agent");
    await node.run("/bin/sh", "-uc", CLEAN_UP);
  },
};

/** Where Hubble's exporter writes what it sees, a line an event. */
export const hubbleFile = (stateDir: string): string => join(stateDir, "hubble.jsonl");

/** The agent calls `clang` by that name, and looks for its programs' sources beside its state. */
function prepare({ stateDir, bin }: NodeAccess): string {
  const tools = join(stateDir, "node/tools");
  return `
mkdir -p ${tools} /var/lib/cilium
ln -sf "$(command -v clang-19)" ${tools}/clang
ln -sfn ${bin("cilium-bpf")} /var/lib/cilium/bpf
`;
}

const CLEAN_UP = `
rm -rf /sys/fs/bpf/cilium /sys/fs/bpf/tc /sys/fs/bpf/* /var/run/cilium
for link in cilium_host cilium_net cilium_vxlan; do ip link delete $link 2>/dev/null; done
for table in 2004 2005; do ip route flush table $table 2>/dev/null; done
nft flush ruleset
true
`;

function flags({ stateDir, daemonKubeconfig }: NodeAccess): readonly string[] {
  const hybrid = "/sys/fs/cgroup/unified";
  const settings = {
    "k8s-kubeconfig-path": daemonKubeconfig,
    "lib-dir": "/var/lib/cilium",
    "state-dir": "/var/run/cilium",
    "cgroup-root": existsSync(hybrid) ? hybrid : "/sys/fs/cgroup",
    "bpf-root": "/sys/fs/bpf",
    "identity-allocation-mode": "crd",
    ipam: "kubernetes",
    "routing-mode": "native",
    "ipv4-native-routing-cidr": JUDGED_POD_NETWORK,
    "enable-ipv6": false,
    "enable-ipv4-masquerade": false,
    "kube-proxy-replacement": false,
    "enable-l7-proxy": false,
    "enable-envoy-config": false,
    "enable-hubble": true,
    "hubble-export-file-path": hubbleFile(stateDir),
    "hubble-export-file-max-size-mb": 1_000,
    // An event for each connection's first packet, and none for the rest of it.
    "monitor-aggregation": "medium",
    "enable-health-checking": false,
    "enable-endpoint-health-checking": false,
    "enable-gops": false,
    devices: NODE.bridge,
    "direct-routing-device": NODE.bridge,
    "enable-endpoint-routes": true,
    "enable-k8s-cluster-network-policy": true,
    "cni-exclusive": false,
    // By default a changed label waits up to half a minute before it counts.
    "identity-change-grace-period": "0s",
    "identity-max-jitter": "1ms",
  };
  return Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
}
