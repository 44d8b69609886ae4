import type { ProblemCode } from "../../domain/problem-codes.ts";
import type { KeyType } from "../../domain/definitions.ts";
import type { PodCertificateAsk } from "../../wire/pod-certificate.ts";
import { isKeyType, type PodFacts } from "../../wire/pod-facts.ts";
import { reasonOfCode } from "../events.ts";

/** What the API server holds of those whom a request names, by name; absent where it has no such object. */
export type LiveObjects = {
  readonly pod?: PodFacts;
  /** UIDs. */
  readonly serviceAccount?: string;
  readonly node?: string;
};

/**
 * What to do about a request. sign: enter the certificate's walk with these terms. deny: it can never be right. Kubelet takes
 * a denial for final, and freezes the volume until the Pod is made anew.
 */
export type Ruling =
  | { readonly do: "sign"; readonly keyTypes: readonly KeyType[]; readonly ttlSeconds: number; readonly pod: PodFacts }
  | { readonly do: "deny"; readonly reason: DenyReason; readonly message: string };

/**
 * Reasons of a denial. Kubelet's own Event garbles the message, so the reason says what matters; the API names two of them
 * (certificates.k8s.io/v1 PodCertificateRequestConditionUnsupportedKeyType, …InvalidUnverifiedUserAnnotations).
 */
export type DenyReason =
  | "PodUnknown"
  | "PodHasEnded"
  | "PodOnOtherNode"
  | "NodeUnknown"
  | "ServiceAccountUnknown"
  | "ServiceAccountNotOfPod"
  | "PodMountsNoCertificate"
  | "InvalidUnverifiedUserAnnotations"
  | "UnsupportedKeyType"
  | "InvalidKeyProof";

type Check = {
  readonly reason: DenyReason;
  readonly fails: (ask: PodCertificateAsk, live: LiveObjects) => boolean;
  readonly says: (ask: PodCertificateAsk) => string;
};

/**
 * The API server proves these only where a node asks; anybody else with the right to create requests could name Pods that
 * are not there. Each failure is final: a request cannot change, and no UID comes again.
 */
const CHECKS: readonly Check[] = [
  {
    reason: "PodUnknown",
    fails: ({ pod }, live) => live.pod?.uid !== pod.uid,
    says: ({ namespace, pod }) => `There is no Pod ${namespace}/${pod.name} with UID ${pod.uid}.`,
  },
  {
    reason: "PodHasEnded",
    fails: (_, { pod }) => pod?.phase === "Succeeded" || pod?.phase === "Failed",
    says: ({ namespace, pod }) => `Pod ${namespace}/${pod.name} has ended.`,
  },
  {
    reason: "PodOnOtherNode",
    fails: ({ node }, { pod }) => pod?.nodeName !== node.name,
    says: ({ namespace, pod, node }) => `Pod ${namespace}/${pod.name} does not run on node ${node.name}.`,
  },
  {
    reason: "NodeUnknown",
    fails: ({ node }, live) => live.node !== node.uid,
    says: ({ node }) => `There is no node ${node.name} with UID ${node.uid}.`,
  },
  {
    reason: "ServiceAccountNotOfPod",
    fails: ({ serviceAccount }, { pod }) => pod?.workload.serviceAccount !== serviceAccount.name,
    says: ({ pod, serviceAccount }) => `Pod ${pod.name} does not run as service account ${serviceAccount.name}.`,
  },
  {
    reason: "ServiceAccountUnknown",
    fails: ({ serviceAccount }, live) => live.serviceAccount !== serviceAccount.uid,
    says: ({ namespace, serviceAccount: { name, uid } }) =>
      `There is no service account ${namespace}/${name} with UID ${uid}.`,
  },
  {
    reason: "PodMountsNoCertificate",
    fails: (_, { pod }) => pod?.mounts.length === 0,
    says: ({ pod }) => `Pod ${pod.name} has no podCertificate volume of this signer.`,
  },
  {
    reason: "InvalidUnverifiedUserAnnotations",
    fails: ({ annotations }) => Object.keys(annotations).length > 0,
    says: () => "userAnnotations are not known here; take them out of the volume.",
  },
];

/** Where a volume names no lifetime (core/v1 PodCertificateProjection.maxExpirationSeconds). */
const DEFAULT_SECONDS = 86_400;

/** Rules on one request, by live objects alone; who the Pod is, and whether it is restricted, the walk finds out. */
export function decideAsk(ask: PodCertificateAsk, live: LiveObjects): Ruling {
  const failed = CHECKS.find(({ fails }) => fails(ask, live));
  if (failed) return { do: "deny", reason: failed.reason, message: failed.says(ask) };
  const { pod } = live;
  const keyTypes = pod?.mounts.map(({ keyType }) => keyType).filter(isKeyType) ?? [];
  if (!pod || keyTypes.length === 0)
    return { do: "deny", reason: "UnsupportedKeyType", message: "The volume asks for a key type that is not known." };
  const longest = Math.max(...pod.mounts.map(({ maxExpirationSeconds }) => maxExpirationSeconds ?? DEFAULT_SECONDS));
  return { do: "sign", pod, keyTypes, ttlSeconds: Math.min(ask.maxExpirationSeconds, longest) };
}

/** What a refusal of the walk means for the request: the few that are final, and everything else, which may pass. */
export type Outcome =
  | { readonly do: "deny"; readonly reason: DenyReason; readonly message: string }
  | { readonly do: "wait"; readonly reason: string; readonly message: string };

const FINAL_CODES: Readonly<Partial<Record<ProblemCode, DenyReason>>> = {
  CSR_INVALID: "InvalidKeyProof",
  INPUT_TOO_LARGE: "InvalidKeyProof",
  KEY_TYPE_REFUSED: "UnsupportedKeyType",
};

/**
 * Revoked, quarantined, without a role, and every fault of ours leave a request pending: each can be mended, and kubelet
 * waits for pending requests without harm. The reason of the Event is the code in CamelCase.
 */
export function outcomeOf(code: ProblemCode, message: string): Outcome {
  const reason = FINAL_CODES[code];
  return reason === undefined ? { do: "wait", reason: reasonOfCode(code), message } : { do: "deny", reason, message };
}
