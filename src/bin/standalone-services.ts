import { type FolderState, type WatchedFolder } from "../folder/watch.ts";
import type { ServingCertificate } from "../ca/serving.ts";
import { problemLine } from "../domain/problem.ts";
import type { Check, Log, Readings, Services } from "../http/services.ts";
import type { Ledger } from "../store/ledger.ts";
import type { ServerConfig } from "../wire/config.ts";
import { verdictEntry } from "./verdict-entry.ts";

/** What HTTP needs, of the parts of a standalone server. */
export function makeServices(parts: {
  readonly config: ServerConfig;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly folder: WatchedFolder;
  readonly certificate: () => ServingCertificate;
}): Services {
  const { config, log, ledger, folder, certificate } = parts;
  return {
    catalogue: () => folder.state().snapshot?.catalogue,
    now: Date.now,
    requireApproval: config.requireApproval,
    record: (judged) => {
      const entry = verdictEntry(judged, config.requireApproval);
      if (entry) ledger.offer(entry);
    },
    checks: () => [catalogueCheck(folder.state()), ledgerCheck(ledger)],
    readings: (): Readings => {
      const { readAt, problems, good, broken } = folder.state();
      const { queued, written, dropped, failures } = ledger.figures();
      return {
        catalogueReadAt: readAt,
        catalogueBroken: problems.length > 0,
        catalogueReads: { good, broken },
        ledgerQueued: queued,
        ledgerWritten: written,
        ledgerDropped: dropped,
        ledgerFailures: failures,
        certificateNotAfter: certificate().notAfter,
      };
    },
    log,
  };
}

/** Each new state is said; each new revision is stored before a verdict is given by it. */
export function catalogueChanged({ snapshot, problems, readAt }: FolderState, ledger: Ledger, log: Log): void {
  const revision = snapshot?.catalogue.revision;
  if (problems.length > 0) {
    const first = problems.slice(0, 5).map(problemLine);
    log.warn(
      { problems: problems.length, first, inForce: revision?.slice(0, 12) ?? "none" },
      "The catalogue cannot be read; the last good state stays in force.",
    );
  } else if (snapshot) {
    ledger.remember({ digest: snapshot.catalogue.revision, text: snapshot.text }, readAt);
    log.info(
      {
        revision: revision?.slice(0, 12),
        roles: snapshot.catalogue.roles.size,
        segments: snapshot.catalogue.segments.size,
      },
      "The catalogue was read.",
    );
  }
}

function catalogueCheck({ snapshot, problems }: FolderState): Check {
  const [first] = problems;
  const wrong = first ? `${problems.length} problems, first: ${problemLine(first)}` : "";
  const revision = snapshot?.catalogue.revision.slice(0, 12) ?? "none";
  const detail = first ? `warning: ${wrong}; in force: revision ${revision}` : `revision ${revision}`;
  return { name: "catalogue", ok: snapshot !== undefined, detail };
}

/** Admission never waits for the ledger, so readiness does not hang on it; what it loses is said. */
function ledgerCheck(ledger: Ledger): Check {
  const { dropped, failures, queued } = ledger.figures();
  const bad = dropped > 0 || failures > 0;
  return {
    name: "ledger",
    ok: true,
    detail: bad ? `warning: ${failures} failed writes, ${dropped} records dropped, ${queued} wait` : "",
  };
}
