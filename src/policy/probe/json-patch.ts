import { ok, refuse, type Result } from "../../domain/problem.ts";

/** One operation of a JSON Patch (RFC 6902); `copy` and `test` don't occur in expectations. */
export type PatchOperation =
  | { readonly op: "add" | "replace"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string }
  | { readonly op: "move"; readonly from: string; readonly path: string };

type Container = unknown[] | Record<string, unknown>;
type Place = { readonly holder: Container; readonly key: string };

/** A copy of the object with the operations done in order. Refuses a path that leads nowhere. */
export function patched(object: unknown, operations: readonly PatchOperation[]): Result<unknown> {
  const copy: unknown = structuredClone(object);
  for (const operation of operations) {
    const done = apply(copy, operation);
    if (!done.ok) return done;
  }
  return ok(copy);
}

function apply(root: unknown, operation: PatchOperation): Result<undefined> {
  if (operation.op === "move") {
    const taken = take(root, operation.from);
    return taken.ok ? put(root, operation.path, taken.value, true) : taken;
  }
  if (operation.op === "remove") {
    const taken = take(root, operation.path);
    return taken.ok ? ok(undefined) : taken;
  }
  return put(root, operation.path, structuredClone(operation.value), operation.op === "add");
}

function take(root: unknown, pointer: string): Result<unknown> {
  const place = find(root, pointer);
  if (!place.ok) return place;
  const { holder, key } = place.value;
  if (Array.isArray(holder)) {
    const index = Number(key);
    return index < holder.length ? ok(holder.splice(index, 1)[0]) : nowhere(pointer);
  }
  if (!Object.hasOwn(holder, key)) return nowhere(pointer);
  const value = holder[key];
  delete holder[key];
  return ok(value);
}

function put(root: unknown, pointer: string, value: unknown, insert: boolean): Result<undefined> {
  const place = find(root, pointer);
  if (!place.ok) return place;
  const { holder, key } = place.value;
  if (!Array.isArray(holder)) {
    if (!insert && !Object.hasOwn(holder, key)) return nowhere(pointer);
    Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
    return ok(undefined);
  }
  const index = key === "-" ? holder.length : Number(key);
  if (!(index <= (insert ? holder.length : holder.length - 1))) return nowhere(pointer);
  holder.splice(index, insert ? 0 : 1, value);
  return ok(undefined);
}

/** The container that a JSON Pointer (RFC 6901) leads into, and the key in it. */
function find(root: unknown, pointer: string): Result<Place> {
  const steps = pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  const key = steps.pop();
  if (!pointer.startsWith("/") || key === undefined) return nowhere(pointer);
  let holder: unknown = root;
  for (const step of steps)
    holder = isContainer(holder) && Object.hasOwn(holder, step) ? Reflect.get(holder, step) : undefined;
  return isContainer(holder) ? ok({ holder, key }) : nowhere(pointer);
}

const isContainer = (value: unknown): value is Container => typeof value === "object" && value !== null;

const nowhere = (pointer: string): Result<never> =>
  refuse("FIELD_INVALID", pointer, `The patch leads nowhere: there is no ${pointer}.`);
