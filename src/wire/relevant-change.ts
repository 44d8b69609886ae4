import { EXCEPTION_ANNOTATION, isReservedAnnotation, USE_ROLE_ANNOTATION } from "../domain/reserved-keys.ts";
import type { KubeObject } from "./objects.ts";
import { isRaw, type Raw, rawAt } from "./read-object.ts";
import { shapeOf } from "./workloads/shapes.ts";

/** Objects nested deeper than this are not compared but called different. */
const MAX_DEPTH = 200;

/**
 * Whether an UPDATE touches what a verdict hangs on: spec or template, labels, or an annotation of Signet's (reserved ones
 * and the two that users may write). Replicas, finalizers, owner references, status and foreign annotations do not count.
 */
export function relevantChange(before: KubeObject, now: KubeObject): boolean {
  const path = shapeOf(now.apiVersion, now.kind)?.template ?? [];
  const judged = path.length === 0 ? ["spec"] : path;
  if (!same(at(before.raw, judged), at(now.raw, judged), 0)) return true;
  const was = rawAt(before.raw, "metadata");
  const is = rawAt(now.raw, "metadata");
  if (!same(was["labels"] ?? {}, is["labels"] ?? {}, 0)) return true;
  return !same(ours(was["annotations"]), ours(is["annotations"]), 0);
}

const at = (raw: Raw, path: readonly string[]): unknown => {
  let value: unknown = raw;
  for (const step of path) value = isRaw(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  return value;
};

/** What an annotation's key has to be for a verdict to hang on it. */
export const isJudgedAnnotation = (key: string): boolean =>
  isReservedAnnotation(key) || key === EXCEPTION_ANNOTATION || key === USE_ROLE_ANNOTATION;

function ours(annotations: unknown): unknown {
  if (!isRaw(annotations)) return annotations ?? {};
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => isJudgedAnnotation(key)));
}

function same(a: unknown, b: unknown, depth: number): boolean {
  if (a === b) return true;
  if (depth > MAX_DEPTH) return false;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((each, index) => same(each, b[index], depth + 1));
  if (!isRaw(a) || !isRaw(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key], depth + 1));
}
