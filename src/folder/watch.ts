import { type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { join } from "node:path";
import type { Problem, Result } from "../domain/problem.ts";
import { readSnapshot, type Snapshot } from "./snapshot.ts";

/** Where a watched folder stands: the last good snapshot, and what is wrong with the newest state, if anything. */
export type FolderState = {
  readonly snapshot?: Snapshot;
  /** When the snapshot was read; in milliseconds since 1970, 0 where there is none. */
  readonly readAt: number;
  readonly problems: readonly Problem[];
  readonly good: number;
  readonly broken: number;
};

/** A folder that is watched until it is closed. */
export type WatchedFolder = { readonly state: () => FolderState; readonly close: () => void };

/** Called after each reading that found something new, good or broken. */
export type Changed = (state: FolderState) => void;

/** How soon a change is read, and how often the folder is looked at where the kernel told nothing. Milliseconds. */
export type Pace = { readonly settleMs: number; readonly rescanMs: number };

const PACE: Pace = { settleMs: 100, rescanMs: 2000 };

/**
 * Reads a folder at once and again whenever it changes. A state that cannot be read leaves the last good one in force.
 * The kernel's notices make it quick; that every change is found hangs on the rescan alone (network file systems and
 * swapped symbolic links, as of a mounted ConfigMap, give no notice).
 */
export function watchFolder(folder: string, changed: Changed, now: () => number, pace: Pace = PACE): WatchedFolder {
  let state: FolderState = { readAt: 0, problems: [], good: 0, broken: 0 };
  let seen = "";
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const trace = traceOf(folder);
    if (trace === seen) return;
    seen = trace;
    const next = step(state, readSnapshot(folder), now());
    const same = next.problems.length === 0 && state.problems.length === 0 && isSame(state, next);
    state = next;
    if (!same) changed(state);
  };
  const soon = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      look();
    }, pace.settleMs);
  };
  look();
  const watcher = tryWatch(folder, soon);
  const rescan = setInterval(look, pace.rescanMs);
  rescan.unref();
  return {
    state: () => state,
    close: () => {
      clearInterval(rescan);
      clearTimeout(timer);
      watcher?.close();
    },
  };
}

const isSame = (a: FolderState, b: FolderState): boolean =>
  a.snapshot !== undefined && a.snapshot.catalogue.revision === b.snapshot?.catalogue.revision;

function step(before: FolderState, read: Result<Snapshot>, at: number): FolderState {
  if (!read.ok) return { ...before, problems: read.problems, broken: before.broken + 1 };
  return { snapshot: read.value, readAt: at, problems: [], good: before.good + 1, broken: before.broken };
}

/** Names, sizes and times of all files: equal traces, equal contents, but for a writer that forges times. */
function traceOf(folder: string): string {
  const lines: string[] = [];
  const walk = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const path = join(at, entry.name);
      if (entry.isDirectory()) {
        if (!entry.name.startsWith(".")) walk(path);
        continue;
      }
      const { size, mtimeMs, ctimeMs, ino } = statSync(path);
      lines.push(`${path} ${size} ${mtimeMs} ${ctimeMs} ${ino}`);
    }
  };
  try {
    walk(folder);
  } catch (fault) {
    return `unreadable: ${String(fault)} ${lines.length}`;
  }
  return lines.sort().join("\n");
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
