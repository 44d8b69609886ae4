import "reflect-metadata";
import { hash } from "node:crypto";
import { isIP } from "node:net";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import type { Instant } from "../domain/instant.ts";

/** A certificate and its private key (PKCS#8), both PEM. */
export type Signed = { readonly certificate: string; readonly key: string };

/** When a certificate holds. */
export type Window = { readonly notBefore: Instant; readonly notAfter: Instant };

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const AUTHORITY_MS = 10 * 365 * 24 * 3_600_000;
const BACKDATE_MS = 5 * 60_000;

const makeKeys = (): Promise<CryptoKeyPair> => crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);

const exportKey = async (key: CryptoKey): Promise<string> =>
  PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");

/** RFC 5280 §4.1.2.2: positive, at most 20 octets, and not to be guessed. */
function serialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString("hex");
}

/**
 * A new authority for serving certificates: P-256, ten years unless said otherwise, path length 0. Subject and key identifier are its own, since
 * verifiers that look an issuer up by name try every one of that name.
 */
export async function makeAuthority(now: Instant, lifetimeMs = AUTHORITY_MS): Promise<Signed & Window> {
  const keys = await makeKeys();
  const identifier = await SubjectKeyIdentifierExtension.create(keys.publicKey);
  const window = { notBefore: now - BACKDATE_MS, notAfter: now + lifetimeMs };
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=Signet serving authority ${identifier.keyId.slice(0, 8)}, O=Signet`,
    notBefore: new Date(window.notBefore),
    notAfter: new Date(window.notAfter),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      identifier,
    ],
  });
  return { certificate: certificate.toString("pem"), key: await exportKey(keys.privateKey), ...window };
}

/** The fingerprint by which an authority is named: SHA-256 of its PEM text, its first 16 hexadecimal digits. */
export const fingerprint = (certificate: string): string => hash("sha256", certificate.trim()).slice(0, 16);

/** A serving certificate for host names and addresses, with a key of its own. */
export async function signLeaf(authority: Signed, names: readonly string[], window: Window): Promise<Signed> {
  const issuer = new X509Certificate(authority.certificate);
  const keys = await makeKeys();
  const signingKey = await crypto.subtle.importKey(
    "pkcs8",
    PemConverter.decode(authority.key)[0] ?? new ArrayBuffer(0),
    ALGORITHM,
    false,
    ["sign"],
  );
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: "CN=signet",
    issuer: issuer.subject,
    notBefore: new Date(window.notBefore),
    notAfter: new Date(window.notAfter),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names.map(generalName)),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return { certificate: certificate.toString("pem"), key: await exportKey(keys.privateKey) };
}

/** Whether what the authority signs is verified by its own certificate: false where key and certificate do not belong together. */
export async function signsTruly(authority: Signed, now: Instant): Promise<boolean> {
  const window = { notBefore: now - BACKDATE_MS, notAfter: now + BACKDATE_MS };
  try {
    const leaf = new X509Certificate((await signLeaf(authority, ["localhost"], window)).certificate);
    return await leaf.verify({ publicKey: new X509Certificate(authority.certificate).publicKey, date: new Date(now) });
  } catch {
    return false;
  }
}

const generalName = (name: string): JsonGeneralName =>
  isIP(name) === 0 ? { type: "dns", value: name } : { type: "ip", value: name };
