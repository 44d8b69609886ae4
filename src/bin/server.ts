import { mkdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { keepRenewed, type ServingCertificate, servingCertificate } from "../ca/serving.ts";
import { formatInstant } from "../domain/instant.ts";
import { type Problem, problem, refuse, type Result } from "../domain/problem.ts";
import { type FolderState, type WatchedFolder, watchFolder } from "../folder/watch.ts";
import { makeCatalogueFolder, writeExampleWorkloads } from "../folder/worked-example.ts";
import { buildServer } from "../http/server.ts";
import type { Log } from "../http/services.ts";
import { type Ledger, type LedgerSettings, openLedger } from "../store/ledger.ts";
import { type ConfigFlags, readServerConfig, type ServerConfig } from "../wire/config.ts";
import { banner } from "./banner.ts";
import { makeLog } from "./log.ts";
import { catalogueChanged, makeServices } from "./standalone-services.ts";

/** What `signet server` was asked for. */
export type ServeOptions = ConfigFlags & { readonly config?: string };

/** What the command gives the server of the world: where to write, how to read a file. */
export type ServeIo = {
  readonly out: (text: string) => void;
  readonly problems: (problems: readonly Problem[]) => number;
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
  const { log, port, made, state, stop } = started.value;
  keepYoungGenerationSmall();
  io.out(banner({ config: config.value, port, made, state, env: process.env }));
  const signal = await endSignal();
  log.info({ signal }, "The server drains.");
  await stop();
  log.info({}, "The server has ended.");
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
  readonly log: Log;
  readonly port: number;
  /** Whether the catalogue folder is new, with the worked example in it. */
  readonly made: boolean;
  readonly state: FolderState;
  /** Drains and closes everything. */
  readonly stop: () => Promise<void>;
};

type Step = "state" | "ledger" | "serving certificate" | "catalogue" | "listen";

/** What has to be closed again, the newest first, at the end or when a later step fails. */
type Closers = (() => Promise<void> | void)[];

const closeAll = async (closers: Closers): Promise<void> => {
  for (const close of closers.toReversed()) await close();
};

async function start(config: ServerConfig): Promise<Result<Started>> {
  const log = makeLog({ level: config.log.level, text: isText(config) }, Date.now);
  const closers: Closers = [];
  let step: Step = "state";
  try {
    mkdirSync(config.state, { recursive: true, mode: 0o700 });
    step = "ledger";
    const issuing = servingCertificate(servingFolder(config), servingNames(config), Date.now());
    // It runs while the ledger opens; a rejection is met below.
    issuing.catch(() => undefined);
    const ledger = await openLedger(ledgerSettings(config, log));
    closers.push(ledger.close);
    step = "serving certificate";
    const certificate = await issuing;
    step = "catalogue";
    const made = makeCatalogueFolder(config.catalogue);
    if (made) writeExampleWorkloads(join(config.state, "example"));
    const changed = (state: FolderState): void => catalogueChanged(state, ledger, log);
    const folder = await watchFolder(config.catalogue, { changed, now: Date.now });
    closers.push(folder.close);
    step = "listen";
    const port = await listen({ config, log, ledger, folder, certificate }, closers);
    return { ok: true, value: { log, port, made, state: folder.state(), stop: () => closeAll(closers) } };
  } catch (fault) {
    await closeAll(closers);
    return { ok: false, problems: [startProblem(step, config, fault)] };
  }
}

const ledgerSettings = (config: ServerConfig, log: Log): LedgerSettings => ({
  path: join(config.state, "ledger.db"),
  version: VERSION,
  now: Date.now,
  failed: (reason) => log.error({ reason }, "The ledger could not be written."),
});

type Parts = {
  readonly config: ServerConfig;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly folder: WatchedFolder;
  readonly certificate: ServingCertificate;
};

/** Listens, and keeps the certificate young; gives the port. */
async function listen({ config, log, ledger, folder, certificate }: Parts, closers: Closers): Promise<number> {
  let current = certificate;
  const services = makeServices({ config, log, ledger, folder, certificate: () => current });
  const http = buildServer(services, { version: VERSION, pair: certificate });
  closers.push(() => http.drain(config.drainDelayMs, config.drainGraceMs));
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
  closers.push(stopRenewing);
  const port = await http.listen(config.host, config.port);
  log.info({ host: config.host, port, version: VERSION }, "The server listens.");
  return port;
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

function startProblem(step: Step, config: ServerConfig, fault: unknown): Problem {
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
