import type { Instant } from "../../domain/instant.ts";
import type { PatchOperation } from "../../domain/json-patch.ts";
import type { AuthorityStatus } from "../../wire/authority-status.ts";
import type { Raw } from "../../wire/read-object.ts";
import { domainStatusPatch, said, type Said } from "../domain-status.ts";

/** What is published of the bundle. */
export type PublishedBundle = { readonly sequence: number; readonly fingerprints: readonly string[] };

/**
 * The JSON Patch that writes where the authorities stand on the TrustDomain's status, undefined where it says so already. Its
 * first operation tests the resource version. Conditions of others stay as they are.
 */
export function trustDomainPatch(
  object: Raw,
  status: AuthorityStatus,
  bundle: PublishedBundle,
  now: Instant,
): readonly PatchOperation[] | undefined {
  return domainStatusPatch(
    object,
    {
      authorities: status.authorities.map(({ offline, ...each }) => ({ ...each, ...(offline ? { offline } : {}) })),
      rotation: { ...status.rotation, paused: status.paused, ownRoots: status.ownRoots, ...status.pace },
      bundle: { sequence: bundle.sequence, fingerprints: [...bundle.fingerprints] },
    },
    conditionsOf(status),
    now,
  );
}

/** Signing: whether an authority signs. Rotating: whether one is on its way, or an old one's root is still in the bundle. */
function conditionsOf({ authorities, rotation, paused }: AuthorityStatus): readonly Said[] {
  const active = authorities.find(({ state }) => state === "active");
  const stolen = authorities.some(({ compromised, state }) => compromised !== undefined && state !== "revoked");
  const next = `Next: ${rotation.next}.`;
  return [
    active
      ? said("Signing", true, "AuthorityActive", `Authority ${active.id} signs until ${active.notAfter}.`)
      : said("Signing", false, "NoAuthority", `No authority signs. ${next}`),
    rotation.stage === "active"
      ? said("Rotating", false, "Steady", next)
      : said("Rotating", true, paused ? "Paused" : (REASONS[rotation.stage] ?? "Rotating"), next),
    said("Compromised", stolen, stolen ? "KeyStolen" : "NoneKnown", stolen ? STOLEN : "No key is known to be stolen."),
  ];
}

const STOLEN = "The key of an authority is in wrong hands, and its root is still in the bundle.";

/** Stage → the one word of a condition. */
const REASONS: Readonly<Record<string, string>> = {
  none: "NoAuthority",
  requested: "Requested",
  "chain-needed": "ChainNeeded",
  "awaiting-chain": "AwaitingChain",
  prepared: "Prepared",
  published: "Published",
  tainted: "OldRootInBundle",
};
