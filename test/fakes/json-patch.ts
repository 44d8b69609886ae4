import type { PatchOperation } from "../../src/domain/json-patch.ts";

type Holder = Record<string, unknown> | unknown[];

/** Applies a JSON Patch as the API server does: all of it, or, with a reason thrown, nothing. */
export function applyPatch<T>(object: T, patch: readonly PatchOperation[]): T {
  const root = { root: structuredClone(object) };
  for (const operation of patch) apply(root, operation);
  return root.root;
}

function apply(root: { root: unknown }, operation: PatchOperation): void {
  const steps = operation.path.split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = steps.length === 1 ? "root" : (steps.at(-1) ?? "");
  let holder: Holder = root;
  for (const step of steps.length === 1 ? [] : ["root", ...steps.slice(1, -1)]) holder = into(holder, step, operation);
  if (operation.op === "test") {
    if (JSON.stringify(at(holder, last)) !== JSON.stringify(operation.value)) fail(operation, "is not what was tested");
  } else if (operation.op === "remove") remove(holder, last, operation);
  else if (Array.isArray(holder)) addToList(holder, last, operation);
  else if (operation.op === "replace" && !Object.hasOwn(holder, last)) fail(operation, "is not there");
  else holder[last] = structuredClone(operation.value);
}

const at = (holder: Holder, step: string): unknown =>
  Array.isArray(holder) ? holder[Number(step)] : Object.hasOwn(holder, step) ? holder[step] : undefined;

function into(holder: Holder, step: string, operation: PatchOperation): Holder {
  const value = at(holder, step);
  if (typeof value !== "object" || value === null) return fail(operation, `has no ${step}`);
  return value as Holder;
}

function remove(holder: Holder, step: string, operation: PatchOperation): void {
  if (at(holder, step) === undefined) fail(operation, "is not there");
  if (Array.isArray(holder)) holder.splice(Number(step), 1);
  else delete holder[step];
}

function addToList(list: unknown[], step: string, operation: PatchOperation & { readonly value: unknown }): void {
  const index = step === "-" ? list.length : Number(step);
  if (!(index >= 0 && index <= list.length)) fail(operation, "is outside of the list");
  list.splice(index, operation.op === "replace" ? 1 : 0, structuredClone(operation.value));
}

function fail(operation: PatchOperation, why: string): never {
  throw new Error(`${operation.op} ${operation.path}: the place ${why}`);
}
