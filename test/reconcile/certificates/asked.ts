import { readPodCertificate } from "../../../src/wire/pod-certificate.ts";
import { readPodFacts } from "../../../src/wire/pod-facts.ts";
import type { LiveObjects } from "../../../src/reconcile/certificates/decide.ts";
import { must, objectsOf } from "../../fakes/judging.ts";

const only = (yaml: string) => {
  const [object] = objectsOf(yaml);
  if (!object) throw new Error("no object in the text");
  return object;
};

/** A Pod as the API server holds it, with one certificate volume of ours. */
export const POD = `
apiVersion: v1
kind: Pod
metadata: {namespace: payments, name: orders-1, uid: pod-uid}
spec:
  serviceAccountName: orders
  nodeName: n1
  containers: [{name: app, image: app}]
  volumes:
  - name: signet-svid
    projected:
      sources:
      - podCertificate:
          {signerName: signet.dev/svid, keyType: ECDSAP256, maxExpirationSeconds: 7200, credentialBundlePath: svid.pem}
status: {phase: Pending}
`;

const REQUEST_BYTES = Buffer.from("a request in DER").toString("base64");

/** The request that the Pod's kubelet makes, v1. */
export const ASK = `
apiVersion: certificates.k8s.io/v1
kind: PodCertificateRequest
metadata: {namespace: payments, name: orders-1-x7, uid: ask-uid}
spec:
  signerName: signet.dev/svid
  podName: orders-1
  podUID: pod-uid
  serviceAccountName: orders
  serviceAccountUID: account-uid
  nodeName: n1
  nodeUID: node-uid
  maxExpirationSeconds: 7200
  stubPKCS10Request: ${REQUEST_BYTES}
`;

/** The request that these texts say. */
export const asked = (yaml = ASK) => must(readPodCertificate(only(yaml)));

/** What is wrong with a text that is no request. */
export function refusedAsk(yaml: string): readonly string[] {
  const read = readPodCertificate(only(yaml));
  return read.ok ? [] : read.problems.map(({ code, path }) => `${code} ${path}`);
}

/** What the API server holds, and a part of it otherwise. */
export const live = (pod = POD, other: Partial<LiveObjects> = {}): LiveObjects => ({
  pod: must(readPodFacts(only(pod))),
  serviceAccount: "account-uid",
  node: "node-uid",
  ...other,
});
