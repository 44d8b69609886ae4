import { type Problem, refuseAll, type Result, type Source } from "../domain/problem.ts";
import { type Document, type FieldPath, pathText } from "./documents.ts";

/** A place to read from: a document, and the path of the object in it (an item of a List has one). */
export type Place = { readonly document: Document; readonly base: FieldPath };

/** An object as YAML and JSON hold it. */
export type Raw = Readonly<Record<string, unknown>>;

/** Whether a value is an object, and not a list. */
export const isRaw = (value: unknown): value is Raw =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The object at a key, or an empty one. */
export const rawAt = (raw: Raw, key: string): Raw => {
  const value = raw[key];
  return isRaw(value) ? value : {};
};

/** The text at a key, or undefined where there is none or it is no text. */
export const textAt = (raw: Raw, key: string): string | undefined => {
  const value = raw[key];
  return typeof value === "string" ? value : undefined;
};

/** The number at a key, or undefined where there is none or it is no number. */
export const numberAt = (raw: Raw, key: string): number | undefined => {
  const value = raw[key];
  return typeof value === "number" ? value : undefined;
};

/** The texts of the list at a key; what is no text is left out. */
export const textsAt = (raw: Raw, key: string): readonly string[] => {
  const value = raw[key];
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
};

/** Source of a field of the object at the place. */
export const sourceOf = (place: Place, path: FieldPath): Source => place.document.locate([...place.base, ...path]);

/** A Problem with its source. */
export const problemAt = (place: Place, path: FieldPath, found: Omit<Problem, "path" | "source">): Problem => ({
  ...found,
  path: pathText(path),
  source: sourceOf(place, path),
});

/** Refuses one field of the object at the place. */
export const refuseAt = (place: Place, path: FieldPath, found: Omit<Problem, "path" | "source">): Result<never> =>
  refuseAll([problemAt(place, path, found)]);

/** The known word with the fewest edits, where these are few enough to be a slip of the hand. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, edits: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best && best.edits <= Math.max(1, Math.floor(word.length / 3)) ? best.candidate : undefined;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
