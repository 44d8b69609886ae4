import { randomBytes } from "node:crypto";
import { type OpenAuthority, readAuthority, renderAuthority } from "../../ca/kept-authority.ts";
import type { KeptText } from "../../ca/kept-text.ts";
import { makeAuthorityPair } from "../../ca/new-authority.ts";
import { advanceTokenKeys, readTokenKeys, renderTokenKeys, type TokenKeySet } from "../../ca/tokens/key-set.ts";
import type { Profiles } from "../../domain/certificate.ts";
import { problemLine, type Result } from "../../domain/problem.ts";

/** Where keys are kept, and by which profiles authorities are made. */
export type KeysMeans = {
  readonly authority: KeptText;
  readonly tokens: KeptText;
  readonly profiles: Profiles;
  readonly now: () => number;
};

/** The keys of a trust domain, as this process last read them. */
export type Keys = {
  readonly authority: () => OpenAuthority | undefined;
  readonly tokens: () => TokenKeySet;
  /** Reads what others may have written. Throws where it cannot be read; what was read before stays. */
  readonly refresh: () => Promise<void>;
  /** Makes what is missing and turns what is due; for the one process that writes. */
  readonly advance: (trustDomain: string) => Promise<void>;
};

/** Opens nothing before the first `refresh`. */
export function makeKeys(means: KeysMeans): Keys {
  const authority = watched(means.authority, readAuthority);
  const tokens = watched(means.tokens, readTokenKeys);
  const { now, profiles } = means;
  return {
    authority: authority.value,
    tokens: () => tokens.value() ?? [],
    refresh: async () => void (await Promise.all([authority.read(), tokens.read()])),
    advance: async (trustDomain) => {
      await authority.change(async (kept) => {
        if (kept) return undefined;
        return renderAuthority(await makeAuthorityPair({ trustDomain, profiles, now: now(), random: randomBytes }));
      });
      await tokens.change(async (kept = []) => {
        const next = await advanceTokenKeys(kept, now());
        return next === kept ? undefined : renderTokenKeys(next);
      });
    },
  };
}

/** A kept text that is parsed once for each form it has. */
function watched<T>(place: KeptText, parse: (text: string) => Result<T>) {
  let known: { readonly text: string; readonly value: T } | undefined;
  const read = async () => {
    const kept = await place.read();
    if (kept.text !== undefined && kept.text !== known?.text) {
      const parsed = parse(kept.text);
      if (!parsed.ok) throw new Error(parsed.problems.map(problemLine).join("; "));
      known = { text: kept.text, value: parsed.value };
    }
    return kept;
  };
  return {
    value: () => known?.value,
    read,
    change: async (next: (value: T | undefined) => Promise<string | undefined>): Promise<void> => {
      const kept = await read();
      const text = await next(known?.value);
      if (text !== undefined) await place.write(kept, text);
      if (text !== undefined) await read();
    },
  };
}
