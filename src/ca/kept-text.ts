import { makePrivateFolder, readIfThere, writeWhole } from "./key-files.ts";
import { dirname } from "node:path";

/** A text that is kept somewhere, with keys in it; `version` is what a change must name. */
export type Kept = { readonly text: string | undefined; readonly version: unknown };

/** One place where a text is kept. */
export type KeptText = {
  readonly read: () => Promise<Kept>;
  /** Writes where nobody wrote since; false where somebody did. */
  readonly write: (kept: Kept, text: string) => Promise<boolean>;
};

/** A file that only its owner reads, and only this process writes: the state folder is locked by its ledger. */
export const keptFile = (path: string): KeptText => ({
  read: () => Promise.resolve({ text: readIfThere(path), version: undefined }),
  write: (_kept, text) => {
    makePrivateFolder(dirname(path));
    writeWhole(path, text, 0o600);
    return Promise.resolve(true);
  },
});
