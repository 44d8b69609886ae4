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
  /**
   * Drops all that are there, when `record` has their names, and makes one that signs at once; for the one that writes. Where
   * nothing came of it, `record` hears of that too.
   */
  readonly condemn: (record: RecordCondemned) => Promise<Result<undefined>>;
};

/** Resolves when it is in the ledger which keys go, or that nothing came of it. */
type RecordCondemned = (kids: readonly string[], came?: { readonly lost: true }) => Promise<void>;

/** The wall clock, and one that never jumps; milliseconds. */
type Clocks = { readonly now: () => number; readonly monotonic: () => number };

/** As for authorities: who has not read for so long may have missed that a key was stolen. */
const STALE_MS = 5 * 60_000;

/** Opens nothing before the first `refresh`. */
export function makeTokenKeys(vault: Vault, { now, monotonic }: Clocks): TokenKeys {
  const { read, kept, isStale } = makeReader(vault, monotonic);
  return {
    current: () => (isStale() ? [] : kept().keys),
    refresh: async () => void (await read()),
    advance: async () => {
      const version = await read();
      const { keys } = kept();
      const next = await advanceTokenKeys(keys, now());
      if (next === keys) return;
      await vault.write(renderTokenKeys(next), version);
      await read();
    },
    condemn: async (record) => {
      const version = await read();
      const { keys } = kept();
      const kids = keys.map(({ kid }) => kid);
      await record(kids);
      const text = renderTokenKeys(await condemnTokenKeys(keys, now()));
      const written = await vault.write(text, version).catch(async (fault: unknown) => {
        // It may have been written all the same: what is kept says so.
        await read();
        if (kept().text === text) return true;
        await record(kids, { lost: true });
        throw fault;
      });
      if (!written) await record(kids, { lost: true });
      await read();
      return written ? ok(undefined) : refuse("API_CONFLICT", "", "Somebody else changed the keys.", "Try again.");
    },
  };
}

type KeptKeys = { readonly text: string | undefined; readonly keys: TokenKeySet };

/** Reads a vault; what was read before stays where it cannot be read. `read` gives what a change must name. */
function makeReader(vault: Vault, monotonic: Clocks["monotonic"]) {
  let known: KeptKeys = { text: undefined, keys: [] };
  let readAt = Number.NEGATIVE_INFINITY;
  let [lastAsked, newestTaken] = [0, 0];
  const read = async (): Promise<string> => {
    const asked = monotonic();
    const turn = ++lastAsked;
    const { text, version } = await vault.read();
    // What was asked for before the newest that is known may hold a key that was dropped since.
    if (turn < newestTaken) return version;
    if (text !== undefined && text !== known.text) {
      const parsed = readTokenKeys(text);
      if (!parsed.ok) throw new Error(parsed.problems.map(problemLine).join("; "));
      known = { text, keys: parsed.value };
    }
    newestTaken = turn;
    readAt = asked;
    return version;
  };
  return { read, kept: () => known, isStale: () => monotonic() - readAt > STALE_MS };
}
