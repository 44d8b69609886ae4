import { join } from "node:path";
import type { Instant } from "../domain/instant.ts";
import { keptAuthorities } from "./kept-authorities.ts";
import { makePrivateFolder, readIfThere, writeWhole } from "./key-files.ts";
import type { Signed } from "./serving-certificates.ts";

/** Everything that a listener needs, and when it is renewed. PEM texts. */
export type ServingCertificate = {
  readonly certificate: string;
  readonly key: string;
  /** The certificates of authorities that callers are to trust; where an heir is known, it stands there too. */
  readonly authority: string;
  readonly notAfter: Instant;
  readonly renewAt: Instant;
};

const LEAF_MS = 24 * 3_600_000;
/** Clocks of callers may be slow by this much. */
const BACKDATE_MS = 5 * 60_000;

/**
 * The certificate that the listener serves with, from an authority of its own that is kept in the state folder. A leaf that
 * still has half its life, and the same names and authority, is taken as it is; otherwise a new one is signed for 24 hours.
 * Throws where the folder holds an authority that cannot sign.
 */
export async function servingCertificate(
  folder: string,
  names: readonly string[],
  now: Instant,
): Promise<ServingCertificate> {
  makePrivateFolder(folder);
  const { signer, trusted } = await keptAuthorities(folder, now, async () =>
    (await import("./serving-certificates.ts")).makeAuthority(now),
  );
  const authority = trusted.map(({ certificate }) => certificate.trim()).join("\n");
  if (readIfThere(authorityCertificateFile(folder)) !== authority)
    writeWhole(authorityCertificateFile(folder), authority, 0o644);
  const trust = { issuer: signer.certificate, authority };
  const known = storedLeaf(folder, { ...trust, names, now });
  if (known) return known;
  const { signLeaf } = await import("./serving-certificates.ts");
  const window = { notBefore: now - BACKDATE_MS, notAfter: now - BACKDATE_MS + LEAF_MS };
  const leaf = { ...(await signLeaf(signer, names, window)), ...window, names, issuer: signer.certificate };
  writeWhole(leafFile(folder), JSON.stringify(leaf), 0o600);
  return whole(leaf, authority);
}

const leafFile = (folder: string): string => join(folder, "leaf.json");

/** Where the authority's certificate lies, for `curl --cacert`. */
export const authorityCertificateFile = (folder: string): string => join(folder, "ca.crt");

type StoredLeaf = Signed & {
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly names: readonly string[];
  /** The certificate of the authority that signed it. */
  readonly issuer: string;
};

type Wanted = Pick<StoredLeaf, "names" | "issuer"> & { readonly authority: string; readonly now: Instant };

/** The leaf of an earlier start. It is a cache: whatever is not just right about it is left for a new one. */
function storedLeaf(folder: string, { names, issuer, authority, now }: Wanted): ServingCertificate | undefined {
  const text = readIfThere(leafFile(folder));
  if (text === undefined) return undefined;
  try {
    const leaf = JSON.parse(text) as StoredLeaf;
    const made = whole(leaf, authority);
    const current = leaf.notBefore <= now && now < made.renewAt && leaf.issuer === issuer;
    return current && isWhole(leaf) && JSON.stringify(leaf.names) === JSON.stringify(names) ? made : undefined;
  } catch {
    return undefined;
  }
}

const isWhole = ({ certificate, key }: Signed): boolean =>
  certificate.includes("BEGIN CERT") && key.includes("BEGIN PRIV");

const whole = (leaf: StoredLeaf, authority: string): ServingCertificate => ({
  certificate: `${leaf.certificate}\n${leaf.issuer}`,
  key: leaf.key,
  authority,
  notAfter: leaf.notAfter,
  renewAt: leaf.notBefore + (leaf.notAfter - leaf.notBefore) / 2,
});

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
