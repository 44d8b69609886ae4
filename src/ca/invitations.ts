import { hash, randomBytes } from "node:crypto";
import { renameSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { Instant } from "../domain/instant.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { isRaw, numberAt, textAt } from "../wire/read-object.ts";
import { readStrictJson } from "../wire/strict-json.ts";
import { makePrivateFolder, readIfThere, writeWhole } from "./key-files.ts";

/** Whom an invitation is for: an ExternalWorkload by name. */
export type Invited = { readonly namespace: string; readonly name: string };

const LIFETIME_MS = 10 * 60_000;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/**
 * Makes an invitation for a machine or a function in standalone mode, where nobody else vouches for callers: a token of 256
 * random bits that is good once, for ten minutes. The folder keeps its digest alone.
 */
export function invite(folder: string, { namespace, name }: Invited, now: Instant): string {
  const token = randomBytes(32).toString("base64url");
  makePrivateFolder(folder);
  writeWhole(fileOf(folder, token), JSON.stringify({ namespace, name, expires: now + LIFETIME_MS }), 0o600);
  return token;
}

/** Takes an invitation, once whatever comes of it. Refuses with TOKEN_REFUSED. */
export function redeem(folder: string, token: string, now: Instant): Result<Invited> {
  const taken = TOKEN.test(token) ? take(fileOf(folder, token)) : undefined;
  const kept = taken === undefined ? undefined : readKept(taken);
  if (kept && now < kept.expires && now > kept.expires - 2 * LIFETIME_MS)
    return ok({ namespace: kept.namespace, name: kept.name });
  return refuse(
    "TOKEN_REFUSED",
    "",
    "The invitation is not known, was used, or has ended.",
    "Have the operator make another: `signet svid invite NAMESPACE/NAME`. Whoever has an SVID renews it with that.",
  );
}

function readKept(text: string): (Invited & { readonly expires: Instant }) | undefined {
  const json = readStrictJson(text, "The invitation");
  const raw = json.ok && isRaw(json.value) ? json.value : {};
  const [namespace, name, expires] = [textAt(raw, "namespace"), textAt(raw, "name"), numberAt(raw, "expires")];
  return namespace === undefined || name === undefined || expires === undefined
    ? undefined
    : { namespace, name, expires };
}

/** Renamed before it is read: of two callers one gets it. */
function take(path: string): string | undefined {
  const mine = `${path}.${randomBytes(8).toString("hex")}`;
  try {
    renameSync(path, mine);
  } catch {
    return undefined;
  }
  const text = readIfThere(mine);
  unlinkSync(mine);
  return text;
}

const fileOf = (folder: string, token: string): string => join(folder, hash("sha256", token));
