import type { KeyType } from "../domain/definitions.ts";
import { ok, refuseAll, type Result } from "../domain/problem.ts";
import type { Workload } from "../domain/workload.ts";
import type { KubeObject } from "./objects.ts";
import type { Raw } from "./read-object.ts";
import { SIGNER_NAME } from "./workloads/escapes.ts";
import { FieldReader } from "./workloads/field-reader.ts";
import { readWorkload } from "./workloads.ts";

/** One certificate that a Pod mounts from our signer. */
export type SignerMount = { readonly keyType: string; readonly maxExpirationSeconds: number | undefined };

/** What signing must know of a live Pod. */
export type PodFacts = {
  readonly uid: string;
  readonly workload: Workload;
  /** Empty while it is not bound. */
  readonly nodeName: string;
  readonly phase: string;
  /** Its podCertificate volumes from our signer; volumes never change. */
  readonly mounts: readonly SignerMount[];
};

/** Key types as the API names them (core/v1 PodCertificateProjection.keyType), which are ours too. */
export const isKeyType = (text: string): text is KeyType => KEY_TYPES.some((each) => each === text);
const KEY_TYPES: readonly KeyType[] = ["ECDSAP256", "ECDSAP384", "ECDSAP521", "RSA3072", "RSA4096", "ED25519"];

/** Reads a live Pod. A part that is asked for and has the wrong type refuses it. */
export function readPodFacts(object: KubeObject): Result<PodFacts> {
  const workload = readWorkload(object, { namespace: object.namespace });
  if (!workload.ok) return workload;
  if (workload.value?.kind !== "Pod") throw new TypeError(`${object.kind} is not a Pod`);
  const reader = new FieldReader(object);
  const spec = reader.object(object.raw, "spec", []);
  const facts = {
    uid: reader.text(reader.object(object.raw, "metadata", []), "uid", ["metadata"]) ?? "",
    workload: workload.value,
    nodeName: reader.text(spec, "nodeName", ["spec"]) ?? "",
    phase: reader.text(reader.object(object.raw, "status", []), "phase", ["status"]) ?? "",
    mounts: signerMounts(reader, spec),
  };
  return reader.problems.length > 0 ? refuseAll(reader.problems) : ok(facts);
}

function signerMounts(reader: FieldReader, spec: Raw): readonly SignerMount[] {
  return reader.objects(spec, "volumes", ["spec"]).flatMap(({ raw, path }) => {
    const projected = reader.object(raw, "projected", path);
    return reader.objects(projected, "sources", [...path, "projected"]).flatMap((source) => {
      const at = [...source.path, "podCertificate"];
      const certificate = reader.object(source.raw, "podCertificate", source.path);
      if (reader.text(certificate, "signerName", at) !== SIGNER_NAME) return [];
      const keyType = reader.text(certificate, "keyType", at) ?? "";
      return [{ keyType, maxExpirationSeconds: reader.number(certificate, "maxExpirationSeconds", at) }];
    });
  });
}
