import { holdsAt, type Window } from "../domain/certificate.ts";
import { formatInstant, type Instant } from "../domain/instant.ts";
import { SIGNATURE_ALGORITHMS } from "./der/algorithms.ts";
import { OID } from "./der/oids.ts";
import { NotDer, readInside } from "./der/read.ts";
import { TAG } from "./der/write.ts";
import { publicKeyIn } from "./keys/public-key.ts";
import { verifySignature } from "./keys/verify-signature.ts";
import { bitsOf, type CertificateParts, constraintsOf, extensionAt, namesOf } from "./read-certificate.ts";

/** What came of a path: when all of its certificates hold, or what is wrong with it, in words. */
export type Path = { readonly window: Window } | { readonly problem: string };

/**
 * Validates a chain (leaf first, each followed by its issuer) up to one of the roots (RFC 5280 §6.1, for chains in order and
 * without policies).
 */
export async function validatePath(
  chain: readonly CertificateParts[],
  roots: readonly CertificateParts[],
  now: Instant,
): Promise<Path> {
  const last = chain.at(-1);
  const candidates = roots.filter((root) => last && root.subject.whole.equals(last.issuer.whole));
  let problem = "its chain ends at no root of the trust domain";
  for (const root of candidates) {
    const path = [...chain, root];
    const broken = await brokenLink(path, now);
    if (broken === undefined) return { window: commonWindow(path) };
    problem = broken;
  }
  return { problem };
}

const commonWindow = (path: readonly CertificateParts[]): Window => ({
  notBefore: Math.max(...path.map(({ window }) => window.notBefore)),
  notAfter: Math.min(...path.map(({ window }) => window.notAfter)),
});

async function brokenLink(path: readonly CertificateParts[], now: Instant): Promise<string | undefined> {
  for (const [depth, certificate] of path.entries()) {
    const wrong =
      expired(certificate, now) ?? unknownCritical(certificate) ?? (depth > 0 ? noIssuer(path, depth) : undefined);
    if (wrong !== undefined) return wrong;
    const issuer = path[depth + 1];
    if (issuer && !(await isSignedBy(certificate, issuer)))
      return "a certificate of the chain is not signed by the next";
  }
  return undefined;
}

function expired({ window, serial }: CertificateParts, now: Instant): string | undefined {
  if (holdsAt(window, now)) return undefined;
  return `certificate ${serial} holds from ${formatInstant(window.notBefore)} to ${formatInstant(window.notAfter)}`;
}

const KNOWN = new Set(
  (["keyUsage", "basicConstraints", "subjectAltName", "nameConstraints", "extendedKeyUsage"] as const).map((name) =>
    OID[name].toString("hex"),
  ),
);

const unknownCritical = ({ extensions }: CertificateParts): string | undefined =>
  [...extensions].some(([id, { critical }]) => critical && !KNOWN.has(id))
    ? "it has a critical extension that is not known here"
    : undefined;

/** What of a certificate, or of a revocation list, says who signed it. */
export type SignedByIssuer = Pick<CertificateParts, "signed" | "algorithm" | "innerAlgorithm" | "signature" | "issuer">;

/** Whether a certificate or list names that issuer and is signed by its key; false too where the key cannot be used. */
export async function isSignedBy(certificate: SignedByIssuer, issuer: CertificateParts): Promise<boolean> {
  const algorithm = SIGNATURE_ALGORITHMS.find(({ identifier }) => identifier.equals(certificate.algorithm.whole));
  if (!algorithm || !certificate.innerAlgorithm.whole.equals(certificate.algorithm.whole)) return false;
  if (!certificate.issuer.whole.equals(issuer.subject.whole)) return false;
  const key = publicKeyIn(issuer.spki.whole);
  return key !== undefined && verifySignature(algorithm, key, certificate.signed.whole, certificate.signature);
}

const KEY_CERT_SIGN = 5;
const MOST_BELOW = 127;

/** Why the certificate at this depth may not stand above those before it. */
function noIssuer(path: readonly CertificateParts[], depth: number): string | undefined {
  const authority = path[depth];
  if (!authority) return undefined;
  const constraints = constraintsOf(authority);
  if (!constraints.authority) return "an issuer is no authority (X509-SVID §3.2)";
  if (!maySign(authority)) return "an issuer may not sign certificates (X509-SVID §3.2)";
  if ((constraints.pathLength ?? MOST_BELOW) < depth - 1)
    return "more authorities stand below an issuer than it allows (RFC 5280 §4.2.1.9)";
  return foreignName(authority, path[0]);
}

function maySign(authority: CertificateParts): boolean {
  const usage = extensionAt(authority, "keyUsage");
  return usage !== undefined && bitsOf(usage.value).includes(KEY_CERT_SIGN);
}

/** A name constraint permits exact hosts of URIs; of other forms of constraint none is known here. */
function foreignName(authority: CertificateParts, leaf: CertificateParts | undefined): string | undefined {
  const constraint = extensionAt(authority, "nameConstraints");
  const names = leaf && extensionAt(leaf, "subjectAltName");
  if (!constraint || !names) return undefined;
  const permitted = permittedHosts(constraint.value);
  const strange = namesOf(names.value).find((name) => name.startsWith("uri:") && !permitted.includes(hostOf(name)));
  return strange === undefined
    ? undefined
    : "its trust domain is not one that an issuer may sign for (RFC 5280 §4.2.1.10)";
}

const hostOf = (uri: string): string => /^uri:spiffe:\/\/([^/]*)/i.exec(uri)?.[1] ?? "";

/** Hosts of URIs that a name constraint permits; throws NotDer for one of another form. */
export function permittedHosts(value: Parameters<typeof readInside>[0]): readonly string[] {
  const [permitted, ...more] = readInside(value, TAG.sequence);
  if (permitted?.tag !== 0xa0 || more.length > 0)
    throw new NotDer("a name constraint of a form that is not known here");
  return readInside(permitted, 0xa0).map((subtree) => {
    const [base, ...rest] = readInside(subtree, TAG.sequence);
    if (base?.tag !== 0x86 || rest.length > 0) throw new NotDer("a name constraint of a form that is not known here");
    return base.contents.toString("latin1");
  });
}
