import "reflect-metadata";
import { KeyObject, sign } from "node:crypto";
import { Pkcs10CertificateRequestGenerator } from "@peculiar/x509";
import type { ApiAnswer } from "./api.ts";
import type { Cluster } from "./boot.ts";
import { nodeSubject } from "./nodes.ts";
import type { Actor } from "./users.ts";

/** The running Pod a kubelet speaks for, as names; the Pod must be bound to the node. */
export type PodOnNode = { readonly namespace: string; readonly pod: string; readonly node: string };

/** What a kubelet asked, with the private key it keeps for the Pod, and the server's answer to the creation. */
export type PodCertificateAsked = { readonly keys: CryptoKeyPair; readonly answer: ApiAnswer };

type ObjectRead = {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly spec: { readonly serviceAccountName: string };
};

const P256 = { name: "ECDSA", namedCurve: "P-256" } as const;

/** How a kubelet shows its key: by an empty PKCS#10 request, or, until 1.35, as a key with a signature of the Pod's UID. */
export type KeyShown = { readonly version: "v1" | "v1beta1"; readonly form: "pkcs10" | "pkix" };

/** Creates the PodCertificateRequest that the Pod's kubelet would, for a fresh P-256 key; as the node's user unless told. */
export async function requestPodCertificate(
  cluster: Cluster,
  place: PodOnNode,
  signerName: string,
  who: Actor = nodeUser(place.node),
  { version, form }: KeyShown = { version: "v1", form: "pkcs10" },
): Promise<PodCertificateAsked> {
  const { namespace, node: nodeName, pod: podName } = place;
  const pod = await read(cluster, `/api/v1/namespaces/${namespace}/pods/${podName}`);
  const serviceAccountName = pod.spec.serviceAccountName;
  const account = await read(cluster, `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccountName}`);
  const node = await read(cluster, `/api/v1/nodes/${nodeName}`);
  const keys = await crypto.subtle.generateKey(P256, true, ["sign", "verify"]);
  const spec = {
    signerName,
    podName,
    podUID: pod.metadata.uid,
    serviceAccountName,
    serviceAccountUID: account.metadata.uid,
    nodeName,
    nodeUID: node.metadata.uid,
    maxExpirationSeconds: 3600,
    ...(form === "pkcs10"
      ? { stubPKCS10Request: await emptyRequest(keys) }
      : await signedUid(keys.privateKey, keys.publicKey, pod.metadata.uid)),
  };
  const body = { metadata: { generateName: `${podName}-` }, spec };
  const path = `/apis/certificates.k8s.io/${version}/namespaces/${namespace}/podcertificaterequests`;
  return { keys, answer: await cluster.request("POST", path, { ...who, body }) };
}

function nodeUser(node: string): Actor {
  const { name: user, groups } = nodeSubject(node);
  return { user, groups };
}

async function read(cluster: Cluster, path: string): Promise<ObjectRead> {
  const answer = await cluster.request("GET", path);
  if (answer.status !== 200) throw new Error(`GET ${path}: HTTP ${answer.status}`);
  return answer.body as ObjectRead;
}

/** The names a certificate will hold are the signer's business: a kubelet's request only proves the key. */
async function emptyRequest(keys: CryptoKeyPair): Promise<string> {
  const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" };
  const request = await Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm });
  return Buffer.from(request.rawData).toString("base64");
}

/** The key and its proof (certificates.k8s.io/v1beta1 PodCertificateRequestSpec): ECDSA over SHA-256 of the UID, in DER. */
async function signedUid(privateKey: CryptoKey, publicKey: CryptoKey, podUid: string) {
  const spki = Buffer.from(await crypto.subtle.exportKey("spki", publicKey));
  const proof = sign("sha256", Buffer.from(podUid), KeyObject.from(privateKey));
  return { pkixPublicKey: spki.toString("base64"), proofOfPossession: proof.toString("base64") };
}
