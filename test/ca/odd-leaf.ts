import "reflect-metadata";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  type Extension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import type { KeyObject } from "node:crypto";
import type { AuthorityCertificate } from "../../src/ca/authority.ts";
import { keyIdOf } from "../../src/ca/der/extensions.ts";

export { Extension, KeyUsageFlags } from "@peculiar/x509";

/** What a certificate made by @peculiar/x509 says; every part can be set wrong. */
export type LeafParts = {
  readonly serial?: string;
  readonly subject?: string;
  readonly names?: readonly JsonGeneralName[];
  readonly criticalNames?: boolean;
  readonly usage?: KeyUsageFlags;
  readonly criticalUsage?: boolean;
  readonly authority?: boolean;
  readonly window: { readonly notBefore: number; readonly notAfter: number };
  readonly extra?: readonly Extension[];
};

const ALGORITHMS = {
  ec: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  rsa: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
} as const;

/** A leaf as an independent library makes it, in the order of extensions that Signet has. */
export async function peculiarLeaf(
  pair: { readonly key: KeyObject; readonly issuing: AuthorityCertificate },
  spki: Buffer,
  parts: LeafParts,
): Promise<Buffer> {
  const issuer = new X509Certificate(Uint8Array.from(pair.issuing.der));
  const algorithm = ALGORITHMS[pair.key.asymmetricKeyType === "rsa" ? "rsa" : "ec"];
  const pkcs8 = pair.key.export({ type: "pkcs8", format: "der" });
  const certificate = await X509CertificateGenerator.create({
    serialNumber: parts.serial ?? "4a4a",
    subject: parts.subject ?? "",
    issuer: issuer.subjectName,
    notBefore: new Date(parts.window.notBefore),
    notAfter: new Date(parts.window.notAfter),
    signingAlgorithm: algorithm,
    publicKey: new PublicKey(Uint8Array.from(spki)),
    signingKey: await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]),
    extensions: [
      new KeyUsagesExtension(parts.usage ?? KeyUsageFlags.digitalSignature, parts.criticalUsage ?? true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new BasicConstraintsExtension(parts.authority ?? false, undefined, true),
      new SubjectKeyIdentifierExtension(keyIdOf(spki).toString("hex")),
      new AuthorityKeyIdentifierExtension(pair.issuing.keyId),
      ...(parts.names?.length === 0
        ? []
        : [
            new SubjectAlternativeNameExtension(
              [...(parts.names ?? [{ type: "url", value: "spiffe://example.org/ns/web/sa/cart" }])],
              parts.criticalNames ?? true,
            ),
          ]),
      ...(parts.extra ?? []),
    ],
  });
  return Buffer.from(certificate.rawData);
}
