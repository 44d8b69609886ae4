import { createPrivateKey } from "node:crypto";
import { refuse, type Result, ok } from "../domain/problem.ts";
import { isRaw, textAt } from "../wire/read-object.ts";
import { readStrictJson } from "../wire/strict-json.ts";
import type { AuthorityCertificate } from "./authority.ts";
import { keyIdOf } from "./der/extensions.ts";
import { Issuer } from "./issuer.ts";
import { memoryKey } from "./keys/signing-key.ts";
import type { AuthorityPair } from "./new-authority.ts";
import { readCertificate } from "./read-certificate.ts";

/** An issuing authority that can sign, and the root above it. */
export type OpenAuthority = { readonly issuer: Issuer; readonly root: AuthorityCertificate };

/** A pair as the text that is kept. It holds a private key. */
export const renderAuthority = ({ root, issuing, key }: AuthorityPair): string =>
  `${JSON.stringify({
    version: 1,
    trustDomain: root.trustDomain,
    root: root.der.toString("base64"),
    issuing: issuing.der.toString("base64"),
    key: key.export({ type: "pkcs8", format: "pem" }),
  })}\n`;

/** Reads the text that is kept. Refuses the whole where a part of it is not as `renderAuthority` writes it. */
export function readAuthority(text: string): Result<OpenAuthority> {
  const json = readStrictJson(text, "The kept authority");
  if (!json.ok) return json;
  const raw = isRaw(json.value) && json.value["version"] === 1 ? json.value : {};
  const [trustDomain, root, issuing, key] = ["trustDomain", "root", "issuing", "key"].map((name) => textAt(raw, name));
  if (trustDomain === undefined || root === undefined || issuing === undefined || key === undefined) return broken();
  try {
    const signingKey = memoryKey(createPrivateKey(key));
    const issuingCertificate = certificate(issuing, "issuing", trustDomain);
    if (keyIdOf(signingKey.spki).toString("hex") !== issuingCertificate.keyId) return broken();
    return ok({ issuer: new Issuer(issuingCertificate, signingKey), root: certificate(root, "root", trustDomain) });
  } catch {
    return broken();
  }
}

const broken = (): Result<never> =>
  refuse("FIELD_INVALID", "", "The kept authority cannot be read.", "Restore it from a backup.");

function certificate(base64: string, sort: AuthorityCertificate["sort"], trustDomain: string): AuthorityCertificate {
  const der = Buffer.from(base64, "base64");
  const { spki, subject, window } = readCertificate(der);
  return { der, sort, keyId: keyIdOf(spki.whole).toString("hex"), subject: subject.whole, trustDomain, window };
}
