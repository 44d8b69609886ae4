import { hash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import process from "node:process";
import type { AuthorityCertificate } from "../ca/authority.ts";
import type { Sealing } from "../ca/keys/seal.ts";
import { KeyUnavailable } from "../ca/keys/key-store.ts";
import { findPkcs11Key, pkcs11Keys } from "../ca/keys/pkcs11/keys.ts";
import { makeOfflineRoot, openOfflineRoot, type RootKey, signByRoot } from "../ca/offline-root.ts";
import type { CaTools, RootChoice, ShownCertificate } from "../cli/ca/access.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { parseTrustDomain } from "../domain/spiffe-id.ts";
import { parsePkcs11Uri, type Pkcs11Uri, renderPkcs11Uri } from "../wire/pkcs11-uri.ts";
import { openAuthorities } from "./authorities/access.ts";
import { readPin } from "./authorities/key-store.ts";
import { ownProfiles } from "./server-parts.ts";

/** What the commands under `signet ca` do their work with. */
export const caTools: CaTools = {
  open: openAuthorities,
  makeRoot: async (choice, trustDomain, now) => {
    const named = parseTrustDomain(trustDomain, "--trust-domain");
    if (!named.ok) return named;
    const profiles = ownProfiles();
    const key = await withToken(() => rootKeyOf(choice, profiles.root.keyType));
    if (!key.ok) return key;
    const made = await withToken(() =>
      makeOfflineRoot(choice.folder, key.value, { trustDomain, profiles, now, random: randomBytes }),
    );
    return made.ok ? ok(shown(made.value)) : made;
  },
  signRequest: (choice, request, now) =>
    withToken(async () => {
      const root = await openOfflineRoot(choice.folder, { sealing: () => sealingOf(choice), token: tokenKey });
      if (!root.ok) return root;
      const making = { profiles: ownProfiles(), now, random: randomBytes };
      const signed = await signByRoot(choice.folder, root.value, request, making);
      return signed.ok ? ok({ shown: shown(signed.value.issuing), chain: signed.value.chain }) : signed;
    }),
};

const shown = ({ trustDomain, keyId, window, der }: AuthorityCertificate): ShownCertificate => ({
  trustDomain,
  keyId,
  notAfter: window.notAfter,
  sha256: hash("sha256", der),
});

/** A token that cannot be used is a refusal, not a fault of ours. */
const withToken = <T>(work: () => Promise<Result<T>>): Promise<Result<T>> =>
  work().catch((fault: unknown) => {
    if (!(fault instanceof KeyUnavailable)) throw fault;
    return refuse("AUTHORITY_UNAVAILABLE", "--key", `The key cannot be used: ${fault.message}.`, "Is the token there?");
  });

async function rootKeyOf(
  choice: RootChoice,
  keyType: Parameters<ReturnType<typeof pkcs11Keys>["make"]>[0],
): Promise<Result<RootKey>> {
  if (choice.key === undefined) {
    const sealing = sealingOf(choice);
    return sealing.ok ? ok({ in: "folder", sealing: sealing.value }) : sealing;
  }
  const uri = parsePkcs11Uri(choice.key, "--key");
  if (!uri.ok) return uri;
  const pin = () => readPin(uri.value);
  const named = uri.value.object !== undefined || uri.value.id !== undefined;
  const known = named ? await findPkcs11Key(uri.value, pin) : undefined;
  if (known) return ok({ in: "token", key: known, uri: renderPkcs11Uri(uri.value) });
  const made = await pkcs11Keys(uri.value, { readPin: pin, lost: () => undefined }).make(keyType);
  const kept = parsePkcs11Uri(made.kept, "--key");
  if (!kept.ok) return kept;
  return ok({ in: "token", key: made.key, uri: renderPkcs11Uri({ ...uri.value, ...kept.value }) });
}

async function tokenKey(text: string): Promise<Result<NonNullable<Awaited<ReturnType<typeof findPkcs11Key>>>>> {
  const uri = parsePkcs11Uri(text, "--root");
  if (!uri.ok) return uri;
  const found = await findPkcs11Key(uri.value, () => readPin(uri.value));
  return found ? ok(found) : noKey(uri.value);
}

const noKey = ({ token }: Pkcs11Uri): Result<never> =>
  refuse("AUTHORITY_UNAVAILABLE", "--root", `The root's key is not in token ${token}.`, "Is it the right token?");

/** Few enough to type, and too many to guess. */
const SHORTEST = 12;

function sealingOf({ passphraseFile }: Pick<RootChoice, "passphraseFile">): Result<Sealing> {
  const secret = passphraseIn(passphraseFile);
  if (secret !== undefined && secret.length >= SHORTEST) return ok({ secret, kind: "passphrase" });
  return refuse(
    "USAGE",
    "--passphrase-file",
    `There is no passphrase of ${SHORTEST} characters or more to seal the root's key with.`,
    "Name a file with --passphrase-file, or set SIGNET_PASSPHRASE.",
  );
}

function passphraseIn(file: string | undefined): string | undefined {
  if (file === undefined) return process.env["SIGNET_PASSPHRASE"];
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}
