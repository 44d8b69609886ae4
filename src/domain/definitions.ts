import type { ApprovalTerms } from "./approvals.ts";
import type { Instant } from "./instant.ts";
import type { LabelSelector, Labels } from "./label-selector.ts";
import type { Source } from "./problem.ts";
import type { GrantedSentence } from "./sentences.ts";
import type { WorkloadKind } from "./workload.ts";

/**
 * How far a definition's approval is known: a bare folder knows nothing; a server's object is approved or waits. An exception
 * is unsigned where nothing but a signature grants one, and it has none.
 */
export type Approval =
  | { readonly state: "unchecked" }
  | { readonly state: "approved"; readonly generation: number; readonly by: readonly string[] }
  | { readonly state: "missing"; readonly generation: number }
  | { readonly state: "unsigned" };

/** What every definition has: a name, and what its server knows of it. */
export type Definition = {
  readonly name: string;
  readonly uid?: string;
  readonly approval: Approval;
  readonly source?: Source;
};

/** Key types of leaf certificates, as the Kubernetes API names them. */
export type KeyType = "ECDSAP256" | "ECDSAP384" | "ECDSAP521" | "RSA3072" | "RSA4096" | "ED25519";

/** The trust domain that is ours; `domain` is the host part of every SPIFFE ID. */
export type TrustDomain = Definition & {
  readonly domain: string;
  readonly leafMaxTtlSeconds: number;
  /** Where a role names none. */
  readonly leafKeyType: KeyType;
  readonly approvals: ApprovalTerms;
  /** Of a federated domain; absent: its bundle is not fetched. */
  readonly bundleEndpoint?: BundleEndpoint;
};

/**
 * Where the bundle of a federated domain is fetched, and by what its server is known (SPIFFE Federation §5.2): the authorities
 * of the web, or a SPIFFE ID of the domain, verified by the bootstrap bundle (its JSON) until one was fetched.
 */
export type BundleEndpoint =
  | { readonly url: string; readonly profile: "https_web" }
  | {
      readonly url: string;
      readonly profile: "https_spiffe";
      readonly spiffeId: string;
      readonly bootstrap: string;
    };

/** How strongly a segment's rules are enforced. */
export type Mode = "observe" | "simulate" | "canary" | "enforce";

/** A room that roles live in, as it is in force. */
export type Segment = Definition & {
  readonly environment?: string;
  readonly classification?: string;
  readonly owner?: string;
  /** Namespaces granted by name; those that carry the guarded label are added by the catalogue. */
  readonly namespaces: readonly string[];
  /** UIDs of the named namespaces at approval; another UID under the name waits for approval. */
  readonly namespaceUids: Readonly<Record<string, string>>;
  readonly isolation: "strict" | "shared";
  readonly intra: "deny" | "allow";
  readonly policyApproval: "required" | "none";
  readonly mode: Mode;
  /** A watchdog may let it fall back to observe. */
  readonly fallsBack?: true;
  /** The watchdog did: `mode` is observe since then, and was `from`. */
  readonly fallback?: { readonly from: Mode; readonly since: Instant; readonly why: string };
  readonly canary: { readonly workloads: readonly string[]; readonly namespaces: readonly string[] };
  readonly leafMaxTtlSeconds?: number;
  /** Longest exception for its roles; absent: what its classification brings. */
  readonly exceptionMaxSeconds?: number;
};

/** Who is entitled to a role: every condition that is given must hold. */
export type RoleMatch = {
  /** Absent: all of the segment's namespaces. */
  readonly namespaces?: readonly string[];
  /** Absent: every service account but `default`. */
  readonly serviceAccounts?: readonly string[];
  readonly kinds: readonly WorkloadKind[];
  readonly labels: LabelSelector;
  /** Empty: whoever creates it. */
  readonly createdBy: readonly string[];
};

/** What a workload is for, who is entitled to be it, and what it brings. */
export type Role = Definition & {
  readonly segment: string;
  readonly match: RoleMatch;
  /** Stamped as `role.signet.dev/<key>`. */
  readonly labels: Labels;
  readonly permits: readonly string[];
  readonly delivery: "none" | "podCertificate" | "csi";
  /** Absent: the trust domain's. */
  readonly keyType?: KeyType;
  /** Longest lifetime of a leaf; absent: the segment's, then the trust domain's. */
  readonly maxTtlSeconds?: number;
  /** DNS names in its certificates. */
  readonly dnsNames: readonly string[];
  /** Its certificates name the account in their subject too; absent: the subject is empty. */
  readonly subject?: "account";
  /** Names of the TrustDomains whose bundles its workloads get, each in a file of its own. */
  readonly federatesWith: readonly string[];
};

/** What a namespace says of itself under Signet's guarded labels. */
export type Namespace = {
  readonly name: string;
  readonly uid?: string;
  readonly enrolled: boolean;
  /** Value of the label `signet.dev/segment`. */
  readonly segment?: string;
  readonly labels: Labels;
};

/** What an exception permits: a check on workloads (with a path for `hostPath`), or a connection. */
export type Permit = { readonly check: string; readonly path?: string } | { readonly sentence: GrantedSentence };

/** A signature that stands for the approval of an exception where no server keeps one, and what it is bound to. */
export type Grant = {
  /** Name of the key that signed. */
  readonly signer: string;
  readonly signedAt: Instant;
  /** The one namespace of that name that is meant. */
  readonly namespaceUid: string;
  /** The one object that is meant; absent: every workload of the role. */
  readonly workload?: { readonly kind: string; readonly name: string };
};

/** A grant with an end. */
export type Exception = Definition & {
  readonly grant?: Grant;
  readonly namespace: string;
  readonly permit: Permit;
  readonly role: string;
  readonly reason: string;
  readonly ticket?: string;
  readonly notBefore?: Instant;
  readonly expires: Instant;
};

/** A machine or a function that holds a role like any Pod. */
export type ExternalWorkload = Definition & {
  readonly namespace: string;
  readonly kind: "Machine" | "Function";
  readonly serviceAccount: string;
  readonly labels: Labels;
  readonly addresses: readonly string[];
};

/** Whom a quarantine or a revocation concerns. */
export type RestrictionTarget =
  | { readonly by: "identity" | "serial" | "segment" | "role"; readonly name: string }
  | {
      readonly by: "pod" | "virtualMachine" | "node";
      readonly namespace?: string;
      readonly name: string;
      readonly uid?: string;
    };

/** A quarantine or a revocation. */
export type Restriction = Definition & {
  readonly target: RestrictionTarget;
  readonly effect: "quarantine" | "revoke";
  readonly reason: string;
  readonly ticket?: string;
};
