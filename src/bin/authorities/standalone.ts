import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { makePrivateFolder, writeWhole } from "../../ca/key-files.ts";
import type { Sealing } from "../../ca/keys/seal.ts";
import { keyFileSealing, sealedFile } from "../../ca/keys/sealed-file.ts";
import { loadProfiles } from "../../ca/profiles.ts";
import { problemLine } from "../../domain/problem.ts";
import type { Log } from "../../http/services.ts";
import { PACE } from "../../reconcile/authority/pace.ts";
import type { Ledger } from "../../store/ledger.ts";
import { readAuthorityAsk } from "../../wire/authority-ask.ts";
import { renderAuthorityStatus } from "../../wire/authority-status.ts";
import { type RunningAuthorities, runAuthorities } from "./run-authorities.ts";

/** Where the package keeps its certificate profiles. */
export const PROFILES_FOLDER = fileURLToPath(new URL("../../../certs", import.meta.url));

/** What a standalone server hands in. */
export type StandaloneParts = {
  readonly state: string;
  readonly trustDomain: () => string | undefined;
  readonly ledger: Ledger;
  readonly log: Log;
};

/**
 * Authorities of a standalone server: in a sealed file of the state folder, opened by the passphrase in SIGNET_PASSPHRASE, or
 * by a key file that is made on first run. What people ask for comes as a file (`signet ca rotate` writes it), and what there
 * is stands in `status.json`, without any key. Throws where the profiles are wrong.
 */
export function standaloneAuthorities({ state, trustDomain, ledger, log }: StandaloneParts): RunningAuthorities {
  const folder = join(state, "authorities");
  makePrivateFolder(folder);
  const profiles = loadProfiles(PROFILES_FOLDER);
  if (!profiles.ok) throw new Error(profiles.problems.map(problemLine).join("\n"));
  const sealing = standaloneSealing(state);
  const pace = { ...PACE, longestLeafMs: profiles.value.leaf.maxTtlSeconds * 1000 };
  let status = "";
  const running = runAuthorities({
    vault: sealedFile(folder, sealing),
    profiles: profiles.value,
    pace,
    now: Date.now,
    monotonic: () => performance.now(),
    random: randomBytes,
    lacking: () => [],
    trustDomain,
    isWriter: () => true,
    record: (entry) => ledger.append([entry]),
    log,
    changed: ({ set, bundle }) => {
      const text = renderAuthorityStatus({ trustDomain: bundle.trustDomain, set, pace });
      if (text !== status) writeWhole(join(folder, "status.json"), text, 0o644);
      status = text;
    },
  });
  const asking = setInterval(() => void follow(join(folder, "ask.json"), running), ASK_MS);
  asking.unref();
  const stop = (): Promise<void> => {
    clearInterval(asking);
    return running.stop();
  };
  return { ...running, stop };
}

/** What seals the keys of a state folder: the passphrase in SIGNET_PASSPHRASE, or a key file that is made on first use. */
export function standaloneSealing(state: string): Sealing {
  const passphrase = process.env["SIGNET_PASSPHRASE"];
  if (passphrase !== undefined) return { secret: passphrase, kind: "passphrase" };
  return keyFileSealing(join(state, "authority.key"));
}

const ASK_MS = 500;

/** A file that asks for a step is taken away once it was followed or refused. */
async function follow(path: string, running: RunningAuthorities): Promise<void> {
  if (!existsSync(path)) return;
  const read = readAuthorityAsk(readFileSync(path, "utf8"));
  rmSync(path, { force: true });
  if (!read.ok) return;
  await running.ask(read.value);
  await running.look();
}
