import { type Json, Refusal } from "./object-store.ts";

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch))
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  return merged;
}

export type Operation = { readonly op: string; readonly path: string; readonly value?: unknown };

/** RFC 6902: add, replace, remove and test. */
export function jsonPatch(target: Json, operations: readonly Operation[]): Json {
  const result = structuredClone(target) as Record<string, unknown>;
  for (const operation of operations) applyOperation(result, operation);
  return result;
}

function applyOperation(root: Record<string, unknown>, { op, path, value }: Operation): void {
  const steps = path
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = steps.pop() ?? "";
  let at: unknown = root;
  for (const step of steps) at = (at as Record<string, unknown> | undefined)?.[step];
  if (typeof at !== "object" || at === null) throw new Refusal(422, "Invalid", `the path ${path} does not exist`);
  if (Array.isArray(at)) changeList(at, { op, path, value }, last === "-" ? at.length : Number(last));
  else changeObject(at as Record<string, unknown>, { op, path, value }, last);
}

function changeList(list: unknown[], { op, value }: Operation, index: number): void {
  if (op === "add") list.splice(index, 0, value);
  else if (op === "replace") list[index] = value;
  else list.splice(index, 1);
}

function changeObject(object: Record<string, unknown>, { op, path, value }: Operation, key: string): void {
  if (op !== "add" && !(key in object)) throw new Refusal(422, "Invalid", `the path ${path} does not exist`);
  if (op === "remove") delete object[key];
  else if (op === "test") {
    if (JSON.stringify(object[key]) !== JSON.stringify(value)) throw new Refusal(422, "Invalid", `test ${path} failed`);
  } else object[key] = value;
}
