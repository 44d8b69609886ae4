import { join } from "node:path";
import { applyApproved } from "../api/approve.ts";
import { kubectlDone } from "../cluster/accepted.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { createAccounts } from "../cluster/certified-pods.ts";
import { type Installed, installSignet } from "../cluster/install.ts";
import { STANDIN_IMAGE } from "../cluster/node/images.ts";
import { CLIENTS_IMAGE, clientsImage } from "./clients-image.ts";
import { type PodWanted, untilDelivered } from "./pods.ts";

const SIGNER = join(import.meta.dirname, "../../manifests/components/signer/signer.yaml");

/** Two roles that get certificates; a third account has no role. */
const CATALOGUE = `
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [web], mode: enforce, leaf: {maxTTL: 1h}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: front}, spec: {segment: shop, match: {serviceAccounts: [front]}, identity: {delivery: podCertificate}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: back}, spec: {segment: shop, match: {serviceAccounts: [back]}, identity: {delivery: podCertificate}}}
`;

export const idOf = (account: string): string => `spiffe://example.org/ns/web/sa/${account}`;

/** A real node under Signet as it is installed, and how to end both. */
export type Shop = { readonly cluster: Cluster; readonly signet: Installed; readonly stop: () => Promise<void> };

/** Boots it: kubelet, containerd, Signet by its manifests with the signer's component, the catalogue approved, images loaded. */
export async function openShop(): Promise<Shop> {
  const cluster = await bootCluster({ nodes: 1 });
  // Fifteen minutes in real life, for readers that nobody can ask; here their files are looked at.
  const signet = await installSignet(cluster, { config: { authorities: { settle: "10s" } } });
  await kubectlDone(cluster, ["apply", "--server-side", "-f", SIGNER]);
  await createAccounts(cluster, "web", ["front", "back", "thief"]);
  await applyApproved(cluster, CATALOGUE, "alice");
  await cluster.node().load([await clientsImage(join(cluster.stateDir, "bin"))]);
  await untilDelivered(cluster, BACK);
  const stop = async (): Promise<void> => {
    await signet.stop();
    await cluster.stop();
  };
  return { cluster, signet, stop };
}

/** Answers each call by a handshake of its own, with the caller's name and the authority that signed for it. */
export const BACK: PodWanted = {
  name: "back",
  account: "back",
  containers: [{ name: "main", image: STANDIN_IMAGE, command: ["standin", "mtls/8443"] }],
};

/** One call by openssl of `$ADDRESS`. It reads key and chain one after the other: it is given a copy, so that both are of one rotation. */
export const OPENSSL = `cat "$SIGNET_SVID_BUNDLE" > /tmp/own.pem
  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -connect $ADDRESS -verify 2 -verify_return_error \
    -cert /tmp/own.pem -key /tmp/own.pem -cert_chain /tmp/own.pem -CAfile "$SIGNET_TRUST_BUNDLE" 2> /tmp/why |
    grep ^spiffe || cat /tmp/why`;

/** The foreign implementations that call. */
export const CLIENTS = ["go", "java", "openssl"] as const;

/** Calls `back` for as long as it runs, a container for each implementation. */
export function frontOf(address: string, clients: readonly (typeof CLIENTS)[number][] = CLIENTS): PodWanted {
  const [url, peer] = [`https://${address}:8443/`, idOf("back")];
  const commands = {
    go: ["mtls", "call", url, peer, "0.02"],
    java: ["java", "-cp", "/classes", "Client", url, peer, "0.05"],
    openssl: ["sh", "-c", `ADDRESS=${address}:8443; while sleep 0.1; do ${OPENSSL}; done`],
  };
  const containers = clients.map((name) => ({ name, image: CLIENTS_IMAGE, command: commands[name] }));
  return { name: "front", account: "front", containers };
}
