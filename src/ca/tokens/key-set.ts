import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { calculateJwkThumbprint } from "jose";
import type { Instant } from "../../domain/instant.ts";
import { ok, refuse, type Result } from "../../domain/problem.ts";
import { TOKEN_TTL } from "../../identity/token-plan.ts";
import { isRaw, numberAt, type Raw, textAt } from "../../wire/read-object.ts";
import type { PublicJwk } from "../../wire/trust-bundle.ts";
import { readStrictJson } from "../../wire/strict-json.ts";
import type { SigningKey } from "./mint.ts";

/** A P-256 key for tokens, as it is kept: private half in PKCS#8 PEM, and from when on it signs. */
export type TokenKey = { readonly kid: string; readonly privateKey: string; readonly activeFrom: Instant };

/** All keys for tokens, oldest first; the replicas share one set, so that the bundle never grows with them. */
export type TokenKeySet = readonly TokenKey[];

/** At most: one whose tokens may still be shown, one that signs, one that verifiers are to learn of. */
export const MOST_TOKEN_KEYS = 3;

/** How a set changes with time, in milliseconds: how long a key signs, and how long it is published before it does. */
export type TokenKeyTerms = { readonly signsMs: number; readonly aheadMs: number };

const HOUR_MS = 3_600_000;
/** A week, and an hour ahead: twelve times as long as verifiers are told to keep a bundle. */
export const TOKEN_KEY_TERMS: TokenKeyTerms = { signsMs: 168 * HOUR_MS, aheadMs: HOUR_MS };

/** After its successor began to sign, a key is kept for its last token and for clocks that are behind. */
const KEPT_MS = (TOKEN_TTL.longest + 300) * 1000;

/** A new key; its name is the thumbprint of its public half (RFC 7638), so that no two keys share one. */
export async function makeTokenKey(activeFrom: Instant): Promise<TokenKey> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const kid = await calculateJwkThumbprint(jwkOf(privateKey));
  return { kid, privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(), activeFrom };
}

/**
 * The set as it should be at an instant: a first key signs at once, a next one is published ahead of its time, one whose
 * tokens have all ended goes. Gives the same set where nothing is to be done. Never leaves none that signs, whatever the clock.
 */
export async function advanceTokenKeys(
  keys: TokenKeySet,
  now: Instant,
  terms: TokenKeyTerms = TOKEN_KEY_TERMS,
): Promise<TokenKeySet> {
  const kept = keys.filter((_, index) => !isOver(keys[index + 1], now));
  const newest = kept.at(-1);
  if (!newest) return [await makeTokenKey(now)];
  const due = now >= newest.activeFrom + terms.signsMs - terms.aheadMs;
  if (due && kept.length < MOST_TOKEN_KEYS) return [...kept, await makeTokenKey(now + terms.aheadMs)];
  return kept.length === keys.length ? keys : kept;
}

/**
 * The set when its keys are in wrong hands; they are kept together, so all of them go. The one new key signs at once, alone as it
 * is, and is younger than they were, so that the set's number grows.
 */
export const condemnTokenKeys = async (keys: TokenKeySet, now: Instant): Promise<TokenKeySet> => [
  await makeTokenKey(Math.max(now, ...keys.map(({ activeFrom }) => activeFrom + 1000))),
];

const isOver = (successor: TokenKey | undefined, now: Instant): boolean =>
  successor !== undefined && now >= successor.activeFrom + KEPT_MS;

/** The key that signs at an instant: the newest whose time has come; the oldest where a clock stepped back before all. */
export function signingKeyAt(keys: TokenKeySet, now: Instant): SigningKey | undefined {
  const active = keys.findLast(({ activeFrom }) => activeFrom <= now) ?? keys[0];
  return active ? { kid: active.kid, key: privateKeyOf(active) } : undefined;
}

const opened = new Map<string, KeyObject>();

/** Each key is parsed once; of those that have gone none is kept. */
function privateKeyOf({ kid, privateKey }: TokenKey): KeyObject {
  const known = opened.get(kid);
  if (known) return known;
  if (opened.size >= 2 * MOST_TOKEN_KEYS) opened.clear();
  const key = createPrivateKey(privateKey);
  opened.set(kid, key);
  return key;
}

/**
 * A number that grows with every change of the set: a newer key is younger than the newest, and where the oldest goes the next
 * one is younger. Whole seconds, so that it stays a safe integer and nothing has to be kept for it.
 */
export const tokenKeySequence = (keys: TokenKeySet): number =>
  Math.floor((keys[0]?.activeFrom ?? 0) / 1000) + Math.floor((keys.at(-1)?.activeFrom ?? 0) / 1000);

/** The public halves, for bundle and key set, in the order of the set. */
export const publicTokenKeys = (keys: TokenKeySet): readonly PublicJwk[] =>
  keys.map((key) => ({ ...jwkOf(privateKeyOf(key)), kid: key.kid }));

function jwkOf(privateKey: KeyObject): PublicJwk {
  const { kty = "", crv, x, y } = createPublicKey(privateKey).export({ format: "jwk" });
  return { kty, ...(crv && x && y ? { crv, x, y } : {}) };
}

/** The set as the text that is kept. It holds private keys. */
export const renderTokenKeys = (keys: TokenKeySet): string => `${JSON.stringify({ version: 1, keys })}\n`;

/** Reads the text that is kept. Refuses the whole where a part of it is not as `renderTokenKeys` writes it. */
export function readTokenKeys(text: string): Result<TokenKeySet> {
  const json = readStrictJson(text, "The set of token keys");
  if (!json.ok) return json;
  const list = isRaw(json.value) && json.value["version"] === 1 ? json.value["keys"] : undefined;
  const keys = Array.isArray(list) ? list.filter(isRaw).map(readKey) : [];
  const whole = keys.flatMap((key) => key ?? []);
  if (Array.isArray(list) && whole.length === list.length && whole.length <= MOST_TOKEN_KEYS) return ok(whole);
  return refuse(
    "FIELD_INVALID",
    "keys",
    "The set of token keys cannot be read.",
    "Restore it, or delete it: a new one is made.",
  );
}

function readKey(raw: Raw): TokenKey | undefined {
  const [kid, privateKey, activeFrom] = [textAt(raw, "kid"), textAt(raw, "privateKey"), numberAt(raw, "activeFrom")];
  if (kid === undefined || privateKey === undefined || activeFrom === undefined) return undefined;
  try {
    return createPrivateKey(privateKey).asymmetricKeyDetails?.namedCurve === "prime256v1"
      ? { kid, privateKey, activeFrom }
      : undefined;
  } catch {
    return undefined;
  }
}
