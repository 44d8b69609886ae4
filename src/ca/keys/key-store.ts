import { createPrivateKey } from "node:crypto";
import type { AuthorityKeyType } from "../../domain/certificate.ts";
import { generateKey, memoryKey, type SigningKey } from "./signing-key.ts";

/** A new key, and what the vault keeps of it: the key itself, or where it lies. */
export type MadeKey = { readonly kept: string; readonly key: SigningKey };

/** Where the private keys of authorities are made and used. */
export type KeyStore = {
  readonly make: (keyType: AuthorityKeyType) => Promise<MadeKey>;
  /** A key by what the vault keeps of it; `spki` is its public half in DER. It need not be there yet: signing says so. */
  readonly open: (kept: string, spki: Buffer) => SigningKey;
  /** Destroys a key that signs no more, where it lies elsewhere than in the vault. */
  readonly forget: (kept: string) => Promise<void>;
};

/** A key that lies elsewhere cannot be used now; the message says why, and holds no secret. */
export class KeyUnavailable extends Error {}

/** Keys in the vault itself, as PKCS#8 in PEM. */
export const VAULT_KEYS: KeyStore = {
  make: (keyType) => {
    const key = generateKey(keyType);
    return Promise.resolve({ kept: key.export({ type: "pkcs8", format: "pem" }).toString(), key: memoryKey(key) });
  },
  open: (kept) => {
    if (!kept.startsWith("-----BEGIN"))
      throw new Error("the authority's key lies elsewhere, and nothing is configured to open it");
    return memoryKey(createPrivateKey(kept));
  },
  forget: () => Promise.resolve(),
};
