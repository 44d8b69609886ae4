import type { Json } from "../domain/json-patch.ts";

type Fields = { readonly [key: string]: Json };
const isFields = (value: Json | undefined): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const at = (fields: Fields, key: string): Json | undefined => (Object.hasOwn(fields, key) ? fields[key] : undefined);

/**
 * What differs between an approved spec and the newest one, one line a field: `mode: observe → enforce`,
 * `namespaces: + cart, - old`. Lists are compared as sets of items; one whose order alone changed says so.
 */
export function specDiff(approved: Json | undefined, newest: Json): readonly string[] {
  return differences("", approved, newest);
}

function differences(path: string, before: Json | undefined, after: Json | undefined): readonly string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (isFields(before) && isFields(after)) return ofFields(path, before, after);
  if (Array.isArray(before) && Array.isArray(after)) return [`${path}: ${ofLists(before, after)}`];
  if (before === undefined) return isFull(after) ? ofFields(path, {}, after) : [`${path}: + ${shown(after)}`];
  if (after === undefined) return [`${path}: - ${shown(before)}`];
  return [`${path}: ${shown(before)} → ${shown(after)}`];
}

const isFull = (value: Json | undefined): value is Fields => isFields(value) && Object.keys(value).length > 0;

const ofFields = (path: string, before: Fields, after: Fields): readonly string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
    differences(path === "" ? printable(key) : `${path}.${printable(key)}`, at(before, key), at(after, key)),
  );

function ofLists(before: readonly Json[], after: readonly Json[]): string {
  const lacks = (list: readonly Json[]) => {
    const known = new Set(list.map((each) => JSON.stringify(each)));
    return (item: Json): boolean => !known.has(JSON.stringify(item));
  };
  const added = after.filter(lacks(before)).map((item) => `+ ${shown(item)}`);
  const gone = before.filter(lacks(after)).map((item) => `- ${shown(item)}`);
  const changed = [...added, ...gone];
  return changed.length > 0 ? changed.join(", ") : `now ${shown(after)}`;
}

/** A value on one line: plain words as they are, lists with commas, everything else as JSON. */
function shown(value: Json | undefined): string {
  if (typeof value === "string") return printable(value);
  const plain = Array.isArray(value) && value.every((item) => typeof item === "string");
  return plain ? `[${value.map(printable).join(", ")}]` : printable(JSON.stringify(value ?? null));
}

/**
 * A text that shows what it holds. What others wrote is read by somebody who decides on it: a control or direction
 * character could make a terminal show something else.
 */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (each) => `\\u{${each.codePointAt(0)?.toString(16) ?? ""}}`);
