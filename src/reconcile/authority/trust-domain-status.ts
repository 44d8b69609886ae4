import { formatInstant, type Instant } from "../../domain/instant.ts";
import type { Json, PatchOperation } from "../../domain/json-patch.ts";
import type { AuthorityStatus } from "../../wire/authority-status.ts";
import { isRaw, type Raw, rawAt, textAt } from "../../wire/read-object.ts";

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
  const present = rawAt(object, "status");
  const { resourceVersion, generation } = rawAt(object, "metadata") ?? {};
  const conditions = placed(present?.["conditions"], conditionsOf(status), Number(generation ?? 0), now);
  const wanted: Readonly<Record<string, Json>> = {
    authorities: status.authorities.map(({ offline, ...each }) => ({ ...each, ...(offline ? { offline } : {}) })),
    rotation: { ...status.rotation, paused: status.paused, ...status.pace },
    bundle: { sequence: bundle.sequence, fingerprints: [...bundle.fingerprints] },
    conditions,
  };
  const changed = Object.entries(wanted).filter(([key, value]) => !isSame(present?.[key], value));
  if (changed.length === 0) return undefined;
  return [
    { op: "test", path: "/metadata/resourceVersion", value: String(resourceVersion) },
    ...(present ? [] : [{ op: "add", path: "/status", value: { approvals: [] } } as const]),
    ...changed.map(([key, value]): PatchOperation => ({ op: "add", path: `/status/${key}`, value })),
  ];
}

type Said = { readonly type: string; readonly status: string; readonly reason: string; readonly message: string };

const said = (type: string, holds: boolean, reason: string, message: string): Said => ({
  type,
  status: holds ? "True" : "False",
  reason,
  message,
});

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

/** Ours in their places, with the time of their last change; all others untouched. */
function placed(present: unknown, wanted: readonly Said[], generation: number, now: Instant): Json[] {
  const list = Array.isArray(present) ? present.filter(isRaw) : [];
  const made = wanted.map((one) => {
    const old = list.find((each) => each["type"] === one.type);
    const since = old?.["status"] === one.status ? textAt(old, "lastTransitionTime") : undefined;
    return { ...one, observedGeneration: generation, lastTransitionTime: since ?? formatInstant(now) };
  });
  const kept = list.map((old) => made.find(({ type }) => type === old["type"]) ?? (old as { [key: string]: Json }));
  return [...kept, ...made.filter(({ type }) => !list.some((old) => old["type"] === type))];
}

/** Whether two values say the same, whatever the order of their fields. */
function isSame(a: unknown, b: Json): boolean {
  const sorted = (value: unknown): unknown =>
    isRaw(value)
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([one], [two]) => (one < two ? -1 : 1))
            .map(([k, v]) => [k, sorted(v)]),
        )
      : Array.isArray(value)
        ? value.map(sorted)
        : value;
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}
