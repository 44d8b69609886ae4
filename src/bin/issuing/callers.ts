import { issue, type IssueParts } from "../../ca/issue.ts";
import { certificatesPem, toPem } from "../../ca/pem.ts";
import { issueToken, type TokenParts } from "../../ca/tokens/issue-token.ts";
import { ok, refuse, type Result } from "../../domain/problem.ts";
import { remembered } from "../../domain/remembered.ts";
import { deriveEntitlement } from "../../identity/entitlement.ts";
import { renewedBy } from "../../identity/renewal.ts";
import type { Whereabouts } from "../../identity/restricted.ts";
import type { Caller, Door, Issuing } from "../../http/issuing/services.ts";
import { parseSpiffeId, type SpiffeName } from "../../domain/spiffe-id.ts";
import type { Present } from "./present.ts";
import { ownName, restrictedAmong, restrictedAny } from "./restricted-callers.ts";
import { endOfTurn } from "./turn.ts";
import { makeVerify, type Trust, type Verify } from "./verify-caller.ts";

/** What the doors stand on: the two walks, who is present, and how tokens are recognised. */
export type CallerParts = Trust & {
  /** Accounts, NAMESPACE/NAME, whose Pods may ask for identities of Pods on their own node. */
  readonly nodeProxies: readonly string[];
  readonly walk: IssueParts;
  readonly tokens: TokenParts;
  /** Whoever holds an identity now. */
  readonly holders: (namespace: string, serviceAccount: string) => readonly Present[];
  /** Where the Pod is, or was, to which a certificate was issued, by its serial number; undefined where it is not known. */
  readonly issuedTo: (serial: string) => Whereabouts | undefined;
  /** All Pods of a namespace that are known, whatever they hold and whether they run or have ended. */
  readonly podsIn: (namespace: string) => readonly Present[];
  /** Finds the one whom a token speaks for, live. */
  readonly byToken: (token: string) => Promise<Result<Present>>;
};

/** Serial number of the certificate that a caller has shown. */
type Renewing = { readonly renews?: string };

/** Roots are the same list as long as they stand, and an authority is the same certificate for all that it signs. */
const bundlePem = remembered(certificatesPem);
const authorityPem = remembered((der: Buffer) => toPem("CERTIFICATE", der));

/** Finds out who shows a credential, and what that one may ask for. */
export function makeAuthenticate(parts: CallerParts): Issuing["authenticate"] {
  const verify = makeVerify(parts);
  return async (credential, door) => {
    const found: Result<Present & Renewing> =
      credential.kind === "token"
        ? await parts.byToken(credential.token)
        : await bySvid(credential.chain, verify, parts);
    return found.ok ? ok(callerOf(found.value, door, parts)) : found;
  };
}

/**
 * The holder of an SVID of ours. The certificate says an identity: whoever is present under it must be of one role. Where it is
 * known to which Pod it was issued, that one must not be restricted; else none of those present, nor a Pod that has gone and
 * may have been it, or the caller has to show a token that names its Pod.
 */
async function bySvid(
  chain: readonly Buffer[],
  verify: Verify,
  parts: CallerParts,
): Promise<Result<Present & Renewing>> {
  const verified = await verify(chain);
  if (!verified.ok) return verified;
  const [, , namespace = "", , serviceAccount = ""] = verified.value.spiffeId.path.split("/");
  const holders = parts.holders(namespace, serviceAccount);
  const [first] = holders;
  if (!first) return nobody(verified.value.spiffeId.id);
  const { spiffeId, serial } = verified.value;
  const place = parts.issuedTo(serial);
  const present = place ? placed(first, place) : unplaced(first, holders);
  const restricted = place ? restrictedAmong([present], serial, parts) : restrictedAny(holders, serial, parts);
  if (restricted) return restricted;
  if (holders.length > 1 && new Set(holders.map((holder) => roleOf(holder, parts))).size > 1)
    return refuse("ROLE_AMBIGUOUS", "", SEVERAL, "Show a service account token that is bound to the Pod.");
  return ok({ ...present, caller: renewedBy(spiffeId.id, serial), renews: serial });
}

/** The Pod that the certificate was issued to. */
const placed = (holder: Present, whereabouts: Whereabouts): Present => ({
  ...holder,
  whereabouts,
  ...(whereabouts.pod ? { subject: `Pod ${whereabouts.pod.namespace ?? ""}/${whereabouts.pod.name}` } : {}),
});

/** One of those present; which of several is not known, nor whether it is one of them. */
const unplaced = (first: Present, holders: readonly Present[]): Present => {
  const { namespace, serviceAccount } = first.bearer;
  return {
    ...first,
    whereabouts: {},
    ...(holders.length > 1 ? { subject: `Identity ${namespace}/${serviceAccount}` } : {}),
  };
};

const SEVERAL = "Workloads of different roles hold this identity, and the certificate does not say which one calls.";

const nobody = (spiffeId: string): Result<never> =>
  refuse(
    "CALLER_UNKNOWN",
    "",
    `Nobody who runs holds ${spiffeId}.`,
    "A certificate is renewed by a workload that is there.",
  );

function roleOf({ bearer }: Present, { walk }: CallerParts): string | undefined {
  const entitled = deriveEntitlement(walk.lookup().catalogue, bearer);
  return entitled.ok ? entitled.value.role.name : undefined;
}

function callerOf({ renews, ...present }: Present & Renewing, door: Door, parts: CallerParts): Caller {
  const { caller, subject, bearer, whereabouts } = present;
  const who = { door, caller, subject, bearer, whereabouts };
  const line = renews === undefined ? {} : { renews };
  return {
    identity: `${bearer.namespace}/${bearer.serviceAccount}`,
    issueSvid: async ({ csr, ttlSeconds }) => {
      await endOfTurn();
      const issued = await issue(
        { ...who, ...line, csr, ...(ttlSeconds === undefined ? {} : { ttlSeconds }) },
        parts.walk,
      );
      if (!issued.ok) return issued;
      const { contents, der, chain } = issued.value;
      return ok({
        spiffeId: contents.spiffeId,
        serial: contents.serial,
        certificates: toPem("CERTIFICATE", der) + chain.slice(1).map(authorityPem).join(""),
        bundle: bundlePem(parts.anchors()?.roots ?? []),
        ...contents.window,
      });
    },
    inNameOf: (spiffeId) => inNameOf(spiffeId, { ...present, ...line }, parts, (other) => callerOf(other, door, parts)),
    issueToken: async (wish) => {
      await endOfTurn();
      const issued = await issueToken({ ...who, wish }, parts.tokens);
      if (!issued.ok) return issued;
      const { token, contents } = issued.value;
      return ok({ spiffeId: contents.spiffeId, token, expiresAt: contents.expiresAt * 1000 });
    },
  };
}

/**
 * The caller itself, or somebody who runs on its node under that identity, where the caller is a node proxy that is not
 * restricted and has shown a token.
 */
function inNameOf(
  spiffeId: string,
  asker: Present & Renewing,
  parts: CallerParts,
  callerFor: (present: Present & Renewing) => Caller,
): Result<Caller> {
  if (ownName(parts.walk.lookup().catalogue, asker.bearer) === spiffeId) return ok(callerFor(asker));
  const asked = parseSpiffeId(spiffeId, "metadata");
  const node = proxiedNode(asker, parts);
  if (!asked.ok || node === undefined) return notYours(spiffeId);
  const restricted = restrictedAmong([asker], "", parts);
  if (restricted) return restricted;
  const found = neighbours(asked.value, node, parts);
  if (!found.ok || !found.value) return found.ok ? notYours(spiffeId) : found;
  return ok(callerFor({ ...found.value, caller: `${asker.caller} on node ${node}` }));
}

/**
 * The node whose Pods the asker may speak for, if it is a node proxy with a token: that is bound to a Pod that was just seen to
 * live, whereas a certificate may be shown from anywhere.
 */
function proxiedNode(
  { bearer, whereabouts: { pod, node }, renews }: Present & Renewing,
  { nodeProxies }: CallerParts,
): string | undefined {
  const isProxy = nodeProxies.includes(`${bearer.namespace}/${bearer.serviceAccount}`);
  return isProxy && pod && renews === undefined ? node?.name : undefined;
}

/** Whoever holds an identity on a node: of one role, and none of them restricted. */
function neighbours({ trustDomain, path }: SpiffeName, node: string, parts: CallerParts): Result<Present | undefined> {
  const [, ns, namespace = "", sa, serviceAccount = ""] = path.split("/");
  if (trustDomain !== parts.walk.lookup().catalogue.trustDomain || ns !== "ns" || sa !== "sa") return ok(undefined);
  const there = parts.holders(namespace, serviceAccount).filter(({ whereabouts }) => whereabouts.node?.name === node);
  const [first] = there;
  if (!first) return ok(undefined);
  const restricted = restrictedAmong(there, "", parts);
  if (restricted) return restricted;
  if (new Set(there.map((holder) => roleOf(holder, parts))).size > 1)
    return refuse("ROLE_AMBIGUOUS", "", SEVERAL, "Give the roles different service accounts.");
  return ok(there.length === 1 ? first : { ...unplaced(first, there), whereabouts: { node: { name: node } } });
}

const notYours = (spiffeId: string): Result<never> =>
  refuse(
    "IMPERSONATION_REFUSED",
    "metadata",
    `${spiffeId.slice(0, 200)} is not the caller's own identity, nor that of a Pod which it may speak for.`,
  );
