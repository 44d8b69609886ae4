import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from "node:crypto";

/** scrypt's costs (RFC 7914 §2): 64 MiB and about 0.2 s for each guess. */
const COST = { N: 65_536, r: 8, p: 1 } as const;
const MEMORY = 256 * COST.N * COST.r;
const PURPOSE = Buffer.from("signet.dev/authorities/v1");

type Sealed = {
  readonly seal: "scrypt-aes256gcm-1";
  readonly salt: string;
  readonly nonce: string;
  readonly data: string;
};

/** A secret that seals and opens, derived once: from a passphrase, or from the contents of a key file. */
export type Sealing = { readonly secret: string };

const keyOf = ({ secret }: Sealing, salt: Buffer): Buffer => scryptSync(secret, salt, 32, { ...COST, maxmem: MEMORY });

/** Seals a text with AES-256-GCM under a key that scrypt derives; salt and nonce are new each time. */
export function seal(text: string, sealing: Sealing): string {
  const [salt, nonce] = [randomBytes(16), randomBytes(12)];
  const cipher = createCipheriv("aes-256-gcm", keyOf(sealing, salt), nonce).setAAD(PURPOSE);
  const data = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  const base64 = (bytes: Buffer): string => bytes.toString("base64");
  const sealed: Sealed = {
    seal: "scrypt-aes256gcm-1",
    salt: base64(salt),
    nonce: base64(nonce),
    data: base64(data),
  };
  return `${JSON.stringify(sealed)}\n`;
}

const TAG_BYTES = 16;

/** Opens what was sealed; undefined for another secret, and for whatever was changed or cut since. */
export function unseal(sealed: string, sealing: Sealing): string | undefined {
  try {
    const { seal: form, salt, nonce, data } = JSON.parse(sealed) as Partial<Record<keyof Sealed, unknown>>;
    if (form !== "scrypt-aes256gcm-1") return undefined;
    const [saltBytes, nonceBytes, bytes] = [salt, nonce, data].map((each) => Buffer.from(String(each), "base64"));
    if (!saltBytes || !nonceBytes || !bytes) return undefined;
    const opener = createDecipheriv("aes-256-gcm", keyOf(sealing, saltBytes), nonceBytes).setAAD(PURPOSE);
    opener.setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([opener.update(bytes.subarray(0, -TAG_BYTES)), opener.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}
