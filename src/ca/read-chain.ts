import type { Profiles } from "../domain/certificate.ts";
import type { Instant } from "../domain/instant.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import type { AuthorityCertificate } from "./authority.ts";
import { OID } from "./der/oids.ts";
import { NotDer, readInside } from "./der/read.ts";
import { TAG } from "./der/write.ts";
import { isAuthorityKey } from "./keys/signing-key.ts";
import { certificatesIn } from "./pem.ts";
import { readAuthority } from "./read-authority.ts";
import { type CertificateParts, constraintsOf, extensionAt, namesOf, readCertificate } from "./read-certificate.ts";
import { readRootList } from "./read-list.ts";
import { usagesIn } from "./recheck.ts";
import { isSignedBy, permittedHosts, validatePath } from "./verify-path.ts";

/** What a chain must fit: our trust domain and profiles, the key that was requested for, and now. */
export type ChainTerms = {
  readonly trustDomain: string;
  readonly profiles: Profiles;
  /** SubjectPublicKeyInfo in DER. */
  readonly spki: Buffer;
  readonly now: Instant;
  /** Roots that are trusted already, DER: the chain may leave its root out where it is one of them. */
  readonly roots: readonly Buffer[];
  /** Roots of all authorities that are kept, whether trusted still or not. */
  readonly known: readonly Pick<AuthorityCertificate, "keyId" | "der">[];
};

/** A chain from an offline root that was verified whole. */
export type AuthorityChain = {
  readonly issuing: AuthorityCertificate;
  readonly root: AuthorityCertificate;
  /** What goes with a leaf: the issuing authority first, the root left out; DER. */
  readonly chain: readonly Buffer[];
  /** The root's revocation list, where it came with the chain; DER. */
  readonly rootList?: Buffer;
};

/** Issuing authority, up to three between, root. */
const MOST = 5;

/**
 * Reads a chain in PEM, the issuing authority first, each followed by its issuer, and verifies it whole: the key is the one
 * that was requested for, the issuing certificate keeps its profile, all keys and purposes fit, the path ends at its root (RFC 5280 §6), names, key
 * identifiers and lifetimes fit. Roots are told apart by their key identifiers, which whoever makes one chooses: another
 * certificate under a known one, even one renewed by the same key, is refused. Refuses with AUTHORITY_INVALID and the rule.
 */
export async function readAuthorityChain(pem: string, terms: ChainTerms): Promise<Result<AuthorityChain>> {
  try {
    const ders = certificatesIn(pem);
    if (!ders || ders.length === 0 || ders.length > MOST)
      return invalid(`it is not a chain of 1 to ${MOST} certificates in PEM`);
    const read = await readPath(withRoot(ders, terms.roots), terms);
    return read.ok ? await withList(read.value, pem, terms) : read;
  } catch (fault) {
    if (fault instanceof NotDer) return invalid(fault.message);
    throw fault;
  }
}

const invalid = (why: string): Result<never> =>
  refuse("AUTHORITY_INVALID", "chain", `The chain is not taken: ${why}.`, MEND);

const MEND =
  "Sign the request of `signet ca csr` as it is, and hand in the issuing certificate first, then its issuers up to the root.";

/** The root goes last; where it was left out, one that is trusted already and fits by name stands in. */
function withRoot(ders: readonly Buffer[], roots: readonly Buffer[]): readonly Buffer[] {
  const last = ders.at(-1);
  if (!last || isSelfIssued(readCertificate(last))) return ders;
  const { issuer } = readCertificate(last);
  const known = roots.find((root) => readCertificate(root).subject.whole.equals(issuer.whole));
  return known ? [...ders, known] : ders;
}

/** A list that cannot be taken refuses the whole: it would be missed by those who check lists, and by nobody else. */
async function withList(chain: AuthorityChain, pem: string, { now }: ChainTerms): Promise<Result<AuthorityChain>> {
  const { issuing, root } = chain;
  const read = await readRootList(pem, { root: readCertificate(root.der), now, until: issuing.window.notAfter });
  if ("problem" in read) return invalid(read.problem);
  return ok({ ...chain, ...(read.list ? { rootList: read.list } : {}) });
}

const isSelfIssued = ({ issuer, subject }: CertificateParts): boolean => issuer.whole.equals(subject.whole);

async function readPath(ders: readonly Buffer[], terms: ChainTerms): Promise<Result<AuthorityChain>> {
  const authorities: AuthorityCertificate[] = [];
  for (const der of ders) {
    const read = readAuthority(der, terms.trustDomain);
    if (!read.ok) return read;
    authorities.push(read.value);
  }
  const [issuing, root] = [authorities[0], authorities.at(-1)];
  if (!issuing || issuing === root || root?.sort !== "root")
    return invalid("its root is not in it, and is none that is trusted already");
  if (terms.known.some(({ keyId, der }) => keyId === root.keyId && !der.equals(root.der)))
    return invalid("its root has the key identifier of one that is known, and is another certificate");
  const wrong = await brokenPath(ders.map(readCertificate), terms);
  return wrong === undefined ? ok({ issuing, root, chain: ders.slice(0, -1) }) : invalid(wrong);
}

async function brokenPath(path: readonly CertificateParts[], terms: ChainTerms): Promise<string | undefined> {
  const [issuing, root] = [path[0], path.at(-1)];
  if (!issuing || !root) return "it is empty";
  const wrong = brokenRule(issuing, terms) ?? brokenForAll(path) ?? brokenStep(path) ?? (await brokenRoot(root));
  if (wrong !== undefined) return wrong;
  const validated = await validatePath(path.slice(0, -1), [root], terms.now);
  return "problem" in validated ? validated.problem : undefined;
}

/** Path validation takes an anchor as it is; one that comes with the chain must at least have signed itself. */
const brokenRoot = async (root: CertificateParts): Promise<string | undefined> =>
  (await isSignedBy(root, root)) ? undefined : "its root is not signed by itself";

/** Each names its issuer's key, holds only while its issuer does, and leaves room for all that stands below it. */
function brokenStep(path: readonly CertificateParts[]): string | undefined {
  for (const [depth, certificate] of path.entries()) {
    // Below the issuing authority a leaf still follows: one place more than path validation of this chain alone counts.
    if (depth > 0 && (constraintsOf(certificate).pathLength ?? MOST) < depth)
      return "more authorities stand below an issuer than it allows (RFC 5280 §4.2.1.9)";
    const issuer = path[depth + 1];
    if (!issuer) continue;
    if (issuerKeyId(certificate) !== keyIdIn(issuer))
      return "an authority key identifier is not its issuer's subject key identifier (RFC 5280 §4.2.1.1)";
    if (certificate.window.notAfter > issuer.window.notAfter) return "a certificate would outlive its issuer";
  }
  return undefined;
}

const keyIdIn = (parts: CertificateParts): string | undefined =>
  extensionAt(parts, "subjectKeyIdentifier")?.value.contents.toString("hex");

const KEY_ID = 0x80;

function issuerKeyId(parts: CertificateParts): string | undefined {
  const found = extensionAt(parts, "authorityKeyIdentifier");
  const id = found && readInside(found.value, TAG.sequence).find(({ tag }) => tag === KEY_ID);
  return id?.contents.toString("hex");
}

type Rule = readonly [holds: (parts: CertificateParts, terms: ChainTerms) => boolean, otherwise: string];

const DAY_MS = 24 * 3_600_000;

/** What the issuing authority's certificate must be, beyond being an authority's of this trust domain. */
const RULES: readonly Rule[] = [
  [({ spki }, terms) => spki.whole.equals(terms.spki), "its key is not the one that the server requested it for"],
  [
    (parts, { profiles }) => {
      const found = extensionAt(parts, "keyUsage");
      const usages = found ? usagesIn(found.value) : [];
      const wanted = profiles.issuing.keyUsage;
      return (
        found?.critical === true && usages.length === wanted.length && wanted.every((each) => usages.includes(each))
      );
    },
    "its key usage is not that of profile issuing, critical (X509-SVID §3.2)",
  ],
  [
    (parts, { profiles }) =>
      extensionAt(parts, "basicConstraints")?.critical === true &&
      constraintsOf(parts).pathLength === profiles.issuing.pathLength,
    "its path length is not that of profile issuing, critical",
  ],
  [
    (parts, { trustDomain }) => {
      const names = extensionAt(parts, "subjectAltName");
      return names !== undefined && namesOf(names.value).join() === `uri:spiffe://${trustDomain}`;
    },
    "it does not name its trust domain (X509-SVID §3.1)",
  ],
  [
    (parts, { profiles, trustDomain }) => {
      const found = extensionAt(parts, "nameConstraints");
      if (!profiles.issuing.constrained) return true;
      return found?.critical === true && permittedHosts(found.value).join() === trustDomain;
    },
    "its name constraints do not fix it to this trust domain, critical (RFC 5280 §4.2.1.10)",
  ],
  [(parts) => (keyIdIn(parts)?.length ?? 0) <= 40, "its key identifier is longer than 20 octets"],
  [
    ({ window }, { profiles: { issuing }, now }) => window.notAfter - now <= issuing.lifetimeSeconds * 1000 + DAY_MS,
    "it holds for longer than profile issuing allows",
  ],
  [
    ({ window }, { profiles: { leaf }, now }) => window.notAfter - now >= leaf.maxTtlSeconds * 1000,
    "it ends before a certificate of the longest lifetime could",
  ],
];

/** What every certificate of the chain must be, the root too: verifiers look at the purposes and keys of all. */
const RULES_FOR_ALL: readonly (readonly [holds: (parts: CertificateParts) => boolean, otherwise: string])[] = [
  [
    (parts) => {
      const purposes = extensionAt(parts, "extendedKeyUsage");
      const found = purposes ? readInside(purposes.value, TAG.sequence).map(({ whole }) => whole) : [];
      return !purposes || [OID.serverAuth, OID.clientAuth].every((each) => found.some((one) => one.equals(each)));
    },
    "an extended key usage leaves out serverAuth or clientAuth, which every leaf has",
  ],
  [({ spki }) => isAuthorityKey(spki.whole), "a key is not ECDSA on P-256 or P-384, or RSA with 3072 or 4096 bits"],
];

const brokenRule = (parts: CertificateParts, terms: ChainTerms): string | undefined =>
  RULES.find(([holds]) => !holds(parts, terms))?.[1];

const brokenForAll = (path: readonly CertificateParts[]): string | undefined =>
  RULES_FOR_ALL.find(([holds]) => !path.every(holds))?.[1];
