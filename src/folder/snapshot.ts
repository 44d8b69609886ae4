import { createHash } from "node:crypto";
import { relative } from "node:path";
import { type Catalogue, makeCatalogue } from "../domain/catalogue.ts";
import { ok, type Result } from "../domain/problem.ts";
import { readDefinitions } from "../wire/definitions.ts";
import { readObjects } from "../wire/objects.ts";
import { renderSnapshot } from "../wire/snapshot-text.ts";
import { readInputs } from "./read-inputs.ts";

/** A catalogue, and the text that it can be made of again. Its `revision` is the SHA-256 of that text, in hex. */
export type Snapshot = { readonly catalogue: Catalogue; readonly text: string };

/**
 * Reads a folder of YAML as a catalogue. One broken definition refuses the whole, with file and line. Files are named from
 * the folder on, so that a moved folder is the same catalogue.
 */
export function readSnapshot(folder: string): Result<Snapshot> {
  const files = readInputs([folder]);
  if (!files.ok) return files;
  const read = readObjects(files.value);
  if (!read.ok) return read;
  const definitions = readDefinitions(read.value.objects);
  if (!definitions.ok) return definitions;
  const text = renderSnapshot(read.value.objects, (file) => relative(folder, file));
  const revision = createHash("sha256").update(text).digest("hex");
  return ok({ catalogue: makeCatalogue(definitions.value, revision), text });
}
