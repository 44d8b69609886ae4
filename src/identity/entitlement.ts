import type { Catalogue } from "../domain/catalogue.ts";
import type { KeyType } from "../domain/definitions.ts";
import { OWN_ACCOUNT, SIGNET_NAMESPACE } from "../domain/exempt-namespaces.ts";
import { ok, problem, refuseAll, type Result } from "../domain/problem.ts";
import { accountName } from "../domain/spiffe-id.ts";
import { type Bearer, deriveIdentity, type Identity } from "./fit-role.ts";

/** What a workload may have certificates for, and of which kind. */
export type Entitlement = Identity & {
  readonly trustDomain: string;
  readonly dnsNames: readonly string[];
  /** Common name of the subject; absent: the subject is empty. */
  readonly commonName?: string;
  /** Longest lifetime in seconds. */
  readonly maxTtlSeconds: number;
  /** The key type where the request leaves a choice. */
  readonly keyType: KeyType;
};

const OWN = problem(
  "ROLE_NOT_ENTITLED",
  "spec.serviceAccountName",
  `Account ${SIGNET_NAMESPACE}/${OWN_ACCOUNT} is Signet's own: by its name other domains know our bundle endpoint.`,
  "Run the workload under an account of its own.",
);

/** Where the catalogue has no TrustDomain. */
const DEFAULT_LEAF = { leafMaxTtlSeconds: 4 * 3600, leafKeyType: "ECDSAP256" } as const;

/**
 * Derives the right to a certificate from the catalogue, as admission derives role, segment and identity: the stamp that a
 * workload carries is never looked at. The longest lifetime is the least of what role, segment (one hour by default where
 * it is classified) and trust domain say.
 */
export function deriveEntitlement(catalogue: Catalogue, bearer: Bearer): Result<Entitlement> {
  if (bearer.namespace === SIGNET_NAMESPACE && bearer.serviceAccount === OWN_ACCOUNT) return refuseAll([OWN]);
  const identity = deriveIdentity(catalogue, bearer);
  if (!identity.ok) return identity;
  const { role, segment } = identity.value;
  const leaf = catalogue.definitions.trustDomain ?? DEFAULT_LEAF;
  const limits = [role.maxTtlSeconds, segment.leafMaxTtlSeconds, leaf.leafMaxTtlSeconds];
  return ok({
    ...identity.value,
    trustDomain: catalogue.trustDomain,
    dnsNames: role.dnsNames,
    ...(role.subject === "account" ? { commonName: accountName(identity.value.spiffeId) } : {}),
    maxTtlSeconds: Math.min(...limits.filter((limit) => limit !== undefined)),
    keyType: role.keyType ?? leaf.leafKeyType,
  });
}
