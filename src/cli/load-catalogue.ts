import { type Catalogue, makeCatalogue } from "../domain/catalogue.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { readDefinitions } from "../wire/definitions.ts";
import { type KubeObject, readObjects } from "../wire/objects.ts";
import type { Io } from "./io.ts";

/** A catalogue, and the objects it was read from. */
export type Loaded = { readonly catalogue: Catalogue; readonly objects: readonly KubeObject[] };

/** Reads the catalogue that `--catalogue` or SIGNET_CATALOGUE names. */
export function loadCatalogue(io: Io, folder: string | undefined): Result<Loaded> {
  const path = folder ?? io.env["SIGNET_CATALOGUE"];
  if (path === undefined || path === "")
    return refuse(
      "USAGE",
      "",
      "No catalogue is named.",
      "Name the folder with your Segments and WorkloadRoles: --catalogue DIR, or SIGNET_CATALOGUE=DIR.",
    );
  const files = io.readInputs([path]);
  if (!files.ok) return files;
  const read = readObjects(files.value);
  if (!read.ok) return read;
  const definitions = readDefinitions(read.value.objects);
  if (!definitions.ok) return definitions;
  return ok({ catalogue: makeCatalogue(definitions.value, ""), objects: read.value.objects });
}
