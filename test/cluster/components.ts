import { FILES, SERVICE_NETWORK } from "./layout.ts";

/** What a test cluster can run; kubelet and kube-proxy need a network of their own and are started elsewhere. */
export type ComponentName = "etcd" | "kube-apiserver" | "kube-controller-manager" | "kube-scheduler";

/** The order of starting; stopping goes the other way. */
export const COMPONENT_NAMES: readonly ComponentName[] = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
];

/** The address and port the API server listens on, and whether it writes an audit log. */
export type ServerPlace = { readonly address: string; readonly port: number; readonly audit: boolean };

/** The flags of a component; every path is relative to the state folder, its working directory. */
export function flagsOf(name: ComponentName, place: ServerPlace): readonly string[] {
  switch (name) {
    case "etcd":
      return etcd();
    case "kube-apiserver":
      return [...apiServer(place), ...(place.audit ? auditLog() : [])];
    case "kube-controller-manager":
      return controllerManager();
    case "kube-scheduler":
      return clientOf(name);
  }
}

/** Sockets in a folder of mode 0700: no port to collide on, and no store open to everybody on the machine. */
function etcd(): readonly string[] {
  const client = `unix://${FILES.etcdSocket}`;
  const peer = `unix://${FILES.etcdPeerSocket}`;
  return [
    "--name=test",
    "--data-dir=etcd",
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=test=${peer}`,
    // The state does not outlive the machine, so waiting for its disk buys nothing.
    "--unsafe-no-fsync",
    "--quota-backend-bytes=8589934592",
    "--log-level=warn",
  ];
}

function apiServer(place: ServerPlace): readonly string[] {
  const loopback = place.address.startsWith("127.");
  return [
    `--etcd-servers=unix://${FILES.etcdSocket}`,
    `--bind-address=${place.address}`,
    `--advertise-address=${place.address}`,
    `--secure-port=${place.port}`,
    // Endpoints on loopback are refused, so the server must not try to publish itself there.
    ...(loopback ? ["--endpoint-reconciler-type=none"] : []),
    "--cert-dir=pki",
    `--tls-cert-file=${FILES.serverCert}`,
    `--tls-private-key-file=${FILES.serverKey}`,
    `--client-ca-file=${FILES.ca}`,
    `--service-cluster-ip-range=${SERVICE_NETWORK}`,
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--allow-privileged=true",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${FILES.serviceAccountPublic}`,
    `--service-account-signing-key-file=${FILES.serviceAccountKey}`,
    `--kubelet-client-certificate=${FILES.kubeletClientCert}`,
    `--kubelet-client-key=${FILES.kubeletClientKey}`,
    `--kubelet-certificate-authority=${FILES.ca}`,
    "--kubelet-preferred-address-types=InternalIP",
    `--requestheader-client-ca-file=${FILES.frontProxyCa}`,
    "--requestheader-allowed-names=front-proxy-client",
    "--requestheader-username-headers=X-Remote-User",
    "--requestheader-group-headers=X-Remote-Group",
    "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    `--proxy-client-cert-file=${FILES.frontProxyCert}`,
    `--proxy-client-key-file=${FILES.frontProxyKey}`,
    "--enable-aggregator-routing=true",
  ];
}

function auditLog(): readonly string[] {
  return [
    `--audit-policy-file=${FILES.auditPolicy}`,
    `--audit-log-path=${FILES.auditLog}`,
    // Unset, the log is cut at 100 MB and a test would miss what lies in the older part.
    "--audit-log-maxsize=65536",
  ];
}

function controllerManager(): readonly string[] {
  return [
    ...clientOf("kube-controller-manager"),
    "--controllers=*",
    "--use-service-account-credentials=true",
    `--service-account-private-key-file=${FILES.serviceAccountKey}`,
    `--root-ca-file=${FILES.ca}`,
    `--cluster-signing-cert-file=${FILES.ca}`,
    `--cluster-signing-key-file=${FILES.caKey}`,
    "--cluster-cidr=10.88.0.0/16",
    "--allocate-node-cidrs=false",
    // The default lies under /usr, where the controller manager would make it.
    "--flex-volume-plugin-dir=flex-volumes",
    // Nodes that only exist as objects have no kubelet to renew their lease.
    "--node-monitor-grace-period=24h",
    "--node-startup-grace-period=24h",
  ];
}

/** A client of the API server alone on its cluster: no leader to elect, no port, and no limit that would be measured instead of us. */
function clientOf(name: ComponentName): readonly string[] {
  const kubeconfig = kubeconfigOf(name);
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    "--leader-elect=false",
    "--secure-port=0",
    "--kube-api-qps=2000",
    "--kube-api-burst=4000",
  ];
}

/** Where a component finds its credentials, relative to the state folder. */
export function kubeconfigOf(name: ComponentName): string {
  return `kubeconfig/${name}`;
}
