import type { Definitions } from "../domain/catalogue.ts";
import { ok, type Result, type Source } from "../domain/problem.ts";
import { isDefinition, readDefinitions } from "../wire/definitions.ts";
import { readObjects } from "../wire/objects.ts";
import { sourceOf } from "../wire/read-object.ts";
import { renderItems } from "../wire/snapshot-text.ts";
import type { TextFile } from "./read-inputs.ts";

/**
 * What one file of a catalogue folder holds. Plain data: it outlives the text and its syntax tree, and passes between
 * threads.
 */
export type FilePart = {
  readonly definitions: Definitions;
  /** The definitions as they were written, as JSON. */
  readonly items: string;
  /** Kind, namespace and name of each definition, and where it stands. */
  readonly places: readonly (readonly [key: string, at: Source])[];
};

/** Reads one file by itself. */
export function readPart(file: TextFile): Result<FilePart> {
  const read = readObjects([file]);
  if (!read.ok) return read;
  const objects = read.value.objects.filter(isDefinition);
  const definitions = readDefinitions(objects);
  if (!definitions.ok) return definitions;
  const places = objects.map(
    (object) => [`${object.kind} ${object.namespace}/${object.name}`, sourceOf(object, [])] as const,
  );
  return ok({ definitions: definitions.value, items: renderItems(objects), places });
}
