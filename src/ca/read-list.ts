import type { Window } from "../domain/certificate.ts";
import { formatInstant, type Instant } from "../domain/instant.ts";
import { NotDer, readInside, readSigned } from "./der/read.ts";
import { TAG } from "./der/write.ts";
import { listsIn } from "./pem.ts";
import { type CertificateParts, timeOf } from "./read-certificate.ts";
import { isSignedBy, type SignedByIssuer } from "./verify-path.ts";

/** A revocation list that was read and not yet judged: who signed it, and from when to when it is one. */
type ListParts = SignedByIssuer & { readonly window: Window };

/** Reads a version 2 revocation list (RFC 5280 §5.1) from DER, all but what it revokes. Throws NotDer for what is none. */
function readList(der: Buffer): ListParts {
  const { signed, algorithm, signature } = readSigned(der);
  const [version, innerAlgorithm, issuer, thisUpdate, nextUpdate] = readInside(signed, TAG.sequence);
  if (!version?.whole.equals(VERSION_2) || !innerAlgorithm || !issuer || !thisUpdate || !nextUpdate)
    throw new NotDer("its revocation list is not of version 2, with an end");
  const window = { notBefore: timeOf(thisUpdate), notAfter: timeOf(nextUpdate) };
  return { signed, algorithm, signature, innerAlgorithm, issuer, window };
}

const VERSION_2 = Buffer.from([2, 1, 1]);

/** By whom a list must be signed, and from when to when it must hold. */
export type ListTerms = { readonly root: CertificateParts; readonly now: Instant; readonly until: Instant };

/**
 * The one revocation list (DER) that an offline root sends with its chain, PEM; or why it is not taken, in words. It is served
 * as long as the authority, and must hold as long.
 */
export async function readRootList(
  pem: string,
  { root, now, until }: ListTerms,
): Promise<{ readonly list?: Buffer } | { readonly problem: string }> {
  const lists = listsIn(pem);
  if (!lists || lists.length > 1)
    return { problem: "it has more than one revocation list, or one that is not in base64" };
  const [list] = lists;
  if (!list) return {};
  const parts = readList(list);
  if (!(await isSignedBy(parts, root))) return { problem: "its revocation list is not signed by its root" };
  const { notBefore, notAfter } = parts.window;
  return notBefore <= now && notAfter >= until
    ? { list }
    : { problem: `its revocation list does not hold from now to ${formatInstant(until)}, when the authority ends` };
}
