import { ok, problem, refuse, refuseAll, type Result } from "../domain/problem.ts";
import type { Labels } from "../domain/label-selector.ts";
import type { KubeObject } from "./objects.ts";
import type { Raw } from "./read-object.ts";
import { SIGNER_NAME } from "./workloads/escapes.ts";
import { FieldReader } from "./workloads/field-reader.ts";

/**
 * How a request shows its key: an empty PKCS#10 request in DER (v1, and v1beta1 of kubelets from 1.36 on), or the key in
 * DER and a signature of the Pod's UID with it (v1beta1 of kubelet 1.35).
 */
export type KeyProof =
  | { readonly form: "pkcs10"; readonly request: Buffer }
  | { readonly form: "pkix"; readonly spki: Buffer; readonly proof: Buffer };

/** An object by name and UID. */
export type NamedUid = { readonly name: string; readonly uid: string };

/** What a kubelet asks: who is meant, as names and UIDs, and for which key. Nothing of it is proved but what the API server proves. */
export type PodCertificateAsk = {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly pod: NamedUid;
  readonly serviceAccount: NamedUid;
  readonly node: NamedUid;
  readonly maxExpirationSeconds: number;
  readonly key: KeyProof;
  /** `userAnnotations` of the Pod's volume, which any author of the Pod may write. */
  readonly annotations: Labels;
};

/** The API's default (certificates.k8s.io/v1 PodCertificateRequestSpec.maxExpirationSeconds). */
const DEFAULT_EXPIRATION_SECONDS = 86_400;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Whether a request is for our signer and has no answer yet; an answer is final. */
export function awaitsUs(raw: Raw): boolean {
  const reader = new FieldReader({ document: NOWHERE, base: [] });
  const ours = reader.text(reader.object(raw, "spec", []), "signerName", ["spec"]) === SIGNER_NAME;
  const conditions = reader.objects(reader.object(raw, "status", []), "conditions", ["status"]);
  return ours && !conditions.some((each) => FINAL.has(String(each.raw["type"])));
}

const FINAL: ReadonlySet<string> = new Set(["Issued", "Denied", "Failed"]);
const NOWHERE = { value: {}, file: "", locate: () => ({ file: "", line: 1, column: 1 }) };

/** Reads a PodCertificateRequest, v1 or v1beta1. Refuses one that lacks a part, or names its key in two ways. */
export function readPodCertificate(object: KubeObject): Result<PodCertificateAsk> {
  const reader = new FieldReader(object);
  const metadata = reader.object(object.raw, "metadata", []);
  const spec = reader.object(object.raw, "spec", []);
  const text = (raw: Raw, key: string, part: string): string => needed(reader, raw, key, part);
  const named = (kind: string): NamedUid => ({
    name: text(spec, `${kind}Name`, "spec"),
    uid: text(spec, `${kind}UID`, "spec"),
  });
  const key = readKey(reader, spec);
  const ask = {
    namespace: object.namespace,
    name: object.name,
    uid: text(metadata, "uid", "metadata"),
    pod: named("pod"),
    serviceAccount: named("serviceAccount"),
    node: named("node"),
    maxExpirationSeconds: reader.number(spec, "maxExpirationSeconds", ["spec"]) ?? DEFAULT_EXPIRATION_SECONDS,
    annotations: reader.labels(spec, "unverifiedUserAnnotations", ["spec"]),
  };
  if (reader.problems.length > 0) return refuseAll(reader.problems);
  return key.ok ? ok({ ...ask, key: key.value }) : key;
}

function needed(reader: FieldReader, raw: Raw, key: string, part: string): string {
  const value = reader.text(raw, key, [part]);
  if (value === undefined || value === "")
    reader.problems.push(problem("FIELD_MISSING", `${part}.${key}`, `The request has no ${part}.${key}.`));
  return value ?? "";
}

function readKey(reader: FieldReader, spec: Raw): Result<KeyProof> {
  const bytes = (key: string): Buffer | undefined => {
    const value = reader.text(spec, key, ["spec"]);
    return value !== undefined && BASE64.test(value) ? Buffer.from(value, "base64") : undefined;
  };
  const [request, spki, proof] = [bytes("stubPKCS10Request"), bytes("pkixPublicKey"), bytes("proofOfPossession")];
  if (request && !spki && !proof) return ok({ form: "pkcs10", request });
  if (!request && spki && proof) return ok({ form: "pkix", spki, proof });
  return refuse("FIELD_INVALID", "spec", "The request shows no key, or two.");
}
