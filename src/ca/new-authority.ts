import type { Profiles } from "../domain/certificate.ts";
import type { Instant } from "../domain/instant.ts";
import { type AuthorityCertificate, signAuthority } from "./authority.ts";
import { Issuer } from "./issuer.ts";
import { generateKey, memoryKey, type SigningKey } from "./keys/signing-key.ts";
import { serialNumber } from "./serial.ts";

/** For whom and when authorities are made. */
export type Making = {
  readonly trustDomain: string;
  readonly profiles: Profiles;
  readonly now: Instant;
  readonly random: (bytes: number) => Uint8Array;
};

/** A root, the one issuing authority below it, and the root's list of what is revoked. */
export type AuthorityPair = {
  readonly root: AuthorityCertificate;
  readonly issuing: AuthorityCertificate;
  /** The root's revocation list, DER: empty, and without an end before the root's. */
  readonly rootList: Buffer;
};

/**
 * A root of its own above an issuing authority's key. The root's private key signs that one certificate and one empty
 * revocation list (verifiers that check a whole chain want one of every issuer), and is forgotten: nobody can sign a second
 * authority with it, and none of it has to be kept.
 */
export async function makeAuthorityPair(making: Making, below: Pick<SigningKey, "spki">): Promise<AuthorityPair> {
  const key = memoryKey(generateKey(making.profiles.root.keyType));
  const root = await signRoot(making, key);
  const issuing = await signIssuing(making, below, { certificate: root, key });
  const { notBefore: thisUpdate, notAfter: nextUpdate } = root.window;
  const rootList = await new Issuer(root, key).signList({ number: 1, thisUpdate, nextUpdate, revoked: [] });
  return { root, issuing, rootList };
}

/** A root that signs itself. */
export const signRoot = (
  { trustDomain, profiles, now, random }: Making,
  key: SigningKey,
): Promise<AuthorityCertificate> =>
  signAuthority({ profile: profiles.root, trustDomain, now, key, serial: serialNumber(random) }, key);

/** An issuing authority's key, certified by a root. */
export const signIssuing = (
  { trustDomain, profiles, now, random }: Making,
  key: Pick<SigningKey, "spki">,
  root: { readonly certificate: AuthorityCertificate; readonly key: SigningKey },
): Promise<AuthorityCertificate> =>
  signAuthority({ profile: profiles.issuing, trustDomain, now, key, serial: serialNumber(random) }, root);
