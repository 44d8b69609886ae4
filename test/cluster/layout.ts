import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type AuditResource, auditPolicy } from "./audit.ts";
import type { Binaries } from "./binaries.ts";
import { type Authority, makeAuthority, makeSigningKey } from "./pki.ts";

/** The first address of the service network: `kubernetes.default`. */
const SERVICE_ADDRESS = "10.96.0.1";

/** The service network of every test cluster. */
export const SERVICE_NETWORK = "10.96.0.0/16";

/** The names the API server's certificate holds besides the address it listens on. */
const SERVER_NAMES = [
  "localhost",
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.cluster.local",
  "127.0.0.1",
  // Where a real node finds it, in a network of its own.
  "10.88.0.1",
  SERVICE_ADDRESS,
];

/** Paths inside the state folder; all components run with the state folder as their working directory. */
export const FILES = {
  ca: "pki/ca.crt",
  caKey: "pki/ca.key",
  frontProxyCa: "pki/front-proxy-ca.crt",
  frontProxyCert: "pki/front-proxy.crt",
  frontProxyKey: "pki/front-proxy.key",
  serverCert: "pki/apiserver.crt",
  serverKey: "pki/apiserver.key",
  kubeletClientCert: "pki/apiserver-kubelet-client.crt",
  kubeletClientKey: "pki/apiserver-kubelet-client.key",
  serviceAccountKey: "pki/sa.key",
  serviceAccountPublic: "pki/sa.pub",
  adminKubeconfig: "kubeconfig/admin",
  auditPolicy: "audit-policy.yaml",
  auditLog: "audit.log",
  etcdSocket: "etcd.sock",
  etcdPeerSocket: "etcd-peer.sock",
} as const;

/**
 * Writes certificates, keys and the audit policy into the state folder, and a `bin` folder with links to the
 * binaries. Gives the cluster's authority.
 */
export async function layOut(
  stateDir: string,
  binaries: Binaries,
  address: string,
  audited: readonly AuditResource[],
): Promise<Authority> {
  for (const folder of ["pki", "logs", "bin", "kubeconfig"]) await mkdir(join(stateDir, folder));
  for (const [name, file] of binaries) await symlink(file, join(stateDir, "bin", name));
  const [authority, frontProxy, signing] = await Promise.all([
    makeAuthority("signet-test-cluster"),
    makeAuthority("signet-test-front-proxy"),
    makeSigningKey(),
  ]);
  const server = await authority.server({ name: "kube-apiserver" }, [...new Set([...SERVER_NAMES, address])]);
  const kubeletClient = await authority.client({ name: "kube-apiserver-kubelet-client", groups: ["system:masters"] });
  const proxy = await frontProxy.client({ name: "front-proxy-client" });
  const contents: Readonly<Record<string, string>> = {
    [FILES.ca]: authority.cert,
    [FILES.caKey]: authority.key,
    [FILES.frontProxyCa]: frontProxy.cert,
    [FILES.frontProxyCert]: proxy.cert,
    [FILES.frontProxyKey]: proxy.key,
    [FILES.serverCert]: server.cert,
    [FILES.serverKey]: server.key,
    [FILES.kubeletClientCert]: kubeletClient.cert,
    [FILES.kubeletClientKey]: kubeletClient.key,
    [FILES.serviceAccountKey]: signing.privateKey,
    [FILES.serviceAccountPublic]: signing.publicKey,
    [FILES.auditPolicy]: auditPolicy(audited),
  };
  for (const [file, text] of Object.entries(contents)) await writeFile(join(stateDir, file), text, { mode: 0o600 });
  return authority;
}
