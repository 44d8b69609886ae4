import type { Profiles } from "../domain/certificate.ts";
import {
  basicConstraints,
  keyIdOf,
  keyUsage,
  nameConstraints,
  subjectAltName,
  subjectKeyIdentifier,
} from "./der/extensions.ts";
import { certificateOf } from "./der/leaf.ts";
import { OID } from "./der/oids.ts";
import { explicit, sequence, tagged, TAG } from "./der/write.ts";
import { authorityName } from "./authority.ts";
import type { SigningKey } from "./keys/signing-key.ts";

const VERSION_0 = Buffer.from([2, 1, 0]);

/** For which trust domain, and by which profile, a request is made. */
export type RequestTerms = { readonly trustDomain: string; readonly profile: Profiles["issuing"] };

/**
 * A certificate request (PKCS#10, RFC 2986, DER) for an issuing authority's key. It asks for the extensions that the profile
 * has, so that a signer who copies them signs what `import` accepts.
 */
export async function authorityRequest({ trustDomain, profile }: RequestTerms, key: SigningKey): Promise<Buffer> {
  const keyId = keyIdOf(key.spki);
  const extensions = sequence(
    keyUsage(profile.keyUsage),
    basicConstraints(profile.pathLength),
    subjectKeyIdentifier(keyId),
    subjectAltName(`spiffe://${trustDomain}`, [], false),
    ...(profile.constrained ? [nameConstraints(trustDomain)] : []),
  );
  const attribute = sequence(OID.extensionRequest, tagged(TAG.set, extensions));
  const info = sequence(VERSION_0, authorityName(profile.sort, keyId), key.spki, explicit(0, attribute));
  const { identifier } = key.algorithm;
  return certificateOf(info, identifier, await key.sign(info));
}
