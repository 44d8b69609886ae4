import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { Issuer } from "../../src/ca/issuer.ts";
import { algorithmOf } from "../../src/ca/der/algorithms.ts";
import { certificateOf } from "../../src/ca/der/leaf.ts";
import { OID } from "../../src/ca/der/oids.ts";
import { explicit, sequence, tagged, TAG, utf8 } from "../../src/ca/der/write.ts";
import type { IssueParts, IssueRequest } from "../../src/ca/issue.ts";
import { generateKey, memoryKey } from "../../src/ca/keys/signing-key.ts";
import { verifyInPool } from "../../src/ca/keys/verify-signature.ts";
import { type AuthorityPair, makeAuthorityPair } from "../../src/ca/new-authority.ts";
import { loadProfiles } from "../../src/ca/profiles.ts";
import type { Catalogue } from "../../src/domain/catalogue.ts";
import type { Profiles } from "../../src/domain/certificate.ts";
import type { KeyType } from "../../src/domain/definitions.ts";
import type { IssuanceRecord } from "../../src/wire/issuance-record.ts";
import { catalogueOf, must, NOON } from "./judging.ts";

/** The profiles that the package brings. */
export const PROFILES: Profiles = must(loadProfiles("certs"));

/** Two segments, one of them classified, with a role each. */
export const SHOP_CATALOGUE = `
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: payments}, spec: {classification: pci, namespaces: [pay], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [web], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: orders-db}, spec: {segment: payments, match: {serviceAccounts: [orders-db]}, identity: {subject: account}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: cart}, spec: {segment: shop, match: {serviceAccounts: [cart]}, identity: {dnsNames: [cart.web.svc]}}}
`;

const KEYS: Readonly<Record<KeyType, () => KeyObject>> = {
  ECDSAP256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  ECDSAP384: () => generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey,
  ECDSAP521: () => generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey,
  RSA3072: () => generateKeyPairSync("rsa", { modulusLength: 3072 }).privateKey,
  RSA4096: () => generateKeyPairSync("rsa", { modulusLength: 4096 }).privateKey,
  ED25519: () => generateKeyPairSync("ed25519").privateKey,
};

/** A new private key of a leaf. */
export const leafKey = (keyType: KeyType = "ECDSAP256"): KeyObject => KEYS[keyType]();

/** SubjectPublicKeyInfo of a private key, in DER. */
export const spkiOf = (key: KeyObject): Buffer =>
  Buffer.from(createPublicKey(key).export({ type: "spki", format: "der" }));

/** What a request may say beside its key. */
export type CsrParts = { readonly commonName?: string; readonly attributes?: Buffer; readonly signedBy?: KeyObject };

/** A PKCS#10 request in DER. */
export function csrOf(key: KeyObject, keyType: KeyType = "ECDSAP256", parts: CsrParts = {}): Buffer {
  const subject =
    parts.commonName === undefined
      ? sequence()
      : sequence(tagged(TAG.set, sequence(OID.commonName, utf8(parts.commonName))));
  const info = sequence(Buffer.from([2, 1, 0]), subject, spkiOf(key), parts.attributes ?? explicit(0));
  const { identifier, hash } = algorithmOf(keyType);
  return certificateOf(info, identifier, sign(hash, info, parts.signedBy ?? key));
}

/** An issuing authority below a root of its own. */
export async function testAuthority(
  profiles = PROFILES,
  trustDomain = "example.org",
  now = NOON,
): Promise<AuthorityPair & { readonly key: KeyObject; readonly issuer: Issuer }> {
  const key = generateKey(profiles.issuing.keyType);
  const pair = await makeAuthorityPair({ trustDomain, profiles, now, random: randomBytes }, memoryKey(key));
  return { ...pair, key, issuer: new Issuer(pair.issuing, memoryKey(key)) };
}

/** The walk's parts, with a ledger that a test can read. */
export function walkParts(issuer: Issuer | undefined, more: Partial<IssueParts> & { catalogue?: Catalogue } = {}) {
  const ledger: IssuanceRecord[] = [];
  const { catalogue = catalogueOf(SHOP_CATALOGUE), ...rest } = more;
  const parts: IssueParts = {
    lookup: () => ({ catalogue, issuer, profiles: PROFILES }),
    record: (record) => Promise.resolve(void ledger.push(record)),
    now: () => NOON,
    random: randomBytes,
    verify: verifyInPool,
    ...rest,
  };
  return { parts, ledger };
}

/** A request by a Pod of an account. */
export const podRequest = (
  csr: IssueRequest["csr"],
  namespace = "web",
  serviceAccount = "cart",
  more: Partial<IssueRequest> = {},
): IssueRequest => ({
  door: "rest",
  caller: `system:serviceaccount:${namespace}:${serviceAccount}`,
  subject: `Pod ${namespace}/p`,
  bearer: { kind: "Pod", namespace, serviceAccount, labels: {}, annotations: {}, metadataPath: "metadata" },
  whereabouts: { pod: { namespace, name: "p", uid: "u-1" }, node: { name: "n1" } },
  csr,
  ...more,
});
