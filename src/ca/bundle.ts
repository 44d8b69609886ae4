import { X509Certificate } from "node:crypto";
import type { AuthorityCertificate } from "./authority.ts";
import { certificatesPem } from "./pem.ts";

/** The public keys of a trust domain: its roots, and a number that grows with each change. */
export type Bundle = {
  readonly trustDomain: string;
  readonly roots: readonly AuthorityCertificate[];
  readonly sequence: number;
};

/** All roots, PEM. */
export const bundlePem = ({ roots }: Bundle): string => certificatesPem(roots.map(({ der }) => der));

/** One key of a SPIFFE bundle, as a JWK (RFC 7517). */
export type BundleKey = Readonly<Record<string, unknown>>;

/**
 * The roots as JWKs for a SPIFFE bundle: use `x509-svid`, no `kid`, exactly one certificate in `x5c` (X509-SVID §6.1).
 */
export const x509BundleKeys = ({ roots }: Bundle): readonly BundleKey[] =>
  roots.map(({ der }) => ({
    ...new X509Certificate(der).publicKey.export({ format: "jwk" }),
    use: "x509-svid",
    x5c: [der.toString("base64")],
  }));
