import type { Source } from "../domain/problem.ts";
import type { FieldPath } from "./documents.ts";
import type { KubeObject } from "./objects.ts";
import { isRaw, sourceOf } from "./read-object.ts";

/**
 * Finds a path as people write it (`metadata.labels.signet.dev/role`) again in the object it was written about: names may
 * contain dots, so the longest one that is there is taken. Ends where the object ends.
 */
export function pathSteps(value: unknown, text: string): FieldPath {
  if (Array.isArray(value)) {
    const index = /^\[(\d+)\]\.?/.exec(text);
    return index ? [Number(index[1]), ...pathSteps(value[Number(index[1])], text.slice(index[0].length))] : [];
  }
  if (!isRaw(value)) return [];
  const [name] = Object.keys(value)
    .filter((key) => text === key || text.startsWith(`${key}.`) || text.startsWith(`${key}[`))
    .sort((a, b) => b.length - a.length);
  if (name === undefined) return [];
  return [name, ...pathSteps(value[name], text.slice(name.length).replace(/^\./, ""))];
}

/** Where a path of the object stands in its file; where it ends early, the nearest field around it. */
export const placeOfPath = (object: KubeObject, text: string): Source => sourceOf(object, pathSteps(object.raw, text));
