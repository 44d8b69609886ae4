import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scrypt } from "node:crypto";

/** scrypt's costs (RFC 7914 §2): 64 MiB and about 0.2 s for each guess. */
const COST = { N: 65_536, r: 8, p: 1 } as const;
const MEMORY = 256 * COST.N * COST.r;
const PURPOSE = Buffer.from("signet.dev/authorities/v1");
const TAG_BYTES = 16;

/**
 * A secret that seals and opens. A passphrase is stretched, for people choose what can be guessed; 256 random bits need
 * no stretching.
 */
export type Sealing = { readonly secret: string; readonly kind: "passphrase" | "random" };

type Sealed = { readonly seal: string; readonly salt: string; readonly nonce: string; readonly data: string };

const FORMS: Readonly<Record<Sealing["kind"], string>> = {
  passphrase: "scrypt-aes256gcm-1",
  random: "hkdf-aes256gcm-1",
};

const keyOf = ({ secret, kind }: Sealing, salt: Buffer): Promise<Buffer> =>
  kind === "random"
    ? Promise.resolve(Buffer.from(hkdfSync("sha256", secret, salt, PURPOSE, 32)))
    : new Promise((resolve, reject) => {
        scrypt(secret, salt, 32, { ...COST, maxmem: MEMORY }, (fault, key) => (fault ? reject(fault) : resolve(key)));
      });

/** Seals a text with AES-256-GCM; salt and nonce are new each time. */
export async function seal(text: string, sealing: Sealing): Promise<string> {
  const [salt, nonce] = [randomBytes(16), randomBytes(12)];
  const cipher = createCipheriv("aes-256-gcm", await keyOf(sealing, salt), nonce).setAAD(PURPOSE);
  const data = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  const base64 = (bytes: Buffer): string => bytes.toString("base64");
  const sealed: Sealed = {
    seal: FORMS[sealing.kind],
    salt: base64(salt),
    nonce: base64(nonce),
    data: base64(data),
  };
  return `${JSON.stringify(sealed)}\n`;
}

/** Opens what was sealed; undefined for another secret, and for whatever was changed or cut since. */
export async function unseal(sealed: string, sealing: Sealing): Promise<string | undefined> {
  try {
    const { seal: form, salt, nonce, data } = JSON.parse(sealed) as Partial<Record<keyof Sealed, unknown>>;
    if (form !== FORMS[sealing.kind]) return undefined;
    const [saltBytes, nonceBytes, bytes] = [salt, nonce, data].map((each) => Buffer.from(String(each), "base64"));
    if (!saltBytes || !nonceBytes || !bytes) return undefined;
    const opener = createDecipheriv("aes-256-gcm", await keyOf(sealing, saltBytes), nonceBytes).setAAD(PURPOSE);
    opener.setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([opener.update(bytes.subarray(0, -TAG_BYTES)), opener.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}
