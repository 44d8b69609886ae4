import { createHash } from "node:crypto";

/** SHA-256 (FIPS 180-4) of a text's UTF-8 bytes, in base64. */
export const sha256Base64 = (text: string): string => createHash("sha256").update(text).digest("base64");

/** SHA-256 of octets, in lower-case hexadecimal. */
export const sha256Hex = (octets: Uint8Array): string => createHash("sha256").update(octets).digest("hex");
