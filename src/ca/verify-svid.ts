import type { Window } from "../domain/certificate.ts";
import type { Instant } from "../domain/instant.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { parseSpiffeId, type SpiffeName } from "../domain/spiffe-id.ts";
import { keyIdOf } from "./der/extensions.ts";
import { NotDer } from "./der/read.ts";
import { bitsOf, type CertificateParts, extensionAt, namesOf, readCertificate } from "./read-certificate.ts";
import { validatePath } from "./verify-path.ts";

/** An X.509-SVID that proves an identity. */
export type VerifiedSvid = {
  readonly spiffeId: SpiffeName;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  /** When it holds, and all that it was verified by. */
  readonly window: Window;
  /** SubjectPublicKeyInfo in DER: whoever holds its private key is the holder. */
  readonly spki: Buffer;
};

/** The roots of one trust domain, DER. Roots of several are never pooled. */
export type TrustAnchors = {
  readonly trustDomain: string;
  readonly roots: readonly Buffer[];
  /** Identifiers of authorities' keys that are in wrong hands (RFC 7093 §2, method 1): what they signed proves nothing. */
  readonly compromised?: readonly string[];
};

/**
 * Verifies a chain (DER, leaf first, each certificate followed by its issuer, without the root) as X509-SVID §5 asks:
 * RFC 5280 path validation to a root of the leaf's own trust domain, then the leaf's rules. Refuses with SVID_INVALID and
 * the number of the rule, and with AUTHORITY_COMPROMISED where the chain goes through a key that is in wrong hands.
 */
export async function verifySvid(
  chain: readonly Buffer[],
  anchors: TrustAnchors,
  now: Instant,
): Promise<Result<VerifiedSvid>> {
  try {
    const [leaf, ...above] = chain.map(readCertificate);
    if (!leaf || chain.length > MOST) return invalid(`a chain has 1 to ${MOST} certificates`);
    const spiffeId = leafIdentity(leaf);
    if (!spiffeId.ok) return spiffeId;
    if (spiffeId.value.trustDomain !== anchors.trustDomain)
      return invalid(`${spiffeId.value.id} is not of trust domain ${anchors.trustDomain}`);
    const path = await validatePath([leaf, ...above], anchors.roots.map(readCertificate), now);
    if ("problem" in path) return invalid(path.problem);
    if (above.some(({ spki }) => anchors.compromised?.includes(keyIdOf(spki.whole).toString("hex")))) return stolen();
    return ok({ spiffeId: spiffeId.value, serial: leaf.serial, window: path.window, spki: leaf.spki.whole });
  } catch (fault) {
    if (fault instanceof NotDer) return invalid(fault.message);
    throw fault;
  }
}

/** The identity that a certificate alone claims (DER), by the rules of a leaf; whether it may is said by its path. */
export function identityOfLeaf(der: Buffer): Result<SpiffeName> {
  try {
    return leafIdentity(readCertificate(der));
  } catch (fault) {
    if (fault instanceof NotDer) return invalid(fault.message);
    throw fault;
  }
}

const MOST = 5;

const stolen = (): Result<never> =>
  refuse(
    "AUTHORITY_COMPROMISED",
    "",
    "The certificate proves no identity: the key of the authority that signed it is in wrong hands.",
    "Show another proof: a service account token, or a new invitation (`signet svid invite`).",
  );

const invalid = (why: string): Result<never> =>
  refuse("SVID_INVALID", "", `The certificate proves no identity: ${why}.`);

/** Rules about a leaf alone, each with its number in the standard's order. */
const LEAF_RULES: readonly (readonly [string, (leaf: CertificateParts) => boolean])[] = [
  ["a leaf is no authority (X509-SVID §4.1)", (leaf) => !isAuthority(leaf)],
  ["a leaf has a critical key usage (X509-SVID §4.3)", (leaf) => extensionAt(leaf, "keyUsage")?.critical === true],
  ["a leaf's key makes digital signatures (X509-SVID §4.3)", (leaf) => usages(leaf).includes(0)],
  [
    "a leaf's key signs neither certificates nor lists (X509-SVID §4.3)",
    (leaf) => !usages(leaf).some((bit) => bit === 5 || bit === 6),
  ],
  [
    "an empty subject needs a critical subject alternative name (RFC 5280 §4.2.1.6)",
    (leaf) => leaf.subject.contents.length > 0 || extensionAt(leaf, "subjectAltName")?.critical === true,
  ],
];

function leafIdentity(leaf: CertificateParts): Result<SpiffeName> {
  const broken = LEAF_RULES.find(([, holds]) => !holds(leaf));
  if (broken) return invalid(broken[0]);
  const uris = namesIn(leaf).filter((name) => name.startsWith("uri:"));
  if (uris.length !== 1) return invalid(`a leaf has exactly one URI, and this one has ${uris.length} (X509-SVID §2)`);
  const read = parseSpiffeId(uris[0]?.slice("uri:".length) ?? "", "");
  return read.ok ? read : invalid("its URI is not the SPIFFE ID of a workload (SPIFFE-ID §2, X509-SVID §2)");
}

const namesIn = (leaf: CertificateParts): readonly string[] => {
  const names = extensionAt(leaf, "subjectAltName");
  return names ? namesOf(names.value) : [];
};

const usages = (leaf: CertificateParts): readonly number[] => {
  const usage = extensionAt(leaf, "keyUsage");
  return usage ? bitsOf(usage.value) : [];
};

const isAuthority = (leaf: CertificateParts): boolean => {
  const constraints = extensionAt(leaf, "basicConstraints");
  return constraints !== undefined && constraints.value.contents.length > 0;
};
