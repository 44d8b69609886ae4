import type { Authorities } from "../../ca/authority-keeper.ts";
import { advanceTokenKeys, readTokenKeys, renderTokenKeys, type TokenKeySet } from "../../ca/tokens/key-set.ts";
import type { Vault } from "../../ca/vault.ts";
import { problemLine } from "../../domain/problem.ts";

/** The keys that issuing works by: authorities, and the shared keys for tokens, as this process last read them. */
export type Keys = {
  readonly authorities: () => Authorities | undefined;
  readonly tokens: () => TokenKeySet;
};

/** Keys for tokens in a vault. */
export type TokenKeys = {
  readonly current: () => TokenKeySet;
  /** Reads what others may have written. Rejects where it cannot be read; what was read before stays. */
  readonly refresh: () => Promise<void>;
  /** Makes and turns what is due; for the one process that writes. */
  readonly advance: () => Promise<void>;
};

/** Opens nothing before the first `refresh`. */
export function makeTokenKeys(vault: Vault, now: () => number): TokenKeys {
  let known: { readonly text: string; readonly keys: TokenKeySet } | undefined;
  const read = async (): Promise<string> => {
    const { text, version } = await vault.read();
    if (text !== undefined && text !== known?.text) {
      const parsed = readTokenKeys(text);
      if (!parsed.ok) throw new Error(parsed.problems.map(problemLine).join("; "));
      known = { text, keys: parsed.value };
    }
    return version;
  };
  return {
    current: () => known?.keys ?? [],
    refresh: async () => void (await read()),
    advance: async () => {
      const version = await read();
      const kept = known?.keys ?? [];
      const next = await advanceTokenKeys(kept, now());
      if (next === kept) return;
      await vault.write(renderTokenKeys(next), version);
      await read();
    },
  };
}
