import type { AuthorityProfile, IssuerFacts, Window } from "../domain/certificate.ts";
import type { Instant } from "../domain/instant.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  extensionsField,
  keyIdOf,
  keyUsage,
  nameConstraints,
  subjectAltName,
  subjectKeyIdentifier,
} from "./der/extensions.ts";
import { certificateOf } from "./der/leaf.ts";
import { distinguishedName } from "./der/names.ts";
import { explicit, integer, sequence, time } from "./der/write.ts";
import type { SigningKey } from "./keys/signing-key.ts";

/** An authority's certificate in DER, and what certificates below it must know. */
export type AuthorityCertificate = IssuerFacts & { readonly der: Buffer; readonly sort: AuthorityProfile["sort"] };

/** Who signs an authority: its certificate and key; a root signs itself. */
export type Parent = { readonly certificate: AuthorityCertificate; readonly key: SigningKey };

/** What a new authority is: for which trust domain, with which key, from when on, under which number. */
export type NewAuthority = {
  readonly profile: AuthorityProfile;
  readonly trustDomain: string;
  readonly key: Pick<SigningKey, "spki">;
  readonly now: Instant;
  readonly serial: string;
};

/**
 * Signs an authority's certificate. Subject and key identifier are its own: verifiers that look an issuer up by name try
 * every one of that name (spiffe/spire#4415). It names its trust domain, without a path (X509-SVID §3, X6).
 */
export async function signAuthority(wanted: NewAuthority, parent: Parent | SigningKey): Promise<AuthorityCertificate> {
  const { profile, trustDomain, now } = wanted;
  const keyId = keyIdOf(wanted.key.spki);
  const subject = authorityName(profile.sort, keyId);
  const above =
    "certificate" in parent ? parent : { certificate: { keyId: keyId.toString("hex"), subject }, key: parent };
  const window = authorityWindow(profile, now, "certificate" in parent ? parent.certificate.window : undefined);
  const { identifier } = above.key.algorithm;
  const tbs = sequence(
    explicit(0, Buffer.from([2, 1, 2])),
    integer(wanted.serial),
    identifier,
    above.certificate.subject,
    sequence(time(window.notBefore), time(window.notAfter)),
    subject,
    wanted.key.spki,
    extensionsField(
      keyUsage(profile.keyUsage),
      basicConstraints(profile.pathLength),
      subjectKeyIdentifier(keyId),
      authorityKeyIdentifier(Buffer.from(above.certificate.keyId, "hex")),
      subjectAltName(`spiffe://${trustDomain}`, [], false),
      ...(profile.constrained ? [nameConstraints(trustDomain)] : []),
    ),
  );
  const der = certificateOf(tbs, identifier, await above.key.sign(tbs));
  return { der, sort: profile.sort, keyId: keyId.toString("hex"), subject, trustDomain, window };
}

const TITLES = { root: "root", issuing: "issuing" } as const;

/** Subject of an authority: its own by its key identifier. */
export function authorityName(sort: AuthorityProfile["sort"], keyId: Buffer): Buffer {
  const common = `Signet ${TITLES[sort]} authority ${keyId.subarray(0, 8).toString("hex")}`;
  return distinguishedName(["organization", "Signet"], ["commonName", common]);
}

/** Never beyond its parent. Whole seconds. */
function authorityWindow(profile: AuthorityProfile, now: Instant, above: Window | undefined): Window {
  const whole = (at: Instant): Instant => Math.floor(at / 1000) * 1000;
  const notBefore = whole(Math.max(now - profile.backdateSeconds * 1000, above?.notBefore ?? 0));
  const notAfter = whole(Math.min(now + profile.lifetimeSeconds * 1000, above?.notAfter ?? Number.MAX_SAFE_INTEGER));
  return { notBefore, notAfter };
}
