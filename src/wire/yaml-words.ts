import { isRaw, type Raw } from "./read-object.ts";

/**
 * kubectl and GitOps tools read YAML 1.1, where the bare key `on` is the word true: the API server is sent a field "true".
 * So a field with such a name has a second name, in the CRDs and here. No field of ours may be called by both.
 */
const SECOND_NAMES: Readonly<Record<string, string>> = {
  on: "true",
  yes: "true",
  y: "true",
  off: "false",
  no: "false",
  n: "false",
};

/** The name under which YAML 1.1 hands in a field that is called like one of its booleans; undefined for other names. */
export const secondNameOf = (field: string): string | undefined =>
  Object.hasOwn(SECOND_NAMES, field) ? SECOND_NAMES[field] : undefined;

type Node = { readonly properties?: Readonly<Record<string, Node>>; readonly items?: Node };

/** The value with every second name that its schema knows replaced by the first; where both stand, it is left alone. */
export function byFirstNames(schema: Node, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => byFirstNames(schema.items ?? {}, item));
  const properties = schema.properties;
  if (!isRaw(value) || properties === undefined) return value;
  const first = firstNames(properties, value);
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => {
      const name = first.get(key) ?? key;
      const inner = Object.hasOwn(properties, name) ? properties[name] : undefined;
      return [name, inner === undefined ? child : byFirstNames(inner, child)];
    }),
  );
}

/** Second name → first name, of those that stand in the value alone. */
function firstNames(properties: Readonly<Record<string, Node>>, value: Raw): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const field of Object.keys(properties)) {
    const second = secondNameOf(field);
    if (second !== undefined && !Object.hasOwn(properties, second) && !Object.hasOwn(value, field))
      names.set(second, field);
  }
  return names;
}
