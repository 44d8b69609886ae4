import { mkdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { keepRenewed, type ServingCertificate, servingCertificate } from "../ca/serving.ts";
import { formatInstant } from "../domain/instant.ts";
import { type Problem, problem, problemLine, refuse, type Result } from "../domain/problem.ts";
import { type FolderState, type WatchedFolder, watchFolder } from "../folder/watch.ts";
import { makeCatalogueFolder, writeExampleWorkloads } from "../folder/worked-example.ts";
import { buildServer, type HttpServer } from "../http/server.ts";
import type { Check, Log, Readings, Services } from "../http/services.ts";
import { type Ledger, openLedger } from "../store/ledger.ts";
import { type ConfigFlags, readServerConfig, type ServerConfig } from "../wire/config.ts";
import { banner } from "./banner.ts";
import { makeLog } from "./log.ts";
import { verdictEntry } from "./verdict-entry.ts";

/** What `signet server` was asked for. */
export type ServeOptions = ConfigFlags & { readonly config?: string };

/** What the command gives the server of the world: where to write, how to read a file. */
export type ServeIo = {
  readonly out: (text: string) => void;
  readonly problems: (problems: readonly Problem[]) => number;
};

/** The server's parts while it runs. */
type Running = {
  readonly config: ServerConfig;
  readonly log: Log;
  readonly http: HttpServer;
  readonly folder: WatchedFolder;
  readonly ledger: Ledger;
  readonly stopRenewing: () => void;
};

/**
 * Runs the standalone server until SIGINT or SIGTERM, then drains. Gives 0 after a clean end, 2 where it could not start:
 * a wrong configuration, a port that is taken, a state folder that another server holds.
 */
export async function serve(options: ServeOptions, io: ServeIo): Promise<number> {
  const config = readConfig(options);
  if (!config.ok) return io.problems(config.problems);
  const started = await start(config.value);
  if (!started.ok) return io.problems(started.problems);
  const { running, port, made } = started.value;
  keepYoungGenerationSmall();
  io.out(banner({ config: config.value, port, made, state: running.folder.state(), env: process.env }));
  const signal = await endSignal();
  running.log.info({ signal }, "The server drains.");
  await stop(running);
  return 0;
}

function readConfig({ config, ...flags }: ServeOptions): Result<ServerConfig> {
  if (config === undefined) return readServerConfig(undefined, flags);
  try {
    return readServerConfig({ name: config, text: readFileSync(config, "utf8") }, flags);
  } catch {
    return refuse(
      "FILE_UNREADABLE",
      "--config",
      `"${config}" could not be read.`,
      "Check the path and its permissions.",
    );
  }
}

/**
 * What a review leaves behind is garbage at once: a young generation as large as starting up needed is enough, and letting it
 * grow under load (to 64 MB and more) buys nothing but memory.
 */
const keepYoungGenerationSmall = (): void => setFlagsFromString("--semi-space-growth-factor=1");

type Started = {
  readonly running: Running;
  readonly port: number;
  /** Whether the catalogue folder is new, with the worked example in it. */
  readonly made: boolean;
};

async function start(config: ServerConfig): Promise<Result<Started>> {
  const log = makeLog({ level: config.log.level, text: isText(config) }, Date.now);
  let step = "state";
  try {
    mkdirSync(config.state, { recursive: true, mode: 0o700 });
    step = "ledger";
    const opening = openLedger({
      path: join(config.state, "ledger.db"),
      version: VERSION,
      now: Date.now,
      failed: (reason) => log.error({ reason }, "The ledger could not be written."),
    });
    const issuing = servingCertificate(servingFolder(config), servingNames(config), Date.now());
    // Both run while the catalogue is read; a rejection is met below.
    issuing.catch(() => undefined);
    const ledger = await opening;
    step = "serving certificate";
    const certificate = await issuing;
    step = "catalogue";
    const made = makeCatalogueFolder(config.catalogue);
    if (made) writeExampleWorkloads(join(config.state, "example"));
    const folder = await watchFolder(config.catalogue, {
      changed: (state) => catalogueChanged(state, ledger, log),
      now: Date.now,
    });
    step = "listen";
    return { ok: true, value: await listen({ config, log, ledger, folder, certificate, made }) };
  } catch (fault) {
    return { ok: false, problems: [startProblem(step, config, fault)] };
  }
}

type Parts = Pick<Running, "config" | "log" | "ledger" | "folder"> &
  Pick<Started, "made"> & { readonly certificate: ServingCertificate };

async function listen({ config, log, ledger, folder, certificate, made }: Parts): Promise<Started> {
  let current = certificate;
  const services = makeServices({ config, log, ledger, folder, certificate: () => current });
  const http = buildServer(services, { version: VERSION, pair: certificate });
  const stopRenewing = keepRenewed(
    certificate,
    () => servingCertificate(servingFolder(config), servingNames(config), Date.now()),
    {
      now: Date.now,
      renewed: (next) => {
        current = next;
        http.renew(next);
        log.info({ notAfter: formatInstant(next.notAfter) }, "The serving certificate was renewed.");
      },
      failed: (fault) => log.error({ err: fault }, "The serving certificate could not be renewed."),
    },
  );
  const port = await http.listen(config.host, config.port);
  log.info({ host: config.host, port, version: VERSION }, "The server listens.");
  return { running: { config, log, http, folder, ledger, stopRenewing }, port, made };
}

function makeServices(parts: {
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
function catalogueChanged({ snapshot, problems, readAt }: FolderState, ledger: Ledger, log: Log): void {
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

async function stop({ http, folder, ledger, stopRenewing, config, log }: Running): Promise<void> {
  stopRenewing();
  folder.close();
  await http.drain(config.drainDelayMs, config.drainGraceMs);
  await ledger.close();
  log.info({}, "The server has ended.");
}

/** The first signal drains; a second one, from somebody who has lost patience, ends at once (Node's own way). */
const endSignal = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, resolve);
  });

const isText = ({ log }: ServerConfig): boolean =>
  log.format === "text" || (log.format === "auto" && process.stderr.isTTY);

const servingFolder = ({ state }: ServerConfig): string => join(state, "serving");

/** Loopback, whatever is listened on, and what is configured; the host's name where it listens everywhere. */
function servingNames({ host, names }: ServerConfig): readonly string[] {
  const everywhere = host === "0.0.0.0" || host === "::";
  return [...new Set(["127.0.0.1", "::1", "localhost", everywhere ? hostname() : host, ...names])];
}

const VERSION = (
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { readonly version: string }
).version;

function startProblem(step: string, config: ServerConfig, fault: unknown): Problem {
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
