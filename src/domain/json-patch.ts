/** A value as JSON holds it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** One operation of a JSON Patch (RFC 6902). */
export type PatchOperation =
  | { readonly op: "add" | "replace" | "test"; readonly path: string; readonly value: Json }
  | { readonly op: "remove"; readonly path: string };

/** A JSON Pointer (RFC 6901) to a place inside an object; slashes and tildes inside a step are escaped. */
export const pointer = (...steps: readonly (string | number)[]): string => {
  let path = "";
  for (const step of steps) path += `/${typeof step === "number" ? step : escaped(step)}`;
  return path;
};

/** Looks before it replaces: every review asks for a dozen of these, and few have anything to escape. */
function escaped(step: string): string {
  const tildes = step.includes("~") ? step.replaceAll("~", "~0") : step;
  return tildes.includes("/") ? tildes.replaceAll("/", "~1") : tildes;
}
