/** Addresses and names of the one node; every cluster has a network of its own, so they never meet. */
export const NODE = {
  name: "n1",
  bridge: "br-k8s",
  /** The bridge's: kubelet listens there, and the door to the API server; Kubernetes refuses a node on loopback. */
  address: "10.88.0.1",
  apiPort: 6443,
  podNetwork: "10.88.0.0/16",
  firstPodAddress: "10.88.1.10",
} as const;

/** Where the node finds the API server. */
export const NODE_API_URL = `https://${NODE.address}:${NODE.apiPort}`;

/** Paths inside the state folder. */
export const NODE_FILES = {
  kubeconfig: "kubeconfig/kubelet",
  daemonKubeconfig: "kubeconfig/node-daemons",
  kubeletConfig: "node/kubelet.yaml",
  kubeletCert: "pki/kubelet.crt",
  kubeletKey: "pki/kubelet.key",
  kubeletRoot: "node/kubelet",
  podLogs: "node/pod-logs",
  staticPods: "node/static-pods",
  volumePlugins: "node/volume-plugins",
  resolvConf: "node/resolv.conf",
  containerdConfig: "node/containerd.toml",
  containerdRoot: "node/containerd",
  containerdState: "node/containerd-state",
  containerdSocket: "node/containerd.sock",
  cniConfig: "node/cni",
  images: "node/images",
  tunables: "node/tunables",
  proxySocket: "node/proxy.sock",
  egress: "node/egress.yaml",
} as const;
