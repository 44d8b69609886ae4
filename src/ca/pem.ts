/** A value in DER as a PEM block: 64 letters a line (RFC 7468 §2). */
export function toPem(label: string, der: Uint8Array): string {
  const text = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("base64");
  return `-----BEGIN ${label}-----\n${text.replace(/.{64}(?=.)/g, "$&\n")}\n-----END ${label}-----\n`;
}

/** Certificates as PEM blocks one after the other. */
export const certificatesPem = (certificates: readonly Uint8Array[]): string =>
  certificates.map((der) => toPem("CERTIFICATE", der)).join("");
