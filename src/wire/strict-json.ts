import type { Json } from "../domain/json-patch.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";

/**
 * Reads JSON (RFC 8259) that says each name once: where a name stands twice, two readers can believe two things. Refuses with
 * FIELD_INVALID or FIELD_CONFLICT; `what` names the document in the refusal.
 */
export function readStrictJson(text: string, what: string): Result<Json> {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return refuse("FIELD_INVALID", "", `${what} is not JSON.`);
  }
  const twice = repeatedName(text);
  return twice === undefined
    ? ok(value)
    : refuse("FIELD_CONFLICT", twice.slice(0, 80), `${what} says "${twice.slice(0, 80)}" twice.`, "Say it once.");
}

const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]/g;

/** The first name that an object of this well-formed JSON says twice, escapes resolved. */
function repeatedName(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  let last = "";
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":") {
      const name = String(JSON.parse(last));
      const names = open.at(-1);
      if (names?.has(name)) return name;
      names?.add(name);
    }
    last = token;
  }
  return undefined;
}
