import { generateKeyPairSync, hash, type KeyObject } from "node:crypto";
import type { Catalogue } from "../domain/catalogue.ts";
import type { Window } from "../domain/certificate.ts";
import { OWN_ACCOUNT, SIGNET_NAMESPACE } from "../domain/exempt-namespaces.ts";
import { ok, refuse, refuseAll, type Result } from "../domain/problem.ts";
import { composeSpiffeId, type SpiffeId } from "../domain/spiffe-id.ts";
import { readLeafKey } from "../identity/leaf-key.ts";
import { leafWindow } from "../identity/leaf-window.ts";
import { restrictedProblem, restrictionOn } from "../identity/restricted.ts";
import { SvidPlan } from "../identity/svid-plan.ts";
import type { IssueParts } from "./issue.ts";
import type { Issuer, SignedSvid } from "./issuer.ts";
import { serialNumber } from "./serial.ts";

/** A certificate of Signet's own, with its key. */
export type OwnSvid = {
  readonly spiffeId: SpiffeId;
  readonly key: KeyObject;
  /** Leaf first, the root left out; DER. */
  readonly chain: readonly Buffer[];
  readonly window: Window;
  /** Key identifier of the authority that signed. */
  readonly authority: string;
};

/** Seconds that it holds for, at most; the trust domain may say less. */
const LIFETIME = 4 * 3600;

/**
 * An X.509-SVID for a new key of Signet itself, by which other domains know its bundle endpoint (SPIFFE Federation §5.2.2). It
 * walks as others do, restriction, plan, signature, second look, ledger, but by no role: nobody is entitled to this identity.
 * Refuses with AUTHORITY_UNAVAILABLE and IDENTITY_RESTRICTED; rejects where the ledger cannot be written.
 */
export async function issueOwnSvid(parts: IssueParts): Promise<Result<OwnSvid>> {
  const at = parts.now();
  const { catalogue, issuer, profiles } = parts.lookup();
  if (!issuer) return refuse("AUTHORITY_UNAVAILABLE", "", "There is no active authority.");
  const spiffeId = composeSpiffeId(catalogue.trustDomain, SIGNET_NAMESPACE, OWN_ACCOUNT);
  if (!spiffeId.ok) return spiffeId;
  const restriction = restrictionOf(catalogue, spiffeId.value);
  if (restriction) return refuseAll([restrictedProblem(restriction)]);
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = readLeafKey(publicKey.export({ type: "spki", format: "der" }), "key");
  if (!key.ok) return key;
  const maxTtlSeconds = Math.min(LIFETIME, catalogue.definitions.trustDomain?.leafMaxTtlSeconds ?? LIFETIME);
  const window = leafWindow(profiles.leaf, issuer.facts, { entitled: maxTtlSeconds }, at);
  if (!window.ok) return window;
  const entitled = { spiffeId: spiffeId.value, trustDomain: catalogue.trustDomain, dnsNames: [], maxTtlSeconds };
  const particulars = { serial: serialNumber(parts.random), issuer: issuer.facts, window: window.value };
  const plan = SvidPlan.for(profiles.leaf, entitled, key.value, particulars);
  if (!plan.ok) return plan;
  const signed = await issuer.sign(plan.value);
  await parts.record({ ...lineOf(signed), at, revision: catalogue.revision });
  return ok(ownSvid(signed, privateKey, issuer));
}

const restrictionOf = (catalogue: Catalogue, spiffeId: SpiffeId) =>
  restrictionOn(catalogue.definitions.restrictions, { identity: { spiffeId, role: "", segment: "" } });

const ownSvid = ({ contents, der }: SignedSvid, key: KeyObject, { facts, intermediates }: Issuer): OwnSvid => ({
  spiffeId: contents.spiffeId,
  key,
  chain: [der, ...intermediates],
  window: contents.window,
  authority: facts.keyId,
});

/** In no role and in no segment, as it is written in the ledger. */
const lineOf = ({ contents: { serial, spiffeId, key, window, issuer }, der }: SignedSvid) => ({
  door: "own",
  caller: "signet",
  subject: "Signet",
  outcome: "issued" as const,
  serial,
  spiffeId,
  role: "",
  segment: "",
  keyType: key.keyType,
  ...window,
  authority: issuer.keyId,
  sha256: hash("sha256", der),
});
