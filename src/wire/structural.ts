import { isRaw, type Raw } from "./read-object.ts";
import { secondNameOf } from "./yaml-words.ts";

/** One node of a structural OpenAPI v3 schema, as a CustomResourceDefinition holds it. */
export type StructuralSchema = { readonly [keyword: string]: unknown };

/** Keywords that mean the same in both, or that only Kubernetes reads. */
const KEPT: ReadonlySet<string> = new Set([
  "type",
  "description",
  "default",
  "format",
  "pattern",
  "enum",
  "required",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
  "x-kubernetes-validations",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-map-type",
]);

const TYPES: ReadonlySet<unknown> = new Set(["object", "array", "string", "integer", "number", "boolean"]);

/** The pattern by which TypeBox writes a map with any text as key. */
const ANY_KEY = "^.*$";

/**
 * Translates a TypeBox schema to a structural one (Kubernetes, "Specifying a structural schema"). What has no structural
 * form is a fault of ours and throws, with the path of the node: const, anyOf, null, patterns of keys, lists of types.
 */
export function structural(schema: object, path: string): StructuralSchema {
  const node = schema as Raw;
  const out: Record<string, unknown> = { type: typeOf(node, path) };
  for (const [keyword, value] of Object.entries(node)) {
    if (value === undefined) continue;
    if (KEPT.has(keyword)) out[keyword] ??= value;
    else Object.assign(out, translated(keyword, value, node, path));
  }
  return isRaw(out["properties"]) ? withSecondNames(out, out["properties"]) : out;
}

/** Gives each field that YAML 1.1 would rename its second name, and lets one of the two stand. */
function withSecondNames(node: StructuralSchema, properties: Raw): StructuralSchema {
  const renamed = Object.keys(properties).filter((field) => secondNameOf(field) !== undefined);
  if (renamed.length === 0) return node;
  const required = Array.isArray(node["required"]) ? node["required"].map(String) : [];
  const rules = node["x-kubernetes-validations"];
  const twins = renamed.map((field) => [secondNameOf(field) ?? "", twinOf(field, properties[field])]);
  const stillRequired = required.filter((field) => !renamed.includes(field));
  const { required: _, ...rest } = node;
  return {
    ...rest,
    ...(stillRequired.length === 0 ? {} : { required: stillRequired }),
    properties: { ...properties, ...Object.fromEntries(twins) },
    "x-kubernetes-validations": [
      ...(Array.isArray(rules) ? rules : []),
      ...renamed.map((field) => oneName(field, required.includes(field))),
    ],
  };
}

const twinOf = (field: string, schema: unknown): object => ({
  ...(isRaw(schema) ? schema : {}),
  description: `The same as \`${field}\`, which YAML 1.1 reads as the word ${secondNameOf(field)} where it stands unquoted.`,
});

/** CEL escapes field names that are its own words. */
const oneName = (field: string, required: boolean): object => ({
  rule: required
    ? `has(self.${field}) != has(self.__${secondNameOf(field)}__)`
    : `!has(self.${field}) || !has(self.__${secondNameOf(field)}__)`,
  message: required ? `the field ${field} is missing, or stands here twice` : `the field ${field} stands here twice`,
});

/** TypeBox gives an enum no type; ours are words. */
function typeOf(node: Raw, path: string): unknown {
  const words = node["enum"];
  if (Array.isArray(words) && words.length > 0 && words.every((word) => typeof word === "string")) return "string";
  if (words === undefined && TYPES.has(node["type"])) return node["type"];
  throw new TypeError(`${path}: a structural schema needs one type, and words where it lists values`);
}

function translated(keyword: string, value: unknown, node: Raw, path: string): StructuralSchema {
  const made = isRaw(value) ? translatedSchema(keyword, value, path) : undefined;
  if (made !== undefined) return made;
  if (isDropped(keyword, value, node)) return {};
  throw new TypeError(`${path}: "${keyword}" has no structural form`);
}

/** Keywords whose value holds further schemas. */
function translatedSchema(keyword: string, value: Raw, path: string): StructuralSchema | undefined {
  if (keyword === "properties") return { properties: propertiesOf(value, path) };
  if (keyword === "items") return { items: structural(value, `${path}[]`) };
  return keyword === "patternProperties" ? { additionalProperties: valuesOf(value, path) } : undefined;
}

function isDropped(keyword: string, value: unknown, node: Raw): boolean {
  // Unknown fields are pruned or refused by the API server itself, and it forbids this word beside `properties`.
  if (keyword === "additionalProperties") return value === false && node["patternProperties"] === undefined;
  // The API server forbids uniqueItems: its running time is quadratic. A list of type set says the same.
  if (keyword === "uniqueItems") return node["x-kubernetes-list-type"] === "set";
  // What a pattern means in words is for readers of files.
  return keyword === "form";
}

const propertiesOf = (properties: Raw, path: string): StructuralSchema =>
  Object.fromEntries(
    Object.entries(properties).map(([name, child]) => {
      if (!isRaw(child)) throw new TypeError(`${path}.${name}: is no schema`);
      return [name, structural(child, `${path}.${name}`)];
    }),
  );

function valuesOf(patterns: Raw, path: string): StructuralSchema {
  const [pattern, ...more] = Object.keys(patterns);
  const child = patterns[ANY_KEY];
  if (pattern !== ANY_KEY || more.length > 0 || !isRaw(child))
    throw new TypeError(`${path}: keys with a pattern have no structural form`);
  return structural(child, `${path}.*`);
}
