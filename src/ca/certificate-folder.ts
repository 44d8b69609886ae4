import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServingCertificate } from "./serving.ts";

/**
 * A serving certificate that somebody else keeps, in the files that a Secret of type kubernetes.io/tls becomes when it is
 * mounted. Throws where a file is missing, or where key and certificate do not belong together, as between two renewals.
 */
export function certificateFromFolder(folder: string): ServingCertificate {
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  const [certificate, key, authority] = [read("tls.crt"), read("tls.key"), read("ca.crt")];
  const leaf = new X509Certificate(certificate);
  if (!leaf.checkPrivateKey(createPrivateKey(key)))
    throw new Error(`the key in ${folder} does not belong to its certificate`);
  const notAfter = Date.parse(leaf.validTo);
  return { certificate, key, authority, notAfter, renewAt: notAfter };
}
