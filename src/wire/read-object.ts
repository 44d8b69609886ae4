import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { Value } from "typebox/value";
import { ok, type Problem, refuseAll, type Result, type Source } from "../domain/problem.ts";
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

type Validator = {
  readonly Check: (value: unknown) => boolean;
  readonly Errors: (value: unknown) => readonly SchemaError[];
};
type SchemaError = {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
};

const validators = new WeakMap<TSchema, Validator>();

function validatorOf(schema: TSchema): Validator {
  const known = validators.get(schema);
  if (known) return known;
  const made = Compile(schema) as unknown as Validator;
  validators.set(schema, made);
  return made;
}

/**
 * Reads a value by its schema and fills in the schema's defaults. Every field that is unknown, missing or wrong is one
 * Problem with its path below `path` and its line; nothing is dropped or coerced.
 */
export function readBySchema<S extends TSchema>(
  schema: S,
  value: unknown,
  place: Place,
  path: FieldPath,
): Result<Static<S>> {
  const validator = validatorOf(schema);
  if (validator.Check(value)) return ok(Value.Default(schema, structuredClone(value)) as Static<S>);
  const problems = validator
    .Errors(value)
    .filter((error) => error.keyword !== "boolean")
    .flatMap((error) => describe(error, { schema, value, place, path }));
  return refuseAll(problems);
}

type Subject = { readonly schema: TSchema; readonly value: unknown; readonly place: Place; readonly path: FieldPath };

function describe(error: SchemaError, { schema, value, place, path: base }: Subject): readonly Problem[] {
  const steps = stepsOf(error.instancePath, value);
  const path = [...base, ...steps];
  const params = error.params as Readonly<Record<string, unknown>>;
  const listed = (key: string): readonly string[] => (Array.isArray(params[key]) ? params[key].map(String) : []);
  switch (error.keyword) {
    case "required":
      return listed("requiredProperties").map((name) => missing(name, place, path));
    case "additionalProperties":
      return listed("additionalProperties").map((name) => unknownField(name, knownFields(schema, steps), place, path));
    case "enum":
      return [invalid(place, path, `must be one of ${listed("allowedValues").join(", ")}`)];
    case "pattern":
      return [invalid(place, path, `has not the form it must have (${String(params["pattern"])})`)];
    case "format":
      return [invalid(place, path, "is not a date and time such as 2027-01-31T00:00:00Z")];
    default:
      return [invalid(place, path, error.message)];
  }
}

const missing = (name: string, place: Place, path: FieldPath): Problem => ({
  ...problemAt(place, path, {
    code: "FIELD_MISSING",
    message: `The field "${name}" is missing.`,
    mend: `Write ${pathText([...path, name])}.`,
  }),
  path: pathText([...path, name]),
});

function unknownField(name: string, known: readonly string[], place: Place, path: FieldPath): Problem {
  const near = nearest(name, known);
  const mend = near
    ? `Did you mean "${near}"?`
    : known.length > 0
      ? `Fields here are ${known.join(", ")}.`
      : "Take it away.";
  return problemAt(place, [...path, name], {
    code: "FIELD_UNKNOWN",
    message: `There is no field "${name}" here.`,
    mend,
  });
}

const invalid = (place: Place, path: FieldPath, what: string): Problem =>
  problemAt(place, path, {
    code: "FIELD_INVALID",
    message: `The value ${what}.`,
    mend: "Correct the value; `kubectl explain` and `signet crds` show what the field takes.",
  });

/** JSON Pointer to steps; a number is an index only where the value is a list. */
function stepsOf(pointer: string, value: unknown): FieldPath {
  let at = value;
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((part) => {
      const step = Array.isArray(at) ? Number(part) : part;
      at = (at as Readonly<Record<string | number, unknown>> | undefined)?.[step];
      return step;
    });
}

type SchemaNode = { readonly properties?: Readonly<Record<string, SchemaNode>>; readonly items?: SchemaNode };

function knownFields(schema: TSchema, steps: FieldPath): readonly string[] {
  let node: SchemaNode | undefined = schema;
  for (const step of steps) node = typeof step === "number" ? node?.items : node?.properties?.[step];
  return Object.keys(node?.properties ?? {});
}

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
