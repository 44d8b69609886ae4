import type { Instant } from "../domain/instant.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import type { SpiffeId } from "../domain/spiffe-id.ts";

/** What a JWT-SVID is asked for; the lifetime in seconds. */
export type TokenWish = { readonly audiences: readonly string[]; readonly ttlSeconds?: number };

/** What the maker of a token knows besides: whose it is, the issuer's URL where there is one, when, and its own name. */
export type TokenGrounds = {
  readonly spiffeId: SpiffeId;
  readonly issuer?: string;
  readonly now: Instant;
  readonly id: string;
  /** The longest that a token of this role may live, in seconds. */
  readonly maxTtlSeconds: number;
};

/** Lifetime in seconds where none is asked for, and the longest of any token: it can't be called back where it is shown. */
export const TOKEN_TTL = { usual: 900, longest: 3600, shortest: 60 } as const;

/** How far a verifier's clock may be behind ours, in seconds; `iat` is set back by it, as a certificate's notBefore is. */
const SKEW_SECONDS = 300;

/** How many audiences a token names at most, and of how many characters each. */
export const AUDIENCES = { most: 4, longest: 255 } as const;
const AUDIENCE = new RegExp(`^[\\x21-\\x7e]{1,${AUDIENCES.longest}}$`);

/** Everything that a JWT-SVID will say. Times in whole seconds since 1970 (JWT-SVID §3, RFC 7519 §2). */
export type TokenContents = {
  readonly spiffeId: SpiffeId;
  readonly audiences: readonly string[];
  readonly issuer: string | undefined;
  readonly id: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
};

/**
 * The complete, checked claims of a JWT-SVID before it is signed; the only thing that is signed as a token, and at most once.
 * The constructor is private and the contents are a #private field: neither a literal nor a copy is a plan.
 */
export class TokenPlan {
  readonly #contents: TokenContents;
  #redeemed = false;

  private constructor(contents: TokenContents) {
    this.#contents = Object.freeze(contents);
  }

  /**
   * Plans a token. Refuses with FIELD_INVALID where no audience, too many or an unreadable one is asked for, or a lifetime
   * that is no positive number of seconds; a longer one than allowed is cut.
   */
  static for(grounds: TokenGrounds, wish: TokenWish): Result<TokenPlan> {
    const audiences = readAudiences(wish.audiences);
    if (!audiences.ok) return audiences;
    const asked = wish.ttlSeconds ?? TOKEN_TTL.usual;
    if (!Number.isInteger(asked) || asked < TOKEN_TTL.shortest) return badLifetime();
    const { spiffeId, issuer, id } = grounds;
    const now = Math.floor(grounds.now / 1000);
    const expiresAt = now + Math.min(asked, grounds.maxTtlSeconds, TOKEN_TTL.longest);
    const issuedAt = now - SKEW_SECONDS;
    return ok(new TokenPlan({ spiffeId, issuer, id, issuedAt, expiresAt, audiences: [...audiences.value] }));
  }

  /** What will be signed, to look at. */
  get contents(): TokenContents {
    return this.#contents;
  }

  /** Gives the contents to whoever signs them. A second call is a fault. */
  redeem(): TokenContents {
    if (this.#redeemed) throw new Error(`the plan of token ${this.#contents.id} was signed before`);
    this.#redeemed = true;
    return this.#contents;
  }
}

const badLifetime = (): Result<never> =>
  refuse(
    "FIELD_INVALID",
    "ttlSeconds",
    `A token lives whole seconds, at least ${TOKEN_TTL.shortest}.`,
    "Leave ttlSeconds out.",
  );

/** A verifier that finds itself among several audiences can show the token to the others: one is best (JWT-SVID §3.2). */
function readAudiences(asked: readonly string[]): Result<readonly string[]> {
  const distinct = new Set(asked).size === asked.length;
  if (asked.length === 0 || asked.length > AUDIENCES.most || !distinct)
    return refuse(
      "FIELD_INVALID",
      "audience",
      `A token is for one to ${AUDIENCES.most} different audiences; ${asked.length} were named.`,
      "Name the one service that the token will be shown to.",
    );
  const bad = asked.find((each) => !AUDIENCE.test(each));
  if (bad === undefined) return ok(asked);
  return refuse(
    "FIELD_INVALID",
    "audience",
    `"${bad.slice(0, 80)}" cannot be an audience.`,
    "Use 1 to 255 printable ASCII characters without spaces.",
  );
}
