import type { Authorities } from "../../ca/authority-keeper.ts";
import {
  advanceTokenKeys,
  condemnTokenKeys,
  readTokenKeys,
  renderTokenKeys,
  type TokenKeySet,
} from "../../ca/tokens/key-set.ts";
import type { Vault } from "../../ca/vault.ts";
import { ok, problemLine, refuse, type Result } from "../../domain/problem.ts";

/** The keys that issuing works by: authorities, and the shared keys for tokens, as this process last read them. */
export type Keys = {
  readonly authorities: () => Authorities | undefined;
  readonly tokens: () => TokenKeySet;
};

/** Keys for tokens in a vault. */
export type TokenKeys = {
  /** None where they were not read for so long that others may have dropped them. */
  readonly current: () => TokenKeySet;
  /** Reads what others may have written. Rejects where it cannot be read; what was read before stays. */
  readonly refresh: () => Promise<void>;
  /** Makes and turns what is due; for the one process that writes. */
  readonly advance: () => Promise<void>;
  /** Drops all that are there, when `record` has their names, and makes one that signs at once; for the one that writes. */
  readonly condemn: (record: (kids: readonly string[]) => Promise<void>) => Promise<Result<undefined>>;
};

/** The wall clock, and one that never jumps; milliseconds. */
type Clocks = { readonly now: () => number; readonly monotonic: () => number };

/** As for authorities: who has not read for so long may have missed that a key was stolen. */
const STALE_MS = 5 * 60_000;

/** Opens nothing before the first `refresh`. */
export function makeTokenKeys(vault: Vault, { now, monotonic }: Clocks): TokenKeys {
  let known: { readonly text: string; readonly keys: TokenKeySet } | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  const read = async (): Promise<string> => {
    const asked = monotonic();
    const { text, version } = await vault.read();
    if (text !== undefined && text !== known?.text) {
      const parsed = readTokenKeys(text);
      if (!parsed.ok) throw new Error(parsed.problems.map(problemLine).join("; "));
      known = { text, keys: parsed.value };
    }
    readAt = asked;
    return version;
  };
  return {
    current: () => (monotonic() - readAt > STALE_MS ? [] : (known?.keys ?? [])),
    refresh: async () => void (await read()),
    advance: async () => {
      const version = await read();
      const kept = known?.keys ?? [];
      const next = await advanceTokenKeys(kept, now());
      if (next === kept) return;
      await vault.write(renderTokenKeys(next), version);
      await read();
    },
    condemn: async (record) => {
      const version = await read();
      const kept = known?.keys ?? [];
      await record(kept.map(({ kid }) => kid));
      const written = await vault.write(renderTokenKeys(await condemnTokenKeys(kept, now())), version);
      await read();
      return written ? ok(undefined) : refuse("API_CONFLICT", "", "Somebody else changed the keys.", "Try again.");
    },
  };
}
