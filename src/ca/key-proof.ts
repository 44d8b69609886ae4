import { constants, hash, type KeyObject, verify } from "node:crypto";
import { refuse, type Result } from "../domain/problem.ts";
import { type LeafKey, readLeafKey } from "../identity/leaf-key.ts";
import type { PodCertificateAsk } from "../wire/pod-certificate.ts";
import { publicKeyIn } from "./keys/public-key.ts";
import { verifyInPool } from "./keys/verify-signature.ts";
import { readCsr } from "./read-csr.ts";

/**
 * The key that a kubelet shows, if it proves that it holds the private half: by an empty PKCS#10 request, or by a signature
 * of the Pod's UID (certificates.k8s.io/v1beta1 PodCertificateRequestSpec.proofOfPossession). Refuses with CSR_INVALID or
 * KEY_TYPE_REFUSED. The API server checks the same; nobody is believed for having asked it.
 */
export async function readKeyProof(
  { key, pod }: Pick<PodCertificateAsk, "key" | "pod">,
  verify = verifyInPool,
): Promise<Result<LeafKey>> {
  if (key.form === "pkcs10") return readCsr(key.request, verify);
  const read = readLeafKey(key.spki, "spec.pkixPublicKey");
  if (!read.ok) return read;
  return isProof(key, pod.uid, read.value)
    ? read
    : refuse("CSR_INVALID", "spec.proofOfPossession", "The proof is not a signature of the Pod's UID with that key.");
}

type Pkix = Extract<PodCertificateAsk["key"], { form: "pkix" }>;

function isProof({ spki, proof }: Pkix, podUid: string, { keyType }: LeafKey): boolean {
  const key = publicKeyIn(spki);
  return key !== undefined && SCHEMES[keyType](podUid, key, proof);
}

type Scheme = (podUid: string, key: KeyObject, proof: Buffer) => boolean;

/** SHA-256 whatever the curve, in DER. */
const ecdsa: Scheme = (podUid, key, proof) => verify("sha256", Buffer.from(podUid), key, proof);

/** PSS with whatever salt. */
const pss: Scheme = (podUid, key, proof) =>
  verify(
    "sha256",
    Buffer.from(podUid),
    { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO },
    proof,
  );

/** Over the UID itself, or over its digest: releases of kubelet differ. */
const ed25519: Scheme = (podUid, key, proof) =>
  verify(null, Buffer.from(podUid), key, proof) || verify(null, hash("sha256", podUid, "buffer"), key, proof);

const SCHEMES: Readonly<Record<LeafKey["keyType"], Scheme>> = {
  ECDSAP256: ecdsa,
  ECDSAP384: ecdsa,
  ECDSAP521: ecdsa,
  RSA3072: pss,
  RSA4096: pss,
  ED25519: ed25519,
};
