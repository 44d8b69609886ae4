import { type Catalogue, makeCatalogue } from "../domain/catalogue.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { readDefinitions } from "../wire/definitions.ts";
import { type KubeObject, readObjects } from "../wire/objects.ts";
import type { Io } from "./io.ts";

/** A catalogue, and the objects it was read from. */
export type Loaded = { readonly catalogue: Catalogue; readonly objects: readonly KubeObject[] };

/** Reads the catalogue that `--catalogue` or SIGNET_CATALOGUE names. */
export function loadCatalogue(io: Io, folder: string | undefined): Result<Loaded> {
  const path = cataloguePath(io, folder);
  return path === undefined ? noCatalogue() : loadFolders(io, [path]);
}

/** The folder that is meant: the option, or else SIGNET_CATALOGUE. */
export function cataloguePath(io: Io, folder: string | undefined): string | undefined {
  const path = folder ?? io.env["SIGNET_CATALOGUE"];
  return path === "" ? undefined : path;
}

/** Refuses a command line that names no catalogue. */
export const noCatalogue = (): Result<never> =>
  refuse(
    "USAGE",
    "",
    "No catalogue is named.",
    "Name the folder with your Segments and WorkloadRoles: --catalogue DIR, or SIGNET_CATALOGUE=DIR.",
  );

/** Reads one catalogue out of several files and folders. */
export function loadFolders(io: Io, paths: readonly string[]): Result<Loaded> {
  const files = io.readInputs(paths);
  if (!files.ok) return files;
  const read = readObjects(files.value);
  if (!read.ok) return read;
  const definitions = readDefinitions(read.value.objects);
  if (!definitions.ok) return definitions;
  return ok({ catalogue: makeCatalogue(definitions.value, ""), objects: read.value.objects });
}
