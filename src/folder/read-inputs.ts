import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ok, refuse, type Result } from "../domain/problem.ts";

/** A text file and the path it was read from. */
export type TextFile = { readonly name: string; readonly text: string };

const MANIFEST = /\.(ya?ml|json)$/;
const STANDARD_INPUT = 0;

/**
 * Reads the YAML and JSON files at the paths: a file as it is, every `.yaml`, `.yml` and `.json` below a folder in order of
 * name (folders whose name begins with a dot left aside), `-` for standard input. Refuses with FILE_UNREADABLE.
 */
export function readInputs(paths: readonly string[]): Result<readonly TextFile[]> {
  const files: TextFile[] = [];
  for (const path of paths) {
    try {
      for (const name of filesAt(path))
        files.push({ name, text: readFileSync(name === "-" ? STANDARD_INPUT : name, "utf8") });
    } catch (fault) {
      const reason = fault instanceof Error && "code" in fault ? String(fault.code) : "unknown";
      return refuse(
        "FILE_UNREADABLE",
        "",
        `"${path}" could not be read (${reason}).`,
        "Check the path and its permissions.",
      );
    }
  }
  return ok(files);
}

function filesAt(path: string): readonly string[] {
  if (path === "-" || !statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const inner = join(path, entry.name);
      if (entry.isDirectory()) return entry.name.startsWith(".") ? [] : filesAt(inner);
      return MANIFEST.test(entry.name) ? [inner] : [];
    });
}
