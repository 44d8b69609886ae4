import { ok, refuse, type Result } from "./problem.ts";

declare const spiffeIdBrand: unique symbol;
/** A SPIFFE ID, `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`; made by `composeSpiffeId` alone. */
export type SpiffeId = string & { readonly [spiffeIdBrand]: true };

const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/;
const SEGMENT = /^[a-zA-Z0-9._-]+$/;
const SPIFFE_ID = /^[sS][pP][iI][fF][fF][eE]:\/\/([^/]*)((?:\/.*)?)$/;
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
  for (const [path, part] of [
    ["metadata.namespace", namespace],
    ["spec.serviceAccountName", serviceAccount],
  ] as const)
    if (!isPathSegment(part)) return notAPart(path, part);
  const id = `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
  if (Buffer.byteLength(id) > MAX_BYTES) return notAPart("spec.serviceAccountName", serviceAccount);
  return ok(id as SpiffeId);
}

/** A SPIFFE ID that somebody else wrote, read: a foreign one may have any path, and a trust domain's own has none. */
export type ReadSpiffeId = {
  readonly trustDomain: string;
  readonly segments: readonly string[];
  readonly text: string;
};

/**
 * Reads a SPIFFE ID (SPIFFE-ID §2): scheme `spiffe` in either case, a lower-case trust domain, path segments that are neither
 * empty nor dots, no query, fragment, user, port or percent-encoding, at most 2048 bytes. `text` is its one spelling.
 */
export function readSpiffeId(text: string, path: string): Result<ReadSpiffeId> {
  const [, trustDomain = "", rest] = text.length <= MAX_BYTES ? (SPIFFE_ID.exec(text) ?? []) : [];
  const segments = rest === undefined || rest === "" ? [] : rest.slice(1).split("/");
  if (rest !== undefined && TRUST_DOMAIN.test(trustDomain) && segments.every(isPathSegment))
    return ok({ trustDomain, segments, text: `spiffe://${trustDomain}${rest}` });
  return refuse(
    "IDENTITY_INVALID",
    path,
    `"${text.slice(0, 80)}" is not a SPIFFE ID.`,
    "Write spiffe://, a trust domain in lower case, and path segments of letters, digits, dots, dashes and underscores.",
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
