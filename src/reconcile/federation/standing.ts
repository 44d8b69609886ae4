import type { Instant } from "../../domain/instant.ts";

/** One authority of another trust domain; `fingerprint` is the SHA-256 of its certificate, in hexadecimal. */
export type ForeignRoot = { readonly pem: string; readonly fingerprint: string; readonly notAfter: Instant };

/** The last good bundle of a domain, by which approved generation it was fetched, and when. */
export type HeldBundle = {
  readonly roots: readonly ForeignRoot[];
  readonly sequence?: number;
  readonly refreshSeconds: number;
  /** Absent where it was found published and nothing says by which. */
  readonly generation?: number;
  readonly fetchedAt: Instant;
};

/** What keeps a bundle from being fetched or published, in the words of the condition. */
export const FAILURES = ["Unavailable", "Refused", "Older", "BootstrapRefused", "NotPublished"] as const;

/** Why there is no newer bundle: one CamelCase word, and a sentence. */
export type Failure = { readonly reason: (typeof FAILURES)[number]; readonly message: string };

/** What one look at an endpoint came to. */
export type Look =
  | {
      readonly got: "bundle";
      readonly roots: readonly ForeignRoot[];
      readonly sequence?: number;
      /** Seconds. */
      readonly refreshHint?: number;
    }
  | { readonly got: "nothing"; readonly failure: Failure };

/** Where a domain stands; before the first look there is neither a failure nor, in a new cluster, a bundle. */
export type Standing = {
  readonly held?: HeldBundle;
  /** Of the last look; absent where it brought a bundle. */
  readonly failure?: Failure;
  /** Looks without a bundle in a row. */
  readonly failures: number;
  /** As the term before left it: no look has ended yet. */
  readonly left?: true;
};

/** Seconds: what a bundle without a hint gets (SPIFFE Federation §4.1), and what no hint goes below or above. */
const REFRESH = { usual: 300, least: 10, most: 3600 } as const;

/** How often a bundle with this hint is fetched. */
export const refreshSeconds = (hint: number = REFRESH.usual): number =>
  Math.min(REFRESH.most, Math.max(REFRESH.least, hint));

/**
 * Takes a look into account. A sequence number never goes back while one approved generation says where to fetch (SPIFFE Trust
 * Domain and Bundle §4.1.1); whoever approves another begins anew. Without a good bundle the last one stays.
 */
export function afterLook(before: Standing, look: Look, generation: number, now: Instant): Standing {
  const failure = look.got === "nothing" ? look.failure : older(before.held, look, generation);
  if (look.got === "nothing" || failure)
    return {
      ...(before.held ? { held: before.held } : {}),
      ...(failure ? { failure } : {}),
      failures: before.failures + 1,
    };
  const { roots, sequence, refreshHint } = look;
  const held = { roots, refreshSeconds: refreshSeconds(refreshHint), generation, fetchedAt: now };
  return { held: { ...held, ...(sequence === undefined ? {} : { sequence }) }, failures: 0 };
}

type Brought = Extract<Look, { readonly got: "bundle" }>;

function older(held: HeldBundle | undefined, { sequence }: Brought, generation: number): Failure | undefined {
  if (held?.generation !== generation || held.sequence === undefined || sequence === undefined) return undefined;
  if (sequence >= held.sequence) return undefined;
  const message = `The endpoint gave sequence number ${sequence} after ${held.sequence}: an older bundle, or one of another server.`;
  return { reason: "Older", message };
}

const RETRY_MS = 10_000;

/**
 * Milliseconds until the next look; `random` is from 0 to 1. As often as the bundle asks for, a little earlier so that many
 * do not come together; after a failure first in ten seconds, then at twice the distance each time, never more often than asked.
 */
export function nextLookMs({ held, failures }: Standing, random: number): number {
  const usual = (held?.refreshSeconds ?? REFRESH.usual) * 1000;
  const apart = failures === 0 ? usual : Math.min(usual, RETRY_MS * 2 ** Math.min(failures - 1, 16));
  return apart * (0.8 + 0.2 * random);
}

/** The roots to be published: those of the last good bundle that have not ended. */
export const livingRoots = (held: HeldBundle | undefined, now: Instant): readonly ForeignRoot[] =>
  (held?.roots ?? []).filter(({ notAfter }) => now <= notAfter);

/** New roots are published three to five times the refresh hint before they are used (SPIFFE Federation §4.1). */
const STALE_AFTER = 3;

/** Whether the last good bundle may lack roots that are in use by now. */
export const isStale = ({ fetchedAt, refreshSeconds: every }: HeldBundle, now: Instant): boolean =>
  now - fetchedAt > STALE_AFTER * every * 1000;
