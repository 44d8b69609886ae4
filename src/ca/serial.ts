import { lineOf } from "../identity/renewal.ts";

/**
 * A serial number of 16 octets in lower-case hexadecimal: positive, without leading zero octets, not to be guessed (RFC 5280
 * §4.1.2.2). The first half names a line of certificates; what is renewed by a certificate is of that one's line, and the
 * second half, 64 random bits, is always its own.
 */
export function serialNumber(random: (bytes: number) => Uint8Array, renews?: string): string {
  const bytes = Buffer.from(random(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  const line = renews === undefined ? undefined : lineOf(renews);
  return `${line ?? bytes.toString("hex", 0, 8)}${bytes.toString("hex", 8)}`;
}
