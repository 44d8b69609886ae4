import { type FSWatcher, watch } from "node:fs";

/** How soon a change is read, and how often the folder is looked at where the kernel told nothing. Milliseconds. */
export type Pace = { readonly settleMs: number; readonly rescanMs: number };

const PACE: Pace = { settleMs: 100, rescanMs: 2000 };

/**
 * Looks again whenever something changes in a folder, until the function that it gives is called. The kernel's notices make
 * it quick; that every change is found hangs on the rescan alone (network file systems, and swapped symbolic links as of a
 * mounted ConfigMap, give no notice).
 */
export function keepLooking(
  folder: string,
  look: () => Promise<void>,
  { settleMs, rescanMs }: Pace = PACE,
): () => void {
  let timer: NodeJS.Timeout | undefined;
  const soon = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      void look();
    }, settleMs);
  };
  const watcher = tryWatch(folder, soon);
  const rescan = setInterval(() => void look(), rescanMs);
  rescan.unref();
  return () => {
    clearInterval(rescan);
    clearTimeout(timer);
    watcher?.close();
  };
}

/** Notices are a help and not a need: where the kernel has none to give, the rescan does it alone. */
function tryWatch(folder: string, soon: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { recursive: true }, soon);
    watcher.on("error", () => watcher.close());
    watcher.unref();
    return watcher;
  } catch {
    return undefined;
  }
}
