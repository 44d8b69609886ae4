import type { Definitions } from "../domain/catalogue.ts";
import { type Problem, refuse, refuseAll, type Result } from "../domain/problem.ts";
import { isDefinition, readDefinitions } from "./definitions.ts";
import { type KubeObject, kubeObject } from "./objects.ts";
import { isRaw, type Place } from "./read-object.ts";

/**
 * The text that a catalogue can be made of again: for each source its definitions as they were written, and nothing else
 * that may lie beside them. Equal definitions in equal places have equal texts.
 */
export function renderSnapshot(objects: readonly KubeObject[], nameOf: (file: string) => string): string {
  const files = new Map<string, unknown[]>();
  for (const object of objects.filter(isDefinition)) {
    const name = nameOf(object.document.file);
    const there = files.get(name);
    if (there) there.push(object.raw);
    else files.set(name, [object.raw]);
  }
  return JSON.stringify([...files].map(([name, items]) => ({ name, items })));
}

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
