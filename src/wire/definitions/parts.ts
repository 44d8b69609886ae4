import { parseDuration } from "../../domain/duration.ts";
import { ok, refuseAll, type Result } from "../../domain/problem.ts";
import { type FieldPath, pathText } from "../documents.ts";
import type { KubeObject } from "../objects.ts";
import { isRaw, type Raw, sourceOf } from "../read-object.ts";

/** The namespace of a namespaced object; without one it is `default`, as kubectl has it. */
export const namespaceOf = (object: KubeObject): string => (object.namespace === "" ? "default" : object.namespace);

/** A duration as seconds; undefined where none is written. */
export function secondsAt(text: string | undefined, object: KubeObject, path: FieldPath): Result<number | undefined> {
  if (text === undefined) return ok(undefined);
  const seconds = parseDuration(text, pathText(path));
  if (seconds.ok) return seconds;
  return refuseAll(seconds.problems.map((found) => ({ ...found, source: sourceOf(object, path) })));
}

/** The texts of a map; what is no text is left out. */
export function textMapAt(raw: Raw, key: string): Readonly<Record<string, string>> {
  const value = raw[key];
  if (!isRaw(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The fields that have a value. */
export function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}
