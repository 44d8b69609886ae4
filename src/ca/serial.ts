/**
 * A serial number of 16 octets in lower-case hexadecimal: positive, without leading zero octets, 126 bits of it not to be
 * guessed (RFC 5280 §4.1.2.2).
 */
export function serialNumber(random: (bytes: number) => Uint8Array): string {
  const bytes = Buffer.from(random(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}
