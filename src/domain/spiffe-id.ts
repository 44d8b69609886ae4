import { ok, refuse, type Result } from "./problem.ts";

declare const spiffeIdBrand: unique symbol;
/** A SPIFFE ID, `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`; made by `composeSpiffeId` alone. */
export type SpiffeId = string & { readonly [spiffeIdBrand]: true };

const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/;
const SEGMENT = /^[a-zA-Z0-9._-]+$/;
const MAX_BYTES = 2048;

/** Reads a trust domain name: 1 to 255 of `a-z 0-9 . - _` (SPIFFE-ID §2.1). */
export function parseTrustDomain(text: string, path: string): Result<string> {
  if (TRUST_DOMAIN.test(text)) return ok(text);
  return refuse(
    "FIELD_INVALID",
    path,
    `"${text}" is not a trust domain name.`,
    "Use 1 to 255 lower-case letters, digits, dots, dashes or underscores, for example prod-eu.example.org.",
  );
}

/**
 * Joins a trust domain, a namespace and a service account to the one form of identity that Signet knows.
 * Each part is checked before it is joined: a slash inside a part would let two workloads share a name.
 */
export function composeSpiffeId(trustDomain: string, namespace: string, serviceAccount: string): Result<SpiffeId> {
  const domain = parseTrustDomain(trustDomain, "trustDomain");
  if (!domain.ok) return domain;
  if (!isPathSegment(namespace)) return notAPart("metadata.namespace", namespace);
  if (!isPathSegment(serviceAccount)) return notAPart("spec.serviceAccountName", serviceAccount);
  const id = `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
  // All of it is ASCII by now.
  if (id.length > MAX_BYTES) return notAPart("spec.serviceAccountName", serviceAccount);
  return ok(id as SpiffeId);
}

/** A SPIFFE ID of any trust domain, in its parts; `path` begins with a slash and is not empty. */
export type SpiffeName = { readonly id: string; readonly trustDomain: string; readonly path: string };

const ID = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[a-zA-Z0-9._-]+)+)$/;

/**
 * Reads the SPIFFE ID of a workload, letter for letter in its one canonical form: scheme and trust domain in lower case, no
 * port, user, query, fragment or escape, a path of whole segments (SPIFFE-ID §2.1-§2.3, X509-SVID §2).
 */
export function parseSpiffeId(text: string, path: string): Result<SpiffeName> {
  const [, trustDomain, rest] = (text.length <= MAX_BYTES && ID.exec(text)) || [];
  if (trustDomain !== undefined && rest !== undefined && rest.slice(1).split("/").every(isPathSegment))
    return ok({ id: text, trustDomain, path: rest });
  return refuse(
    "IDENTITY_INVALID",
    path,
    `"${text.slice(0, 80)}" is not the SPIFFE ID of a workload.`,
    "Write spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/SERVICE-ACCOUNT.",
  );
}

/** Whether a text may stand between two slashes of a SPIFFE ID's path (SPIFFE-ID §2.2). */
export const isPathSegment = (text: string): boolean => SEGMENT.test(text) && text !== "." && text !== "..";

const notAPart = (path: string, part: string): Result<never> =>
  refuse(
    "IDENTITY_INVALID",
    path,
    `"${part.slice(0, 80)}" cannot be part of a SPIFFE ID.`,
    "Use a name of letters, digits, dots, dashes and underscores.",
  );

/** `orders-db.payments`: account and namespace of an identity, unmistakable since a namespace has no dots. */
export function accountName(id: SpiffeId): string {
  const [namespace = "", , account = ""] = id.split("/").slice(4);
  return `${account}.${namespace}`;
}
