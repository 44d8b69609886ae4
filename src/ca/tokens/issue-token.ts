import type { Catalogue } from "../../domain/catalogue.ts";
import type { Instant } from "../../domain/instant.ts";
import { ok, type Problem, problem, refuse, refuseAll, type Result } from "../../domain/problem.ts";
import { deriveEntitlement } from "../../identity/entitlement.ts";
import type { Bearer } from "../../identity/fit-role.ts";
import { restrictedProblem, restrictionOn, type Whereabouts } from "../../identity/restricted.ts";
import { AUDIENCES, type TokenContents, TokenPlan, type TokenWish } from "../../identity/token-plan.ts";
import type { TokenRecord } from "../../wire/token-record.ts";
import { mintToken, type SigningKey } from "./mint.ts";

/** A request for a JWT-SVID by somebody whom the door has authenticated. */
export type TokenRequest = {
  readonly door: string;
  readonly caller: string;
  /** For the ledger: `Pod shop/cart-1`. */
  readonly subject: string;
  readonly bearer: Bearer;
  readonly whereabouts: Whereabouts;
  readonly wish: TokenWish;
};

/** What the walk is handed in. `record` resolves when the record is durable; `key` is absent while there is none. */
export type TokenParts = {
  readonly catalogue: () => Catalogue;
  readonly key: () => SigningKey | undefined;
  /** The issuer's URL, where one is configured. */
  readonly issuer: string | undefined;
  readonly record: (record: TokenRecord) => Promise<void>;
  readonly now: () => Instant;
  /** A name that does not come twice. */
  readonly newId: () => string;
};

/** A token that may leave: it is in the ledger. */
export type IssuedToken = { readonly token: string; readonly contents: TokenContents };

/** One token's walk: identity from the catalogue, restrictions, plan, signature, ledger. Refusals are in the ledger too. */
export async function issueToken(request: TokenRequest, parts: TokenParts): Promise<Result<IssuedToken>> {
  const { door, caller, subject, wish } = request;
  const asked = { at: parts.now(), door, caller, subject, audiences: toKeep(wish.audiences) };
  const made = make(request, parts, asked.at);
  const line: TokenRecord = made.ok
    ? { ...asked, outcome: "issued", ...grantOf(made.value) }
    : { ...asked, outcome: "refused", ...reasonOf(made.problems) };
  try {
    await parts.record(line);
  } catch {
    return refuse("LEDGER_UNAVAILABLE", "", "The ledger cannot be written, so no token is issued.", "Ask again later.");
  }
  return made;
}

/** What was asked for is not checked yet, and stays in the ledger: no more of it than a token could name. */
const toKeep = (audiences: readonly string[]): readonly string[] =>
  audiences.slice(0, AUDIENCES.most).map((each) => each.slice(0, AUDIENCES.longest));

function make(request: TokenRequest, parts: TokenParts, now: Instant): Result<IssuedToken & { readonly kid: string }> {
  const catalogue = parts.catalogue();
  const entitled = deriveEntitlement(catalogue, request.bearer);
  if (!entitled.ok) return entitled;
  const { spiffeId, role, segment, maxTtlSeconds } = entitled.value;
  const holder = { identity: { spiffeId, role: role.name, segment: segment.name }, ...request.whereabouts };
  const restriction = restrictionOn(catalogue.definitions.restrictions, holder);
  if (restriction) return refuseAll([restrictedProblem(restriction)]);
  const key = parts.key();
  if (!key) return refuse("AUTHORITY_UNAVAILABLE", "", "There is no key for tokens yet.", "Ask again in a while.");
  const issuer = parts.issuer === undefined ? {} : { issuer: parts.issuer };
  const plan = TokenPlan.for({ spiffeId, now, id: parts.newId(), maxTtlSeconds, ...issuer }, request.wish);
  if (!plan.ok) return plan;
  return ok({ contents: plan.value.contents, kid: key.kid, token: mintToken(plan.value, key) });
}

const grantOf = ({ contents, kid }: IssuedToken & { readonly kid: string }) => ({
  id: contents.id,
  spiffeId: contents.spiffeId,
  expiresAt: contents.expiresAt * 1000,
  kid,
});

function reasonOf(problems: readonly Problem[]) {
  const { code, message } = problems[0] ?? problem("INTERNAL", "", "Signet failed.");
  return { code, message };
}
