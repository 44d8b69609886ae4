import type { Instant } from "../../domain/instant.ts";

/** Tags of the few ASN.1 types that certificates are made of (X.690 §8). */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

/** One value in DER: tag, definite length in its shortest form, contents. */
export function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const head = lengthOctets(length);
  const whole = Buffer.allocUnsafe(1 + head + length);
  whole[0] = tag;
  writeLength(whole, length, head);
  let at = 1 + head;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const lengthOctets = (length: number): number => {
  if (length < 0x80) return 1;
  if (length < 0x100) return 2;
  return length < 0x1_0000 ? 3 : 4;
};

function writeLength(into: Buffer, length: number, octets: number): void {
  if (octets === 1) into[1] = length;
  else {
    into[1] = 0x80 | (octets - 1);
    into.writeUIntBE(length, 2, octets - 1);
  }
}

/** SEQUENCE of these values. */
export const sequence = (...parts: readonly Uint8Array[]): Buffer => tagged(TAG.sequence, ...parts);

/** A context-specific, constructed tag around these values. */
export const explicit = (number: number, ...parts: readonly Uint8Array[]): Buffer => tagged(0xa0 | number, ...parts);

/** A context-specific, primitive tag with these contents. */
export const implicit = (number: number, contents: Uint8Array): Buffer => tagged(0x80 | number, contents);

/** An object identifier from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return tagged(TAG.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128))
    digits.unshift((left & 0x7f) | 0x80);
  return digits;
}

/** A positive INTEGER from hexadecimal. */
export function integer(hexadecimal: string): Buffer {
  const even = hexadecimal.length % 2 === 0 ? hexadecimal : `0${hexadecimal}`;
  const bytes = Buffer.from(even, "hex");
  return (bytes[0] ?? 0) >= 0x80 ? tagged(TAG.integer, ZERO, bytes) : tagged(TAG.integer, bytes);
}

const ZERO = Buffer.from([0]);

/** A BIT STRING of whole octets. */
export const bitString = (bytes: Uint8Array): Buffer => tagged(TAG.bitString, ZERO, bytes);

/** A BIT STRING of named bits, the trailing zeroes left out (X.690 §11.2.2). `bits` are positions from 0. */
export function namedBits(bits: readonly number[]): Buffer {
  const last = Math.max(...bits);
  const bytes = Buffer.alloc(1 + Math.floor(last / 8) + 1);
  bytes[0] = 7 - (last % 8);
  for (const bit of bits) {
    const at = 1 + Math.floor(bit / 8);
    bytes[at] = (bytes[at] ?? 0) | (0x80 >> (bit % 8));
  }
  return tagged(TAG.bitString, bytes);
}

/** OCTET STRING. */
export const octetString = (bytes: Uint8Array): Buffer => tagged(TAG.octetString, bytes);

/** UTF8String. */
export const utf8 = (text: string): Buffer => tagged(TAG.utf8String, Buffer.from(text, "utf8"));

/** BOOLEAN TRUE. */
export const TRUE: Buffer = tagged(TAG.boolean, Buffer.from([0xff]));

/** A moment: UTCTime to the end of 2049, GeneralizedTime after it (RFC 5280 §4.1.2.5). Whole seconds. */
export function time(at: Instant): Buffer {
  const iso = new Date(at).toISOString();
  const short = iso < "2050";
  const digits =
    iso.slice(short ? 2 : 0, 4) + iso.slice(5, 7) + iso.slice(8, 10) + iso.slice(11, 13) + iso.slice(14, 16);
  return tagged(short ? TAG.utcTime : TAG.generalizedTime, Buffer.from(`${digits}${iso.slice(17, 19)}Z`, "latin1"));
}
