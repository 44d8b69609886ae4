import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Path of each manifest below a folder, and a text that changes when the file does (size, times, inode). */
export type Traces = ReadonlyMap<string, string>;

const MANIFEST = /\.(ya?ml|json)$/;

/** Looks at a folder without reading a file; folders whose name begins with a dot are left aside. Throws where it can't. */
export function traceFolder(folder: string, pattern = MANIFEST): Traces {
  const traces = new Map<string, string>();
  const walk = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const path = join(at, entry.name);
      if (entry.isDirectory()) {
        if (!entry.name.startsWith(".")) walk(path);
      } else if (pattern.test(entry.name)) {
        const { size, mtimeMs, ctimeMs, ino } = statSync(path);
        traces.set(path, `${size} ${mtimeMs} ${ctimeMs} ${ino}`);
      }
    }
  };
  walk(folder);
  return traces;
}

/** Whether two looks saw the same. */
export const isSameTrace = (a: Traces, b: Traces): boolean =>
  a.size === b.size && [...a].every(([path, trace]) => b.get(path) === trace);
