import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { makePrivateFolder, readIfThere, writeWhole } from "../../ca/key-files.ts";
import type { Sealing } from "../../ca/keys/seal.ts";
import { keyFileSealing, sealedFile } from "../../ca/keys/sealed-file.ts";
import type { Profiles } from "../../domain/certificate.ts";
import type { Log } from "../../http/services.ts";
import type { Ledger } from "../../store/ledger.ts";
import type { AuthoritiesConfig } from "../../wire/authorities-config.ts";
import { renderAuthorityStatus } from "../../wire/authority-status.ts";
import { authoritiesIn, MESSAGES } from "./folder.ts";
import { keyStoreOf } from "./key-store.ts";
import { paceOf } from "./pace-of.ts";
import { type AskBox, type AuthoritiesParts, type RunningAuthorities, runAuthorities } from "./run-authorities.ts";

/** What a standalone server hands in. */
export type StandaloneParts = {
  readonly state: string;
  readonly config: AuthoritiesConfig;
  readonly profiles: Profiles;
  readonly trustDomain: () => TrustDomainFacts | undefined;
  readonly ledger: Ledger;
  readonly tokens: AuthoritiesParts["tokens"];
  readonly log: Log;
};

type TrustDomainFacts = { readonly domain: string; readonly leafMaxTtlSeconds: number };

const EVERY_MS = 20_000;
const ASKS_EVERY_MS = 500;

/**
 * Authorities of a standalone server: in a sealed file of the state folder, opened by the passphrase in SIGNET_PASSPHRASE, or
 * by a key file that is made on first run. What people ask for comes as a file (`signet ca` writes it), and what there is
 * stands in `status.json`, without any key.
 */
export function standaloneAuthorities(parts: StandaloneParts): RunningAuthorities {
  const { state, config, profiles, trustDomain, ledger, tokens, log } = parts;
  const folder = authoritiesIn(state);
  makePrivateFolder(folder);
  let status = "";
  return runAuthorities({
    vault: sealedFile(folder, standaloneSealing(state)),
    keys: keyStoreOf(config, log),
    profiles,
    pace: () => paceOf(config, profiles, trustDomain()),
    ownRoots: config.ownRoots,
    now: Date.now,
    monotonic: () => performance.now(),
    random: randomBytes,
    lacking: () => [],
    trustDomain: () => trustDomain()?.domain,
    isWriter: () => true,
    asks: askFiles(folder),
    tokens,
    record: (entry) => ledger.append([entry]),
    log,
    changed: (shown) => {
      const text = renderAuthorityStatus(shown);
      if (text !== status) writeWhole(join(folder, MESSAGES.status), text, 0o644);
      status = text;
    },
    everyMs: EVERY_MS,
    asksEveryMs: ASKS_EVERY_MS,
  });
}

/** What seals the keys of a state folder: the passphrase in SIGNET_PASSPHRASE, or a key file that is made on first use. */
export function standaloneSealing(state: string): Sealing {
  const passphrase = process.env["SIGNET_PASSPHRASE"];
  if (passphrase !== undefined) return { secret: passphrase, kind: "passphrase" };
  return keyFileSealing(join(state, "authority.key"));
}

/** An ask is taken away when it is answered, so that one that a crash left unanswered is looked at again. */
function askFiles(folder: string): AskBox {
  const [ask, answer] = [join(folder, MESSAGES.ask), join(folder, MESSAGES.answer)];
  return {
    take: () => Promise.resolve(readIfThere(ask)),
    answer: (asked, text) => {
      writeWhole(answer, text, 0o600);
      if (readIfThere(ask) === asked) rmSync(ask, { force: true });
      return Promise.resolve();
    },
  };
}
