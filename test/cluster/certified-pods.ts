import { accepted } from "./accepted.ts";
import type { Cluster } from "./boot.ts";

/** A Pod with a certificate volume, bound to a node that nobody runs. */
export type PodWanted = {
  readonly namespace: string;
  readonly name: string;
  readonly account: string;
  readonly node: string;
  readonly keyType?: string;
  readonly signerName?: string;
  readonly userAnnotations?: Readonly<Record<string, string>>;
};

const podBody = ({ name, account, node, userAnnotations, ...wanted }: PodWanted) => ({
  metadata: { name },
  spec: {
    serviceAccountName: account,
    nodeName: node,
    containers: [{ name: "app", image: "example.org/none", volumeMounts: [{ name: "svid", mountPath: "/svid" }] }],
    volumes: [
      {
        name: "svid",
        projected: {
          sources: [
            {
              podCertificate: {
                signerName: wanted.signerName ?? "signet.dev/svid",
                keyType: wanted.keyType ?? "ECDSAP256",
                maxExpirationSeconds: 3600,
                credentialBundlePath: "svid.pem",
                ...(userAnnotations ? { userAnnotations } : {}),
              },
            },
          ],
        },
      },
    ],
  },
});

/** Creates the Pod. */
export const createPod = (cluster: Cluster, wanted: PodWanted): Promise<unknown> =>
  accepted(cluster, "POST", `/api/v1/namespaces/${wanted.namespace}/pods`, { body: podBody(wanted) });

/** Creates a namespace with service accounts. */
export async function createAccounts(cluster: Cluster, namespace: string, accounts: readonly string[]): Promise<void> {
  await accepted(cluster, "POST", "/api/v1/namespaces", { body: { metadata: { name: namespace } } });
  for (const name of accounts)
    await accepted(cluster, "POST", `/api/v1/namespaces/${namespace}/serviceaccounts`, {
      body: { metadata: { name } },
    });
}
