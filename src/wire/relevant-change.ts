import { isReservedAnnotation, USERS_MAY_WRITE } from "../domain/reserved-keys.ts";
import type { KubeObject } from "./objects.ts";
import { isRaw, type Raw, rawAt } from "./read-object.ts";
import { NETWORK_ANNOTATIONS } from "./workloads/escapes.ts";
import { shapeOf } from "./workloads/shapes.ts";

/** Objects nested deeper than this are not compared but called different. */
const MAX_DEPTH = 200;

/**
 * Whether an UPDATE touches what a verdict hangs on. Of a controller only its template counts: one that was admitted before
 * and did not change is never refused. Of a Pod or VM also its labels, Signet's annotations (reserved ones and the two that
 * users may write), and the networks it joins while it runs. Replicas, finalizers, owner references and status never count,
 * and lists of managedFields never come this far (`managed-fields.ts`).
 */
export function relevantChange(before: KubeObject, now: KubeObject): boolean {
  const shape = shapeOf(now.apiVersion, now.kind);
  const judged = shape && shape.template.length > 0 ? shape.template : ["spec"];
  if (!same(at(before.raw, judged), at(now.raw, judged), 0)) return true;
  if (shape?.form === "template") return false;
  const was = rawAt(before.raw, "metadata");
  const is = rawAt(now.raw, "metadata");
  const counts = now.kind === "VirtualMachineInstance" ? isNotKubeVirts : () => true;
  if (!same(keysOf(was["labels"], counts), keysOf(is["labels"], counts), 0)) return true;
  return !same(keysOf(was["annotations"], isJudgedAnnotation), keysOf(is["annotations"], isJudgedAnnotation), 0);
}

/** KubeVirt writes labels of its own into a running VMI, at each migration for instance. */
const isNotKubeVirts = (key: string): boolean => !key.startsWith("kubevirt.io/");

const at = (raw: Raw, path: readonly string[]): unknown => {
  let value: unknown = raw;
  for (const step of path) value = isRaw(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  return value;
};

const NETWORKS: ReadonlySet<string> = new Set(NETWORK_ANNOTATIONS);

/** What an annotation's key has to be for a verdict to hang on it. */
export const isJudgedAnnotation = (key: string): boolean =>
  isReservedAnnotation(key) || USERS_MAY_WRITE.has(key) || NETWORKS.has(key);

function keysOf(map: unknown, counts: (key: string) => boolean): unknown {
  return isRaw(map) ? Object.fromEntries(Object.entries(map).filter(([key]) => counts(key))) : (map ?? {});
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
