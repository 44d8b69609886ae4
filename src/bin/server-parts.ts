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
import type { ServerConfig } from "../wire/config.ts";
import { makeLog } from "./log.ts";

/** The parts of a server while it runs, whatever its mode. */
export type Running = {
  readonly config: ServerConfig;
  readonly log: Log;
  readonly http: HttpServer;
  readonly ledger: Ledger;
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

/** The ledger in the state folder; rejects where another server holds it. */
export const openOwnLedger = (config: ServerConfig, log: Log): Promise<Ledger> =>
  openLedger({
    path: join(config.state, "ledger.db"),
    version: VERSION,
    now: Date.now,
    failed: (reason) => log.error({ reason }, "The ledger could not be written."),
  });

/** Admission never waits for the ledger, so readiness does not hang on it; what it loses is said. */
export function ledgerCheck(ledger: Ledger): Check {
  const { dropped, failures, queued } = ledger.figures();
  const bad = dropped > 0 || failures > 0;
  return {
    name: "ledger",
    ok: true,
    detail: bad ? `warning: ${failures} failed writes, ${dropped} records dropped, ${queued} wait` : "",
  };
}

/** The ledger's part of the figures. */
export function ledgerReadings(
  ledger: Ledger,
): Pick<Readings, "ledgerQueued" | "ledgerWritten" | "ledgerDropped" | "ledgerFailures"> {
  const { queued, written, dropped, failures } = ledger.figures();
  return { ledgerQueued: queued, ledgerWritten: written, ledgerDropped: dropped, ledgerFailures: failures };
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
    `Look at the ${step} in ${config.state}.`,
  );
}

/** The header by which the server knows its own call, and its value: another for each start. */
export const SELF = { header: "x-signet-self", value: randomUUID() } as const;

/** Who may call the webhooks, with the authority's text. Throws where that cannot be read. */
export const clientsOf = ({ clients }: ServerConfig): { readonly clients?: Clients } =>
  clients ? { clients: { ca: readFileSync(clients.ca, "utf8"), names: clients.names, self: SELF } } : {};
