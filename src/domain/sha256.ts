import { createHash } from "node:crypto";

/** SHA-256 (FIPS 180-4) of a text's UTF-8 bytes, in base64. */
export const sha256Base64 = (text: string): string => createHash("sha256").update(text).digest("base64");
