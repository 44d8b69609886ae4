import type { Problem } from "../domain/problem.ts";
import { type FieldPath, pathText } from "./documents.ts";
import { isRaw, nearest, type Place, problemAt } from "./read-object.ts";

/** One error of TypeBox's validator. */
export type SchemaError = {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
};

/** As much of a schema as its errors are explained with. */
type SchemaNode = {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly description?: string;
  /** What a text with a pattern is, as the end of the sentence "This is not …". */
  readonly form?: string;
};

type Params = Readonly<Record<string, unknown>>;

/** What was read: a value by its schema, at a path of the place. */
export type Reading = {
  readonly schema: SchemaNode;
  readonly value: unknown;
  readonly place: Place;
  readonly path: FieldPath;
};

/** Says what is wrong where: one Problem for each field that is unknown, missing or wrong. */
export function describeError(error: SchemaError, { schema, value, place, path: base }: Reading): readonly Problem[] {
  const steps = stepsOf(error.instancePath, value);
  const path = [...base, ...steps];
  const node = nodeAt(schema, steps);
  const params = error.params as Params;
  if (error.keyword === "required")
    return listed(params, "requiredProperties").map((name) => missing(name, node, place, path));
  if (error.keyword === "additionalProperties")
    return listed(params, "additionalProperties").map((name) => unknownField(name, node, place, path));
  const found = valueAt(value, steps);
  const sentence = SENTENCES[error.keyword];
  const message = sentence ? sentence(params, found, node) : `The value ${error.message}.`;
  return [problemAt(place, path, { code: "FIELD_INVALID", message, mend: mendOf(error.keyword, params, found, node) })];
}

/** One sentence for each keyword that our schemas use. */
const SENTENCES: Readonly<Record<string, (params: Params, found: unknown, node: SchemaNode) => string>> = {
  type: (params, found) =>
    `The value must be ${TYPES[String(params["type"])] ?? String(params["type"])}, and is ${kindOf(found)}.`,
  enum: (params, found) => `${quoted(found)} is none of ${listed(params, "allowedValues").join(", ")}.`,
  pattern: (params, found, node) =>
    `${quoted(found)} is not ${node.form ?? `of the form ${String(params["pattern"])}`}.`,
  format: (_, found) => `${quoted(found)} is not a date and time.`,
  minLength: ({ limit }) =>
    limit === 1 ? "The text is empty." : `The text has fewer than ${String(limit)} characters.`,
  maxLength: ({ limit }) => `The text has more than ${String(limit)} characters.`,
  minItems: ({ limit }) => (limit === 1 ? "The list is empty." : `The list has fewer than ${String(limit)} items.`),
  maxItems: ({ limit }) => `The list has more than ${String(limit)} items.`,
  maxProperties: ({ limit }) => `The map has more than ${String(limit)} entries.`,
  uniqueItems: () => "An item stands here twice.",
  minimum: ({ limit }, found) => `${String(found)} is less than ${String(limit)}.`,
  maximum: ({ limit }, found) => `${String(found)} is more than ${String(limit)}.`,
};

const TYPES: Readonly<Record<string, string>> = {
  string: "a text",
  object: "an object",
  array: "a list",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
};

function kindOf(found: unknown): string {
  if (found === null) return "null";
  if (Array.isArray(found)) return "a list";
  if (typeof found === "boolean") return String(found);
  if (typeof found === "number") return "a number";
  return typeof found === "string" ? "a text" : "an object";
}

const quoted = (found: unknown): string =>
  typeof found === "string" ? `"${found.slice(0, 80)}"` : (JSON.stringify(found) ?? "nothing").slice(0, 80);

function mendOf(keyword: string, params: Params, found: unknown, node: SchemaNode): string {
  const fixed = MENDS[keyword]?.(params, found);
  if (fixed !== undefined) return fixed;
  return node.description === undefined ? "Correct the value." : `What belongs here: ${lowerFirst(node.description)}`;
}

/** Keywords that can tell what to do; where they can't, the field's description has to. */
const MENDS: Readonly<Record<string, (params: Params, found: unknown) => string | undefined>> = {
  format: () => "Write it as RFC 3339 says, for example 2027-01-31T00:00:00Z.",
  uniqueItems: () => "Take one of the two away.",
  type: (params, found) => (params["type"] === "string" ? quoteIt(found) : undefined),
  enum: (params, found) => {
    const near = typeof found === "string" ? nearest(found, listed(params, "allowedValues")) : undefined;
    return near && `Did you mean ${near}?`;
  },
};

function quoteIt(found: unknown): string | undefined {
  if (typeof found === "number") return `Quote it: "${found}".`;
  return typeof found === "boolean" ? QUOTE_WORD : undefined;
}

const QUOTE_WORD = "Quote it: YAML reads the bare words yes, no, on, off, y and n as true or false.";

/** Words in capitals (TTL, DNS) stay. */
const lowerFirst = (text: string): string =>
  /^[A-Z][a-z ]/.test(text) ? `${text.charAt(0).toLowerCase()}${text.slice(1)}` : text;

const missing = (name: string, node: SchemaNode, place: Place, path: FieldPath): Problem => {
  const description = node.properties?.[name]?.description;
  const what = description === undefined ? "" : `: ${lowerFirst(description).replace(/\.$/, "")}`;
  return {
    ...problemAt(place, path, {
      code: "FIELD_MISSING",
      message: `The field "${name}" is missing.`,
      mend: `Write ${pathText([...path, name])}${what}.`,
    }),
    path: pathText([...path, name]),
  };
};

function unknownField(name: string, node: SchemaNode, place: Place, path: FieldPath): Problem {
  const known = Object.keys(node.properties ?? {});
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

const listed = (params: Params, key: string): readonly string[] => {
  const value = params[key];
  return Array.isArray(value) ? value.map(String) : [];
};

/** JSON Pointer to steps; a number is an index only where the value is a list. */
function stepsOf(pointer: string, value: unknown): FieldPath {
  let at = value;
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((part) => {
      const step = Array.isArray(at) ? Number(part) : part;
      at = valueAt(at, [step]);
      return step;
    });
}

function valueAt(value: unknown, steps: FieldPath): unknown {
  let at = value;
  for (const step of steps) {
    if (Array.isArray(at) && typeof step === "number") at = at[step];
    else at = isRaw(at) && Object.hasOwn(at, step) ? at[step] : undefined;
  }
  return at;
}

function nodeAt(schema: SchemaNode, steps: FieldPath): SchemaNode {
  let node: SchemaNode = schema;
  for (const step of steps) node = (typeof step === "number" ? node.items : node.properties?.[step]) ?? {};
  return node;
}
