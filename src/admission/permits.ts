import type { Escape } from "../domain/workload.ts";

const HOST_PATH = "hostPath:";

/**
 * Whether one of the words permits the escape. `hostPath:/srv` permits /srv and all below it; a path that steps back with
 * `..` is permitted by nothing.
 */
export const permits = (words: readonly string[], escape: Escape): boolean =>
  escape.check === "hostPath"
    ? permitsPath(words, escape.permit.slice(HOST_PATH.length))
    : words.includes(escape.permit);

function permitsPath(words: readonly string[], path: string): boolean {
  if (path.split("/").includes("..")) return false;
  return words.some((word) => {
    if (!word.startsWith(HOST_PATH)) return false;
    const root = word.slice(HOST_PATH.length).replace(/\/+$/, "");
    return path === root || path.startsWith(`${root}/`);
  });
}
