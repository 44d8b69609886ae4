import { type Problem, problem } from "../../domain/problem.ts";
import type { ProblemCode } from "../../domain/problem-codes.ts";
import type { FieldPath } from "../model/policy.ts";

/** Something noted while reading, and the field it is about. */
export type Note = { readonly problem: Problem; readonly path: FieldPath };

/** Where a reader notes what refuses an object, and what the user should know about it. */
export type Notes = { readonly refused: Note[]; readonly warned: Note[] };

/** A plain value of an object, and the way to it. Readers take what they need and note what is wrong. */
export type Field = { readonly value: unknown; readonly path: FieldPath; readonly notes: Notes };

/** A fresh sheet for one object. */
export const newNotes = (): Notes => ({ refused: [], warned: [] });

/** A path as people write it: `spec.ingress[0].from`. */
export const pathText = (path: FieldPath): string =>
  path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : text === "" ? step : `${text}.${step}`),
    "",
  );

/** Notes that the object can't be read. */
export const refuseField = (field: Field, code: ProblemCode, message: string, mend?: string): void => {
  field.notes.refused.push({ problem: problem(code, pathText(field.path), message, mend), path: field.path });
};

/** Notes something the user should know, while reading goes on. */
export const warnField = (field: Field, code: ProblemCode, message: string, mend?: string): void => {
  field.notes.warned.push({ problem: problem(code, pathText(field.path), message, mend), path: field.path });
};

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether the field is there; null counts as absent, as the API server has it. */
export const present = (field: Field): boolean => field.value !== undefined && field.value !== null;

/** The field below; its value is undefined where it is absent. */
export function at(field: Field, ...keys: readonly (string | number)[]): Field {
  let { value } = field;
  for (const key of keys) value = isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return { value, path: [...field.path, ...keys], notes: field.notes };
}

/** Whether the field is a map, or absent; notes it where it is something else. */
export function mapOrAbsent(field: Field): boolean {
  if (!present(field) || isMap(field.value)) return true;
  refuseField(field, "FIELD_INVALID", `This must be a map, not ${kindOf(field.value)}.`);
  return false;
}

/** The names of the fields of a map that are there. */
export const keysOf = (field: Field): readonly string[] =>
  isMap(field.value) ? Object.keys(field.value).filter((key) => present(at(field, key))) : [];

/**
 * Warns of every field that is not among those known. The API server drops such a field, and what remains applies; so it
 * is here, as the answer would be wrong otherwise.
 */
export function onlyKnown(field: Field, known: readonly string[]): void {
  if (!mapOrAbsent(field)) return;
  for (const key of keysOf(field))
    if (!known.includes(key))
      warnField(
        at(field, key),
        "FIELD_UNKNOWN",
        `There is no field of this name here, so it is dropped; known are ${known.join(", ")}.`,
        "Correct the spelling, or take the field away.",
      );
}

/** The items of a list; none where it is absent. */
export function items(field: Field): readonly Field[] {
  if (!present(field)) return [];
  if (!Array.isArray(field.value)) {
    refuseField(field, "FIELD_INVALID", `This must be a list, not ${kindOf(field.value)}.`);
    return [];
  }
  return field.value.map((value: unknown, index) => ({ value, path: [...field.path, index], notes: field.notes }));
}

/** A text, or undefined where it is absent. */
export function optionalText(field: Field): string | undefined {
  if (!present(field)) return undefined;
  if (typeof field.value === "string") return field.value;
  refuseField(field, "FIELD_INVALID", `This must be text, not ${kindOf(field.value)}.`);
  return undefined;
}

/** A text that must be there and hold something; empty after it was noted. */
export function requiredText(field: Field): string {
  const text = optionalText(field);
  if (!present(field) || text === "") refuseField(field, "FIELD_MISSING", "This field is missing.");
  return text ?? "";
}

/** A whole number, or undefined where it is absent. */
export function optionalWhole(field: Field): number | undefined {
  if (!present(field)) return undefined;
  if (typeof field.value === "number" && Number.isSafeInteger(field.value)) return field.value;
  refuseField(field, "FIELD_INVALID", `This must be a whole number, not ${kindOf(field.value)}.`);
  return undefined;
}

/** A map of texts such as labels; a value that is no text refuses it. */
export function textMap(field: Field): Readonly<Record<string, string>> {
  if (!mapOrAbsent(field)) return {};
  const map: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const key of isMap(field.value) ? Object.keys(field.value) : []) {
    const entry = at(field, key);
    map[key] = present(entry) ? (optionalText(entry) ?? "") : "";
  }
  return map;
}

/** One of the words given; the first mistake is noted and the value left out. */
export function optionalWord<W extends string>(field: Field, words: readonly W[]): W | undefined {
  const text = optionalText(field);
  if (text === undefined) return undefined;
  const word = words.find((one) => one === text);
  if (word === undefined) refuseField(field, "FIELD_INVALID", `"${text}" is none of ${words.join(", ")}.`);
  return word;
}

/** One of the words given, which must be there. */
export function requiredWord<W extends string>(field: Field, words: readonly W[]): W | undefined {
  if (!present(field)) refuseField(field, "FIELD_MISSING", `This field is missing; it is one of ${words.join(", ")}.`);
  return optionalWord(field, words);
}

/** Of several fields of which exactly one must be set, that one. */
export function exactlyOne<K extends string>(field: Field, keys: readonly K[]): K | undefined {
  const set = keys.filter((key) => present(at(field, key)));
  if (set.length === 1) return set[0];
  const found = set.length === 0 ? "none is" : `${set.join(" and ")} are`;
  refuseField(field, "FIELD_CONFLICT", `Exactly one of ${keys.join(", ")} must be set; ${found}.`);
  return undefined;
}

const kindOf = (value: unknown): string =>
  Array.isArray(value) ? "a list" : value === null || value === undefined ? "nothing" : NAMES[typeof value];

const NAMES = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
  object: "a map",
  bigint: "a number",
  undefined: "nothing",
  symbol: "a symbol",
  function: "a function",
} as const;
