import { issue, type IssueParts } from "../../ca/issue.ts";
import { certificatesPem } from "../../ca/pem.ts";
import { issueToken, type TokenParts } from "../../ca/tokens/issue-token.ts";
import { type TrustAnchors, verifySvid } from "../../ca/verify-svid.ts";
import { ok, refuse, refuseAll, type Result } from "../../domain/problem.ts";
import { deriveEntitlement } from "../../identity/entitlement.ts";
import { renewedBy } from "../../identity/renewal.ts";
import { restrictedProblem, restrictionOn, restrictionOnGone } from "../../identity/restricted.ts";
import type { Caller, Credential } from "../../http/issuing/services.ts";
import type { Present } from "./present.ts";

/** What the doors stand on: the two walks, who is present, and how tokens are recognised. */
export type CallerParts = {
  readonly door: string;
  readonly walk: IssueParts;
  readonly tokens: TokenParts;
  /** Our roots; undefined while there is no authority. */
  readonly anchors: () => TrustAnchors | undefined;
  /** What goes with leaves of our authorities, DER: a caller's connection shows only its leaf. */
  readonly chains: () => readonly (readonly Buffer[])[];
  /** Whoever holds an identity now. */
  readonly holders: (namespace: string, serviceAccount: string) => readonly Present[];
  /** All Pods of a namespace that are known, whatever they hold and whether they run or have ended. */
  readonly podsIn: (namespace: string) => readonly Present[];
  /** Finds the one whom a token speaks for, live. */
  readonly byToken: (token: string) => Promise<Result<Present>>;
};

/** Finds out who shows a credential, and what that one may ask for. */
export const makeAuthenticate =
  (parts: CallerParts) =>
  async (credential: Credential): Promise<Result<Caller>> => {
    const found =
      credential.kind === "token" ? await parts.byToken(credential.token) : await bySvid(credential.chain, parts);
    return found.ok ? ok(callerOf(found.value, parts)) : found;
  };

/**
 * The holder of an SVID of ours. The certificate says an identity, not which Pod holds it: whoever is present under it must be
 * of one role, and none of them restricted, nor a Pod that has gone and may have been it, or the caller has to show a token that names its Pod.
 */
async function bySvid(chain: readonly Buffer[], parts: CallerParts): Promise<Result<Present>> {
  const anchors = parts.anchors();
  if (!anchors) return refuse("AUTHORITY_UNAVAILABLE", "", "There is no authority yet.", "Ask again in a while.");
  const verified = await verifiedBy(chain, anchors, parts);
  if (!verified.ok) return verified;
  const [, , namespace = "", , serviceAccount = ""] = verified.value.spiffeId.path.split("/");
  const holders = parts.holders(namespace, serviceAccount);
  const [first] = holders;
  if (!first) return nobody(verified.value.spiffeId.id);
  const restricted = restrictedAmong(holders, verified.value.serial, parts) ?? restrictedGone(holders, first, parts);
  if (restricted) return restricted;
  const roles = new Set(holders.map((holder) => roleOf(holder, parts)));
  if (roles.size > 1)
    return refuse("ROLE_AMBIGUOUS", "", SEVERAL, "Show a service account token that is bound to the Pod.");
  const { spiffeId, serial } = verified.value;
  return ok({
    ...first,
    caller: renewedBy(spiffeId.id, serial),
    ...(holders.length > 1 ? { subject: `Identity ${namespace}/${serviceAccount}` } : {}),
  });
}

const SEVERAL = "Workloads of different roles hold this identity, and the certificate does not say which one calls.";

const nobody = (spiffeId: string): Result<never> =>
  refuse(
    "CALLER_UNKNOWN",
    "",
    `Nobody who runs holds ${spiffeId}.`,
    "A certificate is renewed by a workload that is there.",
  );

/** As the chain is shown; and since a connection may show its leaf alone, below the authorities that we know. */
async function verifiedBy(chain: readonly Buffer[], anchors: TrustAnchors, { chains, walk }: CallerParts) {
  let last = await verifySvid(chain, anchors, walk.now());
  for (const above of chains()) {
    if (last.ok || last.problems[0]?.code === "AUTHORITY_COMPROMISED") break;
    last = await verifySvid([...chain.slice(0, 1), ...above], anchors, walk.now());
  }
  return last;
}

function restrictedAmong(
  holders: readonly Present[],
  serial: string,
  { walk }: CallerParts,
): Result<never> | undefined {
  const { catalogue } = walk.lookup();
  for (const { bearer, whereabouts } of holders) {
    const entitled = deriveEntitlement(catalogue, bearer);
    if (!entitled.ok) continue;
    const { spiffeId, role, segment } = entitled.value;
    const identity = { spiffeId, role: role.name, segment: segment.name };
    const found = restrictionOn(catalogue.definitions.restrictions, { identity, serial, ...whereabouts });
    if (found) return refuseAll([restrictedProblem(found)]);
  }
  return undefined;
}

/** Machines and functions are of the catalogue, and none of them has gone unseen. */
function restrictedGone(
  holders: readonly Present[],
  { bearer: { namespace, serviceAccount } }: Present,
  { walk, podsIn }: CallerParts,
): Result<never> | undefined {
  if (!holders.some(({ whereabouts }) => whereabouts.pod)) return undefined;
  const others = podsIn(namespace).filter(({ bearer }) => bearer.serviceAccount !== serviceAccount);
  const { restrictions } = walk.lookup().catalogue.definitions;
  const found = restrictionOnGone(
    restrictions,
    namespace,
    others.map(({ whereabouts }) => whereabouts),
  );
  return found && refuseAll([restrictedProblem(found)]);
}

function roleOf({ bearer }: Present, { walk }: CallerParts): string | undefined {
  const entitled = deriveEntitlement(walk.lookup().catalogue, bearer);
  return entitled.ok ? entitled.value.role.name : undefined;
}

function callerOf({ caller, subject, bearer, whereabouts }: Present, parts: CallerParts): Caller {
  const who = { door: parts.door, caller, subject, bearer, whereabouts };
  return {
    identity: `${bearer.namespace}/${bearer.serviceAccount}`,
    issueSvid: async ({ csr, ttlSeconds }) => {
      const issued = await issue({ ...who, csr, ...(ttlSeconds === undefined ? {} : { ttlSeconds }) }, parts.walk);
      if (!issued.ok) return issued;
      const { contents, chain } = issued.value;
      return ok({
        spiffeId: contents.spiffeId,
        serial: contents.serial,
        certificates: certificatesPem(chain),
        bundle: certificatesPem(parts.anchors()?.roots ?? []),
        ...contents.window,
      });
    },
    issueToken: async (wish) => {
      const issued = await issueToken({ ...who, wish }, parts.tokens);
      if (!issued.ok) return issued;
      const { token, contents } = issued.value;
      return ok({ spiffeId: contents.spiffeId, token, expiresAt: contents.expiresAt * 1000 });
    },
  };
}
