import { federatedSigner } from "../../domain/signers.ts";
import { FOREIGN_BUNDLES } from "../../wire/manifests/names.ts";
import { type Raw, rawAt, textAt } from "../../wire/read-object.ts";
import { SIGNER_NAME } from "../../wire/workloads/escapes.ts";

/** Bundles as they should be published: PEM texts, ours and those of foreign domains by the name of their TrustDomain. */
export type BundlesWanted = {
  /** Absent while there is no authority. */
  readonly own?: string;
  readonly foreign: ReadonlyMap<string, string>;
  /** Of certificates.k8s.io: the one that the API server has. */
  readonly version: string;
};

/** One ClusterTrustBundle to be written by server-side apply, or taken away; `why` is for the log. */
export type TrustBundleAction =
  | { readonly do: "applyTrustBundle"; readonly object: Raw; readonly why: string }
  | { readonly do: "deleteTrustBundle"; readonly name: string; readonly why: string };

/** The name of a signer's one bundle; the API server wants it to begin with the signer's (certificates.k8s.io/v1). */
const bundleName = (signerName: string): string => `${signerName.replace("/", ":")}:bundle`;

/**
 * What is to be written so that ours is published under our signer and under no other name, and each foreign domain under a
 * signer name of its own: domains are never pooled (SPIFFE bundle §4.4). Ours is never deleted; kubelet would empty files.
 */
export function decideTrustBundles(wanted: BundlesWanted, present: readonly Raw[]): readonly TrustBundleAction[] {
  const signers = new Map([...wanted.foreign].map(([domain, pem]) => [federatedSigner(domain), pem]));
  if (wanted.own !== undefined) signers.set(SIGNER_NAME, wanted.own);
  const seen = new Map(present.map((object) => [textAt(rawAt(object, "metadata"), "name") ?? "", object]));
  const kept = new Set([...signers.keys()].map(bundleName));
  return [
    ...[...signers].flatMap(([signerName, pem]) => apply(signerName, pem, wanted.version, seen)),
    ...[...seen.keys()]
      .filter((name) => name.startsWith(FOREIGN_BUNDLES) && !kept.has(name))
      .map((name) => ({ do: "deleteTrustBundle" as const, name, why: "nobody federates with its domain any more" })),
  ];
}

function apply(
  signerName: string,
  pem: string,
  version: string,
  seen: ReadonlyMap<string, Raw>,
): readonly TrustBundleAction[] {
  const present = seen.get(bundleName(signerName));
  const spec = present && rawAt(present, "spec");
  if (spec?.["signerName"] === signerName && spec["trustBundle"] === pem) return [];
  const object = {
    apiVersion: `certificates.k8s.io/${version}`,
    kind: "ClusterTrustBundle",
    metadata: { name: bundleName(signerName) },
    spec: { signerName, trustBundle: pem },
  };
  return [{ do: "applyTrustBundle", object, why: present ? "its contents have changed" : "it is not there" }];
}
