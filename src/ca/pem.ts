/** A value in DER as a PEM block: 64 letters a line (RFC 7468 §2). */
export function toPem(label: string, der: Uint8Array): string {
  const text = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("base64");
  let lines = text.slice(0, LINE);
  for (let at = LINE; at < text.length; at += LINE) lines += `\n${text.slice(at, at + LINE)}`;
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

const LINE = 64;

/** Certificates as PEM blocks one after the other. */
export const certificatesPem = (certificates: readonly Uint8Array[]): string =>
  certificates.map((der) => toPem("CERTIFICATE", der)).join("");

const CERTIFICATE = /-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----/g;
const LIST = /-----BEGIN X509 CRL-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END X509 CRL-----/g;

/** The certificates of a PEM text in their order, DER; what stands between them is not looked at. Undefined where a block is not base64 to the letter. */
export const certificatesIn = (pem: string): readonly Buffer[] | undefined => blocksIn(pem, CERTIFICATE);

/** The revocation lists of a PEM text, in the same way. */
export const listsIn = (pem: string): readonly Buffer[] | undefined => blocksIn(pem, LIST);

function blocksIn(pem: string, block: RegExp): readonly Buffer[] | undefined {
  const bodies = [...pem.matchAll(block)].map(([, body = ""]) => body.replace(/[\r\n]/g, ""));
  const ders = bodies.map((body) => Buffer.from(body, "base64"));
  return ders.every((der, index) => der.toString("base64") === bodies[index]) ? ders : undefined;
}
