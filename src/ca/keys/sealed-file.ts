import { hash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { makePrivateFolder, readIfThere, writeWhole } from "../key-files.ts";
import type { Kept, Vault } from "../vault.ts";
import { seal, type Sealing, unseal } from "./seal.ts";

const digest = (text: string | undefined): string => (text === undefined ? "" : hash("sha256", text));

/**
 * A vault that is one sealed file (mode 0600), for one process at a time: the state folder's lock keeps others out. A crash
 * leaves the old file or the new one, whole.
 */
export const sealedFile = (folder: string, sealing: Sealing): Vault => {
  const path = join(folder, "authorities.sealed");
  // Opening a passphrase's file costs a fifth of a second on purpose, and the file seldom changes.
  let known: Kept = { text: undefined, version: "" };
  return {
    read: async () => {
      const sealed = readIfThere(path);
      if (digest(sealed) === known.version) return known;
      const text = sealed === undefined ? undefined : await unseal(sealed, sealing);
      if (sealed !== undefined && text === undefined)
        throw new Error(`${path} cannot be opened: another passphrase or key file, or a damaged file`);
      known = { text, version: digest(sealed) };
      return known;
    },
    write: async (text, version) => {
      const sealed = await seal(text, sealing);
      if (digest(readIfThere(path)) !== version) return false;
      makePrivateFolder(folder);
      writeWhole(path, sealed, 0o600);
      known = { text, version: digest(sealed) };
      return true;
    },
  };
};

/**
 * The secret of a key file (mode 0600), made on first use with 256 random bits. Whoever has both files has the keys: the key
 * file is worth something only where it lies elsewhere than the sealed one, or where a passphrase replaces it.
 */
export function keyFileSealing(path: string): Sealing {
  const known = readIfThere(path);
  if (known !== undefined) return { secret: known.trim(), kind: "random" };
  const secret = randomBytes(32).toString("base64");
  writeWhole(path, `${secret}\n`, 0o600);
  return { secret, kind: "random" };
}
