import type { Definitions } from "../domain/catalogue.ts";
import { type Problem, refuse, refuseAll, type Result } from "../domain/problem.ts";
import { isDefinition, readDefinitions } from "./definitions.ts";
import { type KubeObject, kubeObject } from "./objects.ts";
import { isRaw, type Place } from "./read-object.ts";

/** One file's definitions as they were written, as JSON: what else lies beside them is left out. */
export const renderItems = (objects: readonly KubeObject[]): string =>
  JSON.stringify(objects.filter(isDefinition).map(({ raw }) => raw));

/**
 * The text that a catalogue can be made of again, of each file's name and items. Equal definitions in equal files have equal
 * texts.
 */
export const joinItems = (files: readonly (readonly [name: string, items: string])[]): string =>
  `[${files.map(([name, items]) => `{"name":${JSON.stringify(name)},"items":${items}}`).join(",")}]`;

/** Reads the definitions back out of such a text. */
export function readSnapshotText(text: string): Result<Definitions> {
  const files: unknown = JSON.parse(text);
  if (!Array.isArray(files)) return refuse("LEDGER_BROKEN", "", "The stored catalogue is none.");
  const objects: KubeObject[] = [];
  const problems: Problem[] = [];
  for (const file of files.filter(isRaw)) {
    const items: unknown = file["items"];
    for (const raw of Array.isArray(items) ? items.filter(isRaw) : []) {
      const read = kubeObject(placeOf(String(file["name"]), raw), raw);
      if (read.ok) objects.push(read.value);
      else problems.push(...read.problems);
    }
  }
  return problems.length > 0 ? refuseAll(problems) : readDefinitions(objects);
}

const placeOf = (file: string, value: unknown): Place => ({
  document: { value, file, locate: () => ({ file, line: 1, column: 1 }) },
  base: [],
});
