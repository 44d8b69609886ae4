import { join } from "node:path";
import { stringify } from "yaml";
import { NODE, NODE_FILES } from "./place.ts";

/** The image of the container that holds a Pod's namespaces. */
export const PAUSE_IMAGE = "lab.local/pause:1";

/** kubelet's configuration; paths are absolute. `cgroup` is the control group that everything of this node is in. */
export function kubeletConfig(stateDir: string, cgroup: string): string {
  const at = (file: string) => join(stateDir, file);
  return stringify({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: NODE.address,
    healthzBindAddress: "127.0.0.1",
    containerRuntimeEndpoint: `unix://${at(NODE_FILES.containerdSocket)}`,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    localStorageCapacityIsolation: false,
    authentication: {
      x509: { clientCAFile: at("pki/ca.crt") },
      webhook: { enabled: true },
      anonymous: { enabled: false },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: at(NODE_FILES.kubeletCert),
    tlsPrivateKeyFile: at(NODE_FILES.kubeletKey),
    resolvConf: at(NODE_FILES.resolvConf),
    // Nobody answers there; without it every Pod gets an event that it is missing.
    clusterDNS: ["10.96.0.10"],
    clusterDomain: "cluster.local",
    makeIPTablesUtilChains: false,
    podLogsDir: at(NODE_FILES.podLogs),
    staticPodPath: at(NODE_FILES.staticPods),
    volumePluginDir: at(NODE_FILES.volumePlugins),
    syncFrequency: "10s",
    maxPods: 250,
    imageGCHighThresholdPercent: 100,
    evictionHard: { "memory.available": "50Mi" },
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
  });
}

/** containerd's configuration, with its own folders and sockets; `cniBin` are folders of network plugins. */
export function containerdConfig(stateDir: string, runc: string, cniBin: readonly string[]): string {
  const at = (file: string) => JSON.stringify(join(stateDir, file));
  return `version = 4
root = ${at(NODE_FILES.containerdRoot)}
state = ${at(NODE_FILES.containerdState)}
disabled_plugins = ["io.containerd.grpc.v1.nri", "io.containerd.nri.v1.nri", "io.containerd.internal.v1.tracing", "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.erofs"]

[plugins."io.containerd.server.v1.grpc"]
  address = ${at(NODE_FILES.containerdSocket)}

[plugins."io.containerd.server.v1.ttrpc"]
  address = ${at(`${NODE_FILES.containerdSocket}.ttrpc`)}

[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${PAUSE_IMAGE}"

[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  disable_apparmor = true

[plugins."io.containerd.cri.v1.runtime".containerd]
  default_runtime_name = "runc"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  BinaryName = ${JSON.stringify(runc)}
  SystemdCgroup = false

[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ${JSON.stringify(cniBin)}
  conf_dir = ${at(NODE_FILES.cniConfig)}
`;
}

/** Tells the API server to reach kubelet, and Services, through the door's socket. */
export function egressConfig(stateDir: string): string {
  const uds = { udsName: join(stateDir, NODE_FILES.proxySocket) };
  return stringify({
    apiVersion: "apiserver.k8s.io/v1beta1",
    kind: "EgressSelectorConfiguration",
    egressSelections: [{ name: "cluster", connection: { proxyProtocol: "HTTPConnect", transport: { uds } } }],
  });
}
