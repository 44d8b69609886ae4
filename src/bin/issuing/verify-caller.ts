import type { IssueParts } from "../../ca/issue.ts";
import { type TrustAnchors, type VerifiedSvid, verifySvid } from "../../ca/verify-svid.ts";
import { holdsAt } from "../../domain/certificate.ts";
import type { Instant } from "../../domain/instant.ts";
import { ok, refuse, type Result } from "../../domain/problem.ts";

/** Whom to believe. Neither value is ever changed: where anything is another, another value is given. */
export type Trust = {
  /** Our roots; undefined while it is not known whom to believe. */
  readonly anchors: () => TrustAnchors | undefined;
  /** What goes with leaves of our authorities, DER: a caller's connection shows only its leaf. */
  readonly chains: () => Chains;
};

type Chains = readonly (readonly Buffer[])[];

/** Whose SVID a chain (DER, leaf first) is. Refuses as `verifySvid` does, and with AUTHORITY_UNAVAILABLE. */
export type Verify = (chain: readonly Buffer[]) => Promise<Result<VerifiedSvid>>;

/** An SVID, and by what it was believed. */
type Believed = { readonly svid: VerifiedSvid; readonly anchors: TrustAnchors; readonly above: Chains };

/**
 * Verifies what connections show. A chain that was believed is believed again without another look at its signatures, while
 * the very same roots and authorities stand and all certificates hold by which it was believed. Whatever else may end its
 * holder's rights is not remembered here.
 */
export function makeVerify({ anchors, chains, walk }: Trust & { readonly walk: Pick<IssueParts, "now"> }): Verify {
  const believed = new WeakMap<readonly Buffer[], Believed>();
  return async (chain) => {
    const [roots, above, now] = [anchors(), chains(), walk.now()];
    if (!roots) return refuse("AUTHORITY_UNAVAILABLE", "", UNKNOWN, "Ask again in a while.");
    const before = believed.get(chain);
    if (before?.anchors === roots && before.above === above && holdsAt(before.svid.window, now)) return ok(before.svid);
    const verified = await verifyBelow(above, chain, { anchors: roots, now });
    if (verified.ok) believed.set(chain, { svid: verified.value, anchors: roots, above });
    return verified;
  };
}

const UNKNOWN = "By which authorities certificates are believed is not known here at present.";

type Terms = { readonly anchors: TrustAnchors; readonly now: Instant };

/** As the chain is shown; and since a connection may show its leaf alone, below the authorities that we know. */
async function verifyBelow(known: Chains, chain: readonly Buffer[], { anchors, now }: Terms) {
  let last = await verifySvid(chain, anchors, now);
  for (const above of known) {
    if (last.ok || last.problems[0]?.code === "AUTHORITY_COMPROMISED") break;
    last = await verifySvid([...chain.slice(0, 1), ...above], anchors, now);
  }
  return last;
}
