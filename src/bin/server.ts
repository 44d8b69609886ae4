import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { keepRenewed, type ServingCertificate, servingCertificate } from "../ca/serving.ts";
import { formatInstant } from "../domain/instant.ts";
import { type Problem, refuse, type Result } from "../domain/problem.ts";
import { type WatchedFolder, watchFolder } from "../folder/watch.ts";
import { makeCatalogueFolder, writeExampleWorkloads } from "../folder/worked-example.ts";
import type { Log, Readings, Services } from "../http/services.ts";
import { type ConfigFlags, readServerConfig, type ServerConfig } from "../wire/config.ts";
import { openFace } from "./issuing/open-face.ts";
import { type StandaloneIssuing, standaloneTokenKeys, startStandaloneIssuing } from "./issuing/standalone.ts";
import { standaloneAuthorities } from "./authorities/standalone.ts";
import type { RunningAuthorities } from "./authorities/run-authorities.ts";
import { catalogueChanged, catalogueCheck } from "./folder-catalogue.ts";
import { type GrantFolder, grantChecks, watchGrants } from "./grant-folder.ts";
import { banner } from "./banner.ts";
import {
  endSignal,
  ledgerChecks,
  ledgerReadings,
  logOf,
  openOwnLedger,
  ownProfiles,
  type Running,
  servingNames,
  startProblem,
  stop,
  VERSION,
} from "./server-parts.ts";
import { verdictEntry } from "./verdict-entry.ts";

/** What `signet server` was asked for. */
export type ServeOptions = ConfigFlags & { readonly config?: string };

/** What the command gives the server of the world: where to write, how to read a file. */
export type ServeIo = {
  readonly out: (text: string) => void;
  readonly problems: (problems: readonly Problem[]) => number;
};

/**
 * Runs the server until SIGINT or SIGTERM, then drains. Gives 0 after a clean end, 2 where it could not start: a wrong
 * configuration, a port that is taken, a state folder that another server holds, a cluster that cannot be asked.
 */
export async function serve(options: ServeOptions, io: ServeIo): Promise<number> {
  const config = readConfig(options);
  if (!config.ok) return io.problems(config.problems);
  keepYoungGenerationsSmall();
  const started = config.value.cluster
    ? await (await import("./cluster/server.ts")).startCluster(config.value, config.value.cluster)
    : await start(config.value);
  if (!started.ok) return io.problems(started.problems);
  const { running, told } = started.value;
  // Listened for before anybody is told that the server runs: a signal that follows at once drains it too.
  const ended = endSignal();
  io.out(told);
  const signal = await ended;
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
 * What a review leaves behind is garbage at once: a young generation as large as the image gives it, or as loading the code
 * needed, is enough, and letting it grow under load buys nothing but memory. The sizes that the image gives are this thread's:
 * others, which hash and write, begin as small as V8 would begin.
 */
function keepYoungGenerationsSmall(): void {
  for (const flag of ["semi-space-growth-factor=1", "min-semi-space-size=0", "max-semi-space-size=0"])
    setFlagsFromString(`--${flag}`);
}

/** A server that runs, and what a person reads of it. */
export type Started = { readonly running: Running; readonly told: string };

/** What was opened so far, to be closed again, the newest first, where a later step fails. */
type Opened = (() => Promise<void> | void)[];

async function start(config: ServerConfig): Promise<Result<Started>> {
  const log = logOf(config);
  const grants = await watchGrants(config.grants, { log });
  if (!grants.ok) return grants;
  const opened: Opened = [() => grants.value?.close()];
  let step = "state";
  try {
    mkdirSync(config.state, { recursive: true, mode: 0o700 });
    step = "ledger";
    const opening = openOwnLedger(config, log);
    const serving = servingCertificate(servingFolder(config), servingNames(config), Date.now());
    // Both run while the catalogue is read; a rejection is met below.
    serving.catch(() => undefined);
    const ledger = await opening;
    opened.push(ledger.close);
    step = "serving certificate";
    const certificate = await serving;
    step = "catalogue";
    const made = makeCatalogueFolder(config.catalogue);
    if (made) writeExampleWorkloads(join(config.state, "example"));
    const folder = await watchFolder(config.catalogue, {
      changed: (state) => catalogueChanged(state, ledger, log),
      now: Date.now,
      ...(grants.value ? { grants: grants.value.current } : {}),
    });
    opened.push(folder.close);
    grants.value?.onChange(folder.remake);
    step = "authorities";
    const issuing = await openAuthorities({ config, log, ledger, folder }, opened);
    step = "listen";
    return {
      ok: true,
      value: await listen({ config, log, ledger, folder, certificate, made, grants: grants.value, ...issuing }),
    };
  } catch (fault) {
    for (const close of opened.toReversed()) await close();
    return { ok: false, problems: [startProblem(step, config, fault)] };
  }
}

/** Authorities first: issuing stands on them. */
async function openAuthorities(
  { folder, ...parts }: Pick<Parts, "config" | "log" | "ledger" | "folder">,
  opened: Opened,
): Promise<Pick<Parts, "authorities" | "issuing">> {
  const catalogue = () => folder.state().snapshot?.catalogue;
  const { config, ledger, log } = parts;
  const trustDomain = () => catalogue()?.definitions.trustDomain;
  const profiles = ownProfiles();
  const tokens = standaloneTokenKeys(config.state);
  const means = { state: config.state, config: config.authorities, profiles, trustDomain, ledger, tokens, log };
  const authorities = standaloneAuthorities(means);
  opened.push(authorities.stop);
  const issuing = await startStandaloneIssuing({ ...parts, catalogue, authorities, tokens, profiles });
  opened.push(issuing.stop);
  return { authorities, issuing };
}

type Parts = Pick<Running, "config" | "log" | "ledger"> & {
  readonly folder: WatchedFolder;
  readonly certificate: ServingCertificate;
  /** Whether the catalogue folder is new, with the worked example in it. */
  readonly made: boolean;
  /** Absent where none are configured. */
  readonly grants: GrantFolder | undefined;
  readonly authorities: RunningAuthorities;
  readonly issuing: StandaloneIssuing;
};

async function listen({ config, log, ledger, folder, certificate, made, ...parts }: Parts): Promise<Started> {
  const { authorities, issuing, grants } = parts;
  let current = certificate;
  const services = {
    ...makeServices({ config, log, ledger, folder, grants, certificate: () => current }),
    issuing: issuing.figures,
  };
  const http = openFace({ config, services, pair: certificate, issuing, now: Date.now });
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
  const port = await http.listen(config.host, config.port).catch((fault: unknown) => {
    stopRenewing();
    throw fault;
  });
  log.info({ host: config.host, port, version: VERSION }, "The server listens.");
  void authorities.look();
  const before = async (): Promise<void> => {
    stopRenewing();
    issuing.stop();
    grants?.close();
    folder.close();
    await authorities.stop();
  };
  const told = banner({ config, port, made, state: folder.state(), env: process.env });
  return { running: { config, log, http, ledger, before, after: () => undefined }, told };
}

function makeServices(parts: {
  readonly config: ServerConfig;
  readonly log: Log;
  readonly ledger: Running["ledger"];
  readonly folder: WatchedFolder;
  readonly grants: GrantFolder | undefined;
  readonly certificate: () => ServingCertificate;
}): Services {
  const { config, log, ledger, folder, grants, certificate } = parts;
  return {
    catalogue: () => folder.state().snapshot?.catalogue,
    now: Date.now,
    requireApproval: config.requireApproval,
    record: (judged) => {
      const entry = verdictEntry(judged, config.requireApproval);
      if (entry) ledger.offer(entry);
    },
    checks: () => [catalogueCheck(folder.state()), ...grantChecks(grants), ...ledgerChecks(ledger)],
    readings: (): Readings => {
      const { readAt, problems, good, broken } = folder.state();
      return {
        catalogueReadAt: readAt,
        catalogueBroken: problems.length > 0,
        catalogueReads: { good, broken },
        ...ledgerReadings(ledger),
        certificateNotAfter: certificate().notAfter,
      };
    },
    log,
  };
}

const servingFolder = ({ state }: ServerConfig): string => join(state, "serving");
