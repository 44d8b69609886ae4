import "reflect-metadata";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** A certificate and its private key (PKCS#8), both PEM; P-256 throughout. */
export type KeyPair = { readonly cert: string; readonly key: string };

/** Who a certificate is for: `CN` is the user, each `O` a group (Kubernetes reads client certificates so). */
export type Subject = { readonly name: string; readonly groups?: readonly string[] };

/** An authority that issues certificates valid from an hour ago for ten years. */
export type Authority = {
  readonly cert: string;
  readonly key: string;
  readonly client: (subject: Subject) => Promise<KeyPair>;
  /** For a server (and, as kubelets need it, a client too); a host that reads as an address becomes an IP name. */
  readonly server: (subject: Subject, hosts: readonly string[], lasts?: Lasting) => Promise<KeyPair>;
};

/** How long a certificate holds: as all do, or until a minute ago. */
export type Lasting = "long" | "over";

const P256 = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNING = { name: "ECDSA", hash: "SHA-256" } as const;
const HOUR_MS = 3_600_000;

/** Makes a new authority with a key of its own. */
export async function makeAuthority(name: string): Promise<Authority> {
  const keys = await newKeys();
  const own = await X509CertificateGenerator.createSelfSigned({
    name: jsonName({ name }),
    keys,
    signingAlgorithm: SIGNING,
    ...validity(),
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature, true),
    ],
  });
  const issue = async (
    subject: Subject,
    usages: readonly ExtendedKeyUsage[],
    hosts: readonly string[],
    lasts: Lasting = "long",
  ) => {
    const leafKeys = await newKeys();
    const leaf = await X509CertificateGenerator.create({
      subject: jsonName(subject),
      issuer: own.subject,
      publicKey: leafKeys.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: SIGNING,
      ...validity(lasts),
      extensions: [
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([...usages]),
        ...(hosts.length === 0 ? [] : [new SubjectAlternativeNameExtension(hosts.map(generalName))]),
      ],
    });
    return { cert: `${leaf.toString("pem")}\n`, key: await privatePem(leafKeys.privateKey) };
  };
  return {
    cert: `${own.toString("pem")}\n`,
    key: await privatePem(keys.privateKey),
    client: (subject) => issue(subject, [ExtendedKeyUsage.clientAuth], []),
    server: (subject, hosts, lasts) =>
      issue(subject, [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth], hosts, lasts),
  };
}

/** A bare signing key for service account tokens (ES256): private as PKCS#8, public as SPKI, both PEM. */
export async function makeSigningKey(): Promise<{ readonly privateKey: string; readonly publicKey: string }> {
  const keys = await newKeys();
  const spki = await crypto.subtle.exportKey("spki", keys.publicKey);
  return { privateKey: await privatePem(keys.privateKey), publicKey: pem("PUBLIC KEY", spki) };
}

function newKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(P256, true, ["sign", "verify"]);
}

async function privatePem(key: CryptoKey): Promise<string> {
  return pem("PRIVATE KEY", await crypto.subtle.exportKey("pkcs8", key));
}

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function jsonName(subject: Subject): JsonName {
  return [...(subject.groups ?? []).map((group) => ({ O: [group] })), { CN: [subject.name] }];
}

function generalName(host: string): JsonGeneralName {
  return { type: /^[\d.]+$|:/.test(host) ? "ip" : "dns", value: host };
}

function validity(lasts: Lasting = "long"): { readonly notBefore: Date; readonly notAfter: Date } {
  const now = Date.now();
  const endsIn = lasts === "over" ? -60_000 : 10 * 365 * 24 * HOUR_MS;
  return { notBefore: new Date(now - HOUR_MS), notAfter: new Date(now + endsIn) };
}
