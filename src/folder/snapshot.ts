import { createHash } from "node:crypto";
import { type Catalogue, makeCatalogue } from "../domain/catalogue.ts";
import { ok, type Result } from "../domain/problem.ts";
import { isDefinition, readDefinitions } from "../wire/definitions.ts";
import { type KubeObject, readObjects } from "../wire/objects.ts";
import { readInputs } from "./read-inputs.ts";

/**
 * A catalogue, and the text that it can be made of again: for each file the definitions in it as they were written, and
 * nothing else that may lie there. `revision` is the SHA-256 of that text, in hex.
 */
export type Snapshot = { readonly catalogue: Catalogue; readonly text: string };

/** Reads a folder of YAML as a catalogue. One broken definition refuses the whole, with file and line. */
export function readSnapshot(folder: string): Result<Snapshot> {
  const files = readInputs([folder]);
  if (!files.ok) return files;
  const read = readObjects(files.value);
  if (!read.ok) return read;
  const definitions = readDefinitions(read.value.objects);
  if (!definitions.ok) return definitions;
  const text = snapshotText(folder, read.value.objects);
  const revision = createHash("sha256").update(text).digest("hex");
  return ok({ catalogue: makeCatalogue(definitions.value, revision), text });
}

/** Definitions by file; a file is named from the folder on, so that a moved folder is the same catalogue. */
function snapshotText(folder: string, objects: readonly KubeObject[]): string {
  const files = new Map<string, unknown[]>();
  for (const object of objects.filter(isDefinition)) {
    const name = object.document.file.replace(folder, "").replace(/^\/+/, "");
    const there = files.get(name);
    if (there) there.push(object.raw);
    else files.set(name, [object.raw]);
  }
  return JSON.stringify([...files].map(([name, items]) => ({ name, items })));
}
