import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { Value } from "typebox/value";
import { ok, type Problem, refuseAll, type Result } from "../domain/problem.ts";
import type { FieldPath } from "./documents.ts";
import type { Place } from "./read-object.ts";
import { describeError, type SchemaError } from "./schema-errors.ts";

type Validator = {
  readonly Check: (value: unknown) => boolean;
  readonly Errors: (value: unknown) => readonly SchemaError[];
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
    .flatMap((error) => describeError(error, { schema, value, place, path }));
  return refuseAll(problems.sort(byPlace));
}

/** In the order of the text, whatever the order of the schema. */
const byPlace = ({ source: a }: Problem, { source: b }: Problem): number =>
  (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0);
