import { join } from "node:path";
import type { Instant } from "../domain/instant.ts";
import { makePrivateFolder, readIfThere, writeWhole } from "./key-files.ts";
import type { Signed } from "./serving-certificates.ts";

/** Everything that a listener needs, and when it is renewed. PEM texts. */
export type ServingCertificate = {
  readonly certificate: string;
  readonly key: string;
  /** The authority's certificate, for callers to trust. */
  readonly authority: string;
  readonly notAfter: Instant;
  readonly renewAt: Instant;
};

const LEAF_MS = 24 * 3_600_000;
/** Clocks of callers may be slow by this much. */
const BACKDATE_MS = 5 * 60_000;

/**
 * The certificate that the listener serves with, from an authority of its own that is made on first run and kept in the
 * state folder (`serving/authority.pem`, key and certificate in one file so that no crash parts them, mode 0600). A leaf
 * that still has half its life, and the same names, is taken as it is; otherwise a new one is signed for 24 hours.
 */
export async function servingCertificate(
  folder: string,
  names: readonly string[],
  now: Instant,
): Promise<ServingCertificate> {
  makePrivateFolder(folder);
  const known = storedLeaf(folder, names, now);
  if (known) return known;
  const { makeAuthority, signLeaf } = await import("./serving-certificates.ts");
  const stored = splitPem(readIfThere(authorityFile(folder)) ?? "");
  const authority = stored ?? (await makeAuthority(now));
  if (!stored) writeWhole(authorityFile(folder), joinPem(authority), 0o600);
  writeWhole(authorityCertificateFile(folder), authority.certificate, 0o644);
  const window = { notBefore: now - BACKDATE_MS, notAfter: now - BACKDATE_MS + LEAF_MS };
  const leaf = await signLeaf(authority, names, window);
  writeWhole(leafFile(folder), JSON.stringify({ ...leaf, ...window, names }), 0o600);
  return whole(leaf, authority.certificate, window.notBefore, window.notAfter);
}

const authorityFile = (folder: string): string => join(folder, "authority.pem");
const leafFile = (folder: string): string => join(folder, "leaf.json");

/** Where the authority's certificate lies, for `curl --cacert`. */
export const authorityCertificateFile = (folder: string): string => join(folder, "ca.crt");

type StoredLeaf = Signed & {
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly names: readonly string[];
};

/** The leaf of an earlier start. It is a cache: whatever is not just right about it is left for a new one. */
function storedLeaf(folder: string, names: readonly string[], now: Instant): ServingCertificate | undefined {
  const authority = readIfThere(authorityCertificateFile(folder));
  const text = readIfThere(leafFile(folder));
  if (authority === undefined || text === undefined || !readIfThere(authorityFile(folder))?.includes(authority))
    return undefined;
  try {
    const leaf = JSON.parse(text) as StoredLeaf;
    const made = whole(leaf, authority, leaf.notBefore, leaf.notAfter);
    const current = leaf.notBefore <= now && now < made.renewAt;
    return current && isWhole(leaf) && JSON.stringify(leaf.names) === JSON.stringify(names) ? made : undefined;
  } catch {
    return undefined;
  }
}

const isWhole = ({ certificate, key }: Signed): boolean =>
  certificate.includes("BEGIN CERT") && key.includes("BEGIN PRIV");

const whole = (leaf: Signed, authority: string, notBefore: Instant, notAfter: Instant): ServingCertificate => ({
  certificate: `${leaf.certificate}\n${authority}`,
  key: leaf.key,
  authority,
  notAfter,
  renewAt: notBefore + (notAfter - notBefore) / 2,
});

const joinPem = ({ certificate, key }: Signed): string => `${key}\n${certificate}`;

function splitPem(text: string): Signed | undefined {
  const start = text.indexOf("-----BEGIN CERTIFICATE-----");
  if (start === -1) return undefined;
  return { key: text.slice(0, start).trim(), certificate: text.slice(start) };
}

/** Hands over every new certificate, the first time when half of the current one's life is over. Returns how to stop. */
export function keepRenewed(
  first: ServingCertificate,
  make: () => Promise<ServingCertificate>,
  parts: {
    readonly now: () => Instant;
    readonly renewed: (certificate: ServingCertificate) => void;
    readonly failed: (fault: unknown) => void;
    /** How often it looks at the clock, in milliseconds. */
    readonly checkMs?: number;
  },
): () => void {
  let current = first;
  const timer = setInterval(() => void step(), parts.checkMs ?? CHECK_MS);
  timer.unref();
  let busy = false;
  const step = async (): Promise<void> => {
    if (busy || parts.now() < current.renewAt) return;
    busy = true;
    try {
      current = await make();
      parts.renewed(current);
    } catch (fault) {
      parts.failed(fault);
    } finally {
      busy = false;
    }
  };
  return () => clearInterval(timer);
}

/** Often enough that a laptop that slept finds its certificate renewed soon after it wakes. */
const CHECK_MS = 30_000;
