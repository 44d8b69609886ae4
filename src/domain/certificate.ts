import type { KeyType } from "./definitions.ts";
import type { Instant } from "./instant.ts";

/** When a certificate holds: from the first instant to the last, both included and whole seconds (RFC 5280 §4.1.2.5). */
export type Window = { readonly notBefore: Instant; readonly notAfter: Instant };

/** Whether it holds at an instant. */
export const holdsAt = ({ notBefore, notAfter }: Window, at: Instant): boolean => at >= notBefore && at <= notAfter;

/** Key types of authorities. Verifiers of every kind know them. */
export type AuthorityKeyType = Extract<KeyType, "ECDSAP256" | "ECDSAP384" | "RSA3072" | "RSA4096">;

/** Bits of a key usage extension that Signet ever sets (RFC 5280 §4.2.1.3). */
export type KeyUsage = "digitalSignature" | "keyCertSign" | "cRLSign";

/** Purposes of an extended key usage extension (RFC 5280 §4.2.1.12). */
export type ExtendedKeyUsage = "serverAuth" | "clientAuth";

/** What every leaf certificate of one kind has in common. */
export type LeafProfile = {
  readonly name: string;
  readonly sort: "leaf";
  readonly keyTypes: readonly KeyType[];
  readonly keyUsage: readonly KeyUsage[];
  readonly extendedKeyUsage: readonly ExtendedKeyUsage[];
  /** Bounds of a lifetime, counted from notBefore to notAfter. */
  readonly minTtlSeconds: number;
  readonly maxTtlSeconds: number;
  /** How long before now a certificate begins, for verifiers whose clocks are slow. */
  readonly backdateSeconds: number;
};

/** What every authority certificate of one kind has in common. */
export type AuthorityProfile = {
  readonly name: string;
  readonly sort: "root" | "issuing";
  readonly keyType: AuthorityKeyType;
  readonly keyUsage: readonly KeyUsage[];
  readonly lifetimeSeconds: number;
  readonly backdateSeconds: number;
  readonly pathLength: number;
  /** Whether names of other trust domains are forbidden in it (RFC 5280 §4.2.1.10). */
  readonly constrained: boolean;
};

/** The profiles that an authority works by. */
export type Profiles = {
  readonly leaf: LeafProfile;
  readonly issuing: AuthorityProfile;
  readonly root: AuthorityProfile;
};

/** What a plan must know of the authority that will sign it. */
export type IssuerFacts = {
  /** Subject key identifier, in lower-case hexadecimal. */
  readonly keyId: string;
  /** Its subject, a Name in DER. */
  readonly subject: Uint8Array;
  readonly trustDomain: string;
  readonly window: Window;
};
