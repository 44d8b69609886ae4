import { access, constants, mkdir, rename } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { download, isReleased, type Mirrors, OFFICIAL } from "./download.ts";
import { goBuild, hasGo } from "./go-build.ts";
import { whileLocked } from "./lock.ts";
import { startReaper } from "./reaper.ts";
import { BINARY_NAMES, type BinaryName, cacheKey, type GoModule, RECIPES, versionOf } from "./recipes.ts";

/** Where binaries may come from, in the order they are asked. */
export type BinarySources = {
  /** A folder of ready binaries (KUBEBUILDER_ASSETS), or undefined. */
  readonly assets: string | undefined;
  /** The folder that keeps what was downloaded or built. */
  readonly cache: string;
  /** Release sites, or "off". */
  readonly mirrors: Mirrors | "off";
  /** The folder with the module files, a folder for each module. */
  readonly goFolder: string;
};

/** Full paths by name. */
export type Binaries = ReadonlyMap<BinaryName, string>;

/** Takes one progress line without its newline. */
export type Log = (line: string) => void;

/** A binary that nowhere could be had; the message is for the person at the keyboard. */
export class MissingBinary extends Error {}

/**
 * KUBEBUILDER_ASSETS, SIGNET_CACHE (default `signet` in XDG_CACHE_HOME or ~/.cache) and SIGNET_DOWNLOAD=off,
 * with the module files beside this file.
 */
export function sourcesFromEnvironment(env: NodeJS.ProcessEnv): BinarySources {
  const userCache = env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return {
    assets: env["KUBEBUILDER_ASSETS"] || undefined,
    cache: env["SIGNET_CACHE"] || join(userCache, "signet"),
    mirrors: env["SIGNET_DOWNLOAD"] === "off" ? "off" : OFFICIAL,
    goFolder: join(import.meta.dirname, "go"),
  };
}

/**
 * Finds each binary in the assets folder or the cache, else downloads it, else builds it from its Go module,
 * one after another. Throws MissingBinary when none of these can be done.
 */
export async function findBinaries(names: readonly BinaryName[], sources: BinarySources, log: Log): Promise<Binaries> {
  const missing = missingOf(names, await findReady(names, sources));
  if (missing.length > 0) await getUnderLock(missing, sources, log);
  const binaries = await findReady(names, sources);
  tellOfMixture(binaries, sources, log);
  return binaries;
}

async function getUnderLock(missing: readonly BinaryName[], sources: BinarySources, log: Log): Promise<void> {
  const waiting = () => log("another process is getting the cluster's binaries ready; waiting for it");
  await whileLocked(join(sources.cache, "building.lock"), waiting, async () => {
    const stillMissing = missingOf(missing, await findReady(missing, sources));
    await getAll(stillMissing, sources, log);
  });
}

/** Binaries of two versions may not fit; that is hard to see later. */
function tellOfMixture(binaries: Binaries, { assets }: BinarySources, log: Log): void {
  if (assets === undefined) return;
  const others = [...binaries].filter(([name, file]) => file !== join(assets, name)).map(([name]) => name);
  if (others.length > 0) log(`not in KUBEBUILDER_ASSETS, so taken from the cache: ${others.join(", ")}`);
}

function missingOf(names: readonly BinaryName[], ready: Binaries): readonly BinaryName[] {
  return BINARY_NAMES.filter((name) => names.includes(name) && !ready.has(name));
}

async function findReady(names: readonly BinaryName[], sources: BinarySources): Promise<Binaries> {
  const found = new Map<BinaryName, string>();
  for (const name of names) {
    const places = [sources.assets, cacheFolder(RECIPES[name].module, sources)];
    for (const place of places) {
      if (place === undefined || found.has(name)) continue;
      if (await isExecutable(join(place, name))) found.set(name, join(place, name));
    }
  }
  return found;
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function cacheFolder(module: GoModule, sources: BinarySources): string {
  return join(sources.cache, cacheKey(module, sources.goFolder));
}

/** Unfinished work lies in one folder that is removed at the end, or by the reaper after a kill. */
async function getAll(names: readonly BinaryName[], sources: BinarySources, log: Log): Promise<void> {
  if (names.length === 0) return;
  const unfinished = join(sources.cache, `unfinished-${process.pid}`);
  await mkdir(unfinished, { recursive: true });
  const reaper = startReaper(unfinished);
  const unreachable = new Map<GoModule["folder"], string>();
  try {
    for (const [index, name] of names.entries()) {
      const partial = join(unfinished, name);
      const stop = progress(`${name} (${index + 1} of ${names.length})`, log);
      const how = await getOne(name, sources, partial, unreachable, reaper, log).finally(stop.quiet);
      await publish(name, partial, sources);
      stop.done(how);
    }
  } finally {
    await reaper.close();
  }
}

async function publish(name: BinaryName, partial: string, sources: BinarySources): Promise<void> {
  const folder = cacheFolder(RECIPES[name].module, sources);
  await mkdir(folder, { recursive: true });
  await rename(partial, join(folder, name));
}

async function getOne(
  name: BinaryName,
  sources: BinarySources,
  partial: string,
  unreachable: Map<GoModule["folder"], string>,
  reaper: ReturnType<typeof startReaper>,
  log: Log,
): Promise<string> {
  const recipe = RECIPES[name];
  const version = versionOf(recipe.module, sources.goFolder);
  const { folder } = recipe.module;
  if (sources.mirrors !== "off" && isReleased(folder) && !unreachable.has(folder)) {
    try {
      await download(name, recipe.module, version, sources.mirrors, partial);
      return "downloaded";
    } catch (error) {
      unreachable.set(folder, error instanceof Error ? error.message : String(error));
      log(`no download of ${folder}: ${unreachable.get(folder)}`);
    }
  }
  if (!hasGo()) throw new MissingBinary(missingSentence(name, version, sources, unreachable.get(folder)));
  log(`${name} ${version}: building from Go modules (minutes, and some GB of disk, the first time)`);
  await goBuild(recipe, sources.goFolder, partial, join(`${partial}.work`), reaper);
  return "built";
}

function missingSentence(name: string, version: string, sources: BinarySources, why: string | undefined): string {
  const assets = sources.assets === undefined ? "KUBEBUILDER_ASSETS is not set" : `it is not in ${sources.assets}`;
  const refused = sources.mirrors === "off" ? "downloads are off" : `the download failed (${why ?? "not tried"})`;
  return (
    `${name} ${version} is missing: ${assets}, it is not in the cache ${sources.cache}, ${refused}, ` +
    "and there is no `go` command to build it. Install Go 1.26 or newer (https://go.dev/dl/), " +
    `or point KUBEBUILDER_ASSETS at a folder that holds ${name}.`
  );
}

function progress(what: string, log: Log) {
  const start = Date.now();
  const seconds = () => `${Math.round((Date.now() - start) / 1000)} s`;
  const timer = setInterval(() => log(`${what}: still at it, ${seconds()}`), 15_000);
  return {
    quiet: () => clearInterval(timer),
    done: (how: string) => log(`${what}: ${how} in ${seconds()}`),
  };
}
