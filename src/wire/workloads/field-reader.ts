import type { Labels } from "../../domain/label-selector.ts";
import type { Problem } from "../../domain/problem.ts";
import { type FieldPath, pathText } from "../documents.ts";
import { isRaw, type Place, problemAt, type Raw } from "../read-object.ts";

const NO_LABELS: Labels = Object.freeze({});
type Field = { readonly key: string; readonly path: FieldPath };

const NOTHING: Raw = Object.freeze({});
const NO_ITEMS: readonly unknown[] = Object.freeze([]);
const anyObject = (): boolean => true;
const isText = (value: unknown): value is string => typeof value === "string";
const isFlag = (value: unknown): value is boolean => typeof value === "boolean";
const isNumber = (value: unknown): value is number => typeof value === "number";
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/**
 * Reads fields of a foreign object and collects what is wrong. Fields nobody asks for are left aside; a field that is asked
 * for and has the wrong type is a problem, never a default. Null counts as absent, as the API server has it.
 */
export class FieldReader {
  readonly problems: Problem[] = [];
  readonly place: Place;

  constructor(place: Place) {
    this.place = place;
  }

  object(raw: Raw, key: string, path: FieldPath): Raw {
    return this.#read(raw, { key, path }, isRaw, "an object") ?? NOTHING;
  }

  text(raw: Raw, key: string, path: FieldPath): string | undefined {
    return this.#read(raw, { key, path }, isText, "a text");
  }

  flag(raw: Raw, key: string, path: FieldPath): boolean {
    return this.#read(raw, { key, path }, isFlag, "true or false") ?? false;
  }

  number(raw: Raw, key: string, path: FieldPath): number | undefined {
    return this.#read(raw, { key, path }, isNumber, "a number");
  }

  list(raw: Raw, key: string, path: FieldPath): readonly unknown[] {
    return this.#read(raw, { key, path }, isList, "a list") ?? NO_ITEMS;
  }

  /** The objects of a list, each with its path. */
  objects(raw: Raw, key: string, path: FieldPath): readonly { readonly raw: Raw; readonly path: FieldPath }[] {
    return this.objectsWith(raw, { key, path }, anyObject);
  }

  /** The same of those objects only that somebody looks into; most of a Pod's have nothing to be looked for. */
  objectsWith(
    raw: Raw,
    { key, path }: { readonly key: string; readonly path: FieldPath },
    counts: (item: Raw) => boolean,
  ): readonly { readonly raw: Raw; readonly path: FieldPath }[] {
    const found: { raw: Raw; path: FieldPath }[] = [];
    const items = this.list(raw, key, path);
    for (let index = 0; index < items.length; index += 1) {
      const item = items[index];
      if (!isRaw(item)) this.#wrong([...path, key, index], "an object");
      else if (counts(item)) found.push({ raw: item, path: [...path, key, index] });
    }
    return found;
  }

  /** A map of texts: labels or annotations. One that holds anything else gives none. */
  labels(raw: Raw, key: string, path: FieldPath): Labels {
    const map = this.#read(raw, { key, path }, isRaw, "a map of texts");
    if (map === undefined) return NO_LABELS;
    const before = this.problems.length;
    for (const name in map) if (typeof map[name] !== "string") this.#wrong([...path, key, name], "a text");
    return this.problems.length === before ? (map as Labels) : NO_LABELS;
  }

  #read<T>(raw: Raw, field: Field, is: (value: unknown) => value is T, what: string): T | undefined {
    const value = raw[field.key];
    if (value === undefined || value === null || !Object.hasOwn(raw, field.key)) return undefined;
    if (is(value)) return value;
    this.#wrong([...field.path, field.key], what);
    return undefined;
  }

  #wrong(path: FieldPath, what: string): void {
    this.problems.push(
      problemAt(this.place, path, {
        code: "FIELD_INVALID",
        message: `The value of ${pathText(path)} must be ${what}.`,
        mend: "Correct it; the API server would refuse it too.",
      }),
    );
  }
}
