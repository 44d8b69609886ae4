import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { loadProfiles } from "../ca/profiles.ts";
import type { Profiles } from "../domain/certificate.ts";
import { type Problem, problem, problemLine } from "../domain/problem.ts";
import type { Clients } from "../http/clients.ts";
import type { HttpServer } from "../http/server.ts";
import type { Check, Log, Readings } from "../http/services.ts";
import { type Ledger, openLedger } from "../store/ledger.ts";
import { copyLedger, type LedgerCopy } from "../store/postgres/copy.ts";
import type { ServerConfig } from "../wire/config.ts";
import { makeLog } from "./log.ts";

/** The parts of a server while it runs, whatever its mode. */
export type Running = {
  readonly config: ServerConfig;
  readonly log: Log;
  readonly http: HttpServer;
  readonly ledger: OwnLedger;
  /** Ends what writes, before the drain. */
  readonly before: () => Promise<void> | void;
  /** Ends what feeds verdicts, after the drain: what is in flight is judged to its end. */
  readonly after: () => Promise<void> | void;
};

/** The version of the package that runs. */
export const VERSION = (
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { readonly version: string }
).version;

/** The certificate profiles that the package brings. Throws where they cannot be read. */
export function ownProfiles(): Profiles {
  const profiles = loadProfiles(fileURLToPath(new URL("../../certs", import.meta.url)));
  if (profiles.ok) return profiles.value;
  throw new Error(profiles.problems.map(problemLine).join("; "));
}

/** The server's log as it is configured. */
export const logOf = ({ log }: ServerConfig): Log =>
  makeLog(
    { level: log.level, text: log.format === "text" || (log.format === "auto" && process.stderr.isTTY) },
    Date.now,
  );

/** The ledger, and its copy in PostgreSQL where one is configured; closing it closes both. */
export type OwnLedger = Ledger & { readonly copy?: LedgerCopy };

/** How long an end may be held up by what is still to be copied; the rest is copied after the next start. */
const COPY_GRACE_MS = 2_000;

/** The ledger in the state folder; rejects where another server holds it. A database that is away stops nobody. */
export async function openOwnLedger(config: ServerConfig, log: Log): Promise<OwnLedger> {
  const path = join(config.state, "ledger.db");
  const failed = (reason: string): void => log.error({ reason }, "The ledger could not be written.");
  const ledger = await openLedger({ path, version: VERSION, now: Date.now, failed });
  if (!config.database) return ledger;
  const copy = copyLedger(path, config.database, {
    failed: (reason) => log.warn({ reason }, "The ledger cannot be copied to PostgreSQL; it is kept, and tried again."),
    mended: () => log.info({}, "The ledger is copied to PostgreSQL again."),
  });
  const close = async (): Promise<void> => {
    await ledger.close();
    await copy.close(COPY_GRACE_MS);
    const { behind } = copy.progress();
    if (behind > 0)
      log.warn({ behind }, "The copy in PostgreSQL is behind: the last records are in the state folder alone.");
  };
  return { ...ledger, copy, close };
}

/** What readiness says of the ledger, and of its copy where there is one. */
export const ledgerChecks = (ledger: OwnLedger): readonly Check[] => [
  ledgerCheck(ledger),
  ...(ledger.copy ? [copyCheck(ledger.copy)] : []),
];

function copyCheck(copy: LedgerCopy): Check {
  const { behind, failing } = copy.progress();
  const detail = failing === undefined ? "" : `warning: nothing is copied (${failing}), ${behind} records wait`;
  return { name: "ledger copy", ok: true, detail };
}

/** Admission never waits for the ledger, so readiness does not hang on it; what it loses is said. */
function ledgerCheck(ledger: Ledger): Check {
  const { dropped, failures, queued, failing } = ledger.figures();
  const bad = dropped > 0 || failures > 0;
  const now = failing === undefined ? "" : `nothing can be written (${failing}); `;
  return {
    name: "ledger",
    ok: true,
    detail: bad ? `warning: ${now}${failures} failed writes, ${dropped} records dropped, ${queued} wait` : "",
  };
}

/** The ledger's part of the figures. */
export function ledgerReadings(
  ledger: OwnLedger,
): Pick<
  Readings,
  "ledgerQueued" | "ledgerWritten" | "ledgerDropped" | "ledgerFailures" | "ledgerFailing" | "ledgerCopy"
> {
  const copy = ledger.copy?.progress();
  const { queued, written, dropped, failures, failing } = ledger.figures();
  return {
    ledgerQueued: queued,
    ledgerWritten: written,
    ledgerDropped: dropped,
    ledgerFailures: failures,
    ledgerFailing: failing !== undefined,
    ...(copy ? { ledgerCopy: { copied: copy.shipped, behind: copy.behind, failing: copy.failing !== undefined } } : {}),
  };
}

/** Loopback, whatever is listened on, and what is configured; the host's name where it listens everywhere. */
export function servingNames({ host, names }: ServerConfig): readonly string[] {
  const everywhere = host === "0.0.0.0" || host === "::";
  return [...new Set(["127.0.0.1", "::1", "localhost", everywhere ? hostname() : host, ...names])];
}

/** The first signal drains; a second one, from somebody who has lost patience, ends at once (Node's own way). */
export const endSignal = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, resolve);
  });

/** Drains, then ends everything in the order in which nothing is lost. */
export async function stop({ http, ledger, before, after, config, log }: Running): Promise<void> {
  await before();
  await http.drain(config.drainDelayMs, config.drainGraceMs);
  await after();
  await ledger.close();
  log.info({}, "The server has ended.");
}

/** Why a server could not start, in words for the person at the keyboard; `step` is what it was doing. */
export function startProblem(step: string, config: ServerConfig, fault: unknown): Problem {
  const reason = fault instanceof Error ? fault.message : String(fault);
  if (step === "listen" && reason.includes("EADDRINUSE"))
    return problem(
      "USAGE",
      "listen",
      `Port ${config.port} of ${config.host} is taken.`,
      "End whoever has it, or choose another: --listen 127.0.0.1:0 takes a free one.",
    );
  if (step === "ledger" && reason.includes("locked"))
    return problem(
      "USAGE",
      "state",
      `Another server uses the state folder ${config.state}.`,
      "End it, or choose another folder with --state DIR.",
    );
  return problem(
    "FILE_UNREADABLE",
    step,
    `The server could not start: ${reason}.`,
    step === "serving certificate" && config.cluster === undefined
      ? "Put it back from a backup. Or move it away: a new authority is made, and every caller has to be given the new serving/ca.crt."
      : `Look at the ${step} in ${config.state}.`,
  );
}

/** The header by which the server knows its own call, and its value: another for each start. */
export const SELF = { header: "x-signet-self", value: randomUUID() } as const;

/** Who may call the webhooks, with the authority's text. Throws where that cannot be read. */
export const clientsOf = ({ clients }: ServerConfig): { readonly clients?: Clients } =>
  clients ? { clients: { ca: readFileSync(clients.ca, "utf8"), names: clients.names, self: SELF } } : {};
