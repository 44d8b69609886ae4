import type { KeyObject } from "node:crypto";
import type { Profiles } from "../domain/certificate.ts";
import type { Instant } from "../domain/instant.ts";
import { type AuthorityCertificate, signAuthority } from "./authority.ts";
import { Issuer } from "./issuer.ts";
import { generateKey, memoryKey } from "./keys/signing-key.ts";
import { serialNumber } from "./serial.ts";

/** For whom and when authorities are made. */
export type Making = {
  readonly trustDomain: string;
  readonly profiles: Profiles;
  readonly now: Instant;
  readonly random: (bytes: number) => Uint8Array;
};

/** A root, the one issuing authority below it, and the latter's private key. */
export type AuthorityPair = {
  readonly root: AuthorityCertificate;
  readonly issuing: AuthorityCertificate;
  readonly key: KeyObject;
  /** The root's revocation list, DER: empty, and without an end before the root's. */
  readonly rootList: Buffer;
};

/**
 * A root and an issuing authority of its own. The root's private key signs that one certificate and one empty revocation list
 * (verifiers that check a whole chain want one of every issuer), and is forgotten: nobody can sign a second authority with it.
 */
export async function makeAuthorityPair({ trustDomain, profiles, now, random }: Making): Promise<AuthorityPair> {
  const rootKey = memoryKey(generateKey(profiles.root.keyType));
  const key = generateKey(profiles.issuing.keyType);
  const common = { trustDomain, now };
  const wanted = { ...common, profile: profiles.root, key: rootKey, serial: serialNumber(random) };
  const root = await signAuthority(wanted, rootKey);
  const below = { ...common, profile: profiles.issuing, key: memoryKey(key), serial: serialNumber(random) };
  const issuing = await signAuthority(below, { certificate: root, key: rootKey });
  const { notBefore: thisUpdate, notAfter: nextUpdate } = root.window;
  const rootList = await new Issuer(root, rootKey).signList({ number: 1, thisUpdate, nextUpdate, revoked: [] });
  return { root, issuing, key, rootList };
}
