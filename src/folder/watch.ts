import { relative } from "node:path";
import { ok, type Problem, refuse, refuseAll, type Result } from "../domain/problem.ts";
import type { GrantSet } from "../wire/grant.ts";
import type { FilePart } from "./file-part.ts";
import { keepLooking, type Pace } from "./keep-looking.ts";
import { readInputs } from "./read-inputs.ts";
import { readParts } from "./read-parts.ts";
import { makeSnapshot, type Snapshot } from "./snapshot.ts";
import { isSameTrace, traceFolder, type Traces } from "./trace.ts";

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
export type WatchedFolder = {
  readonly state: () => FolderState;
  /** Signed grants have changed: makes the snapshot anew of what was read last. */
  readonly remake: () => void;
  readonly close: () => void;
};

/** `changed` hears of each reading that found something new, good or broken. */
export type WatchParts = {
  readonly changed: (state: FolderState) => void;
  readonly now: () => number;
  readonly pace?: Pace;
  /** What is granted by signature beside the folder. */
  readonly grants?: () => GrantSet;
};

/**
 * Reads a folder, and again whenever it changes; only files that changed are read anew. A state that cannot be read leaves
 * the last good one in force.
 */
export async function watchFolder(folder: string, parts: WatchParts): Promise<WatchedFolder> {
  const reader = new FolderReader(folder, parts);
  await reader.look();
  const close = keepLooking(folder, () => reader.look(), parts.pace);
  return { state: () => reader.state, remake: () => reader.remake(), close };
}

class FolderReader {
  readonly #folder: string;
  readonly #parts: WatchParts;
  #files = new Map<string, { readonly trace: string; readonly read: Result<FilePart> }>();
  #seen: Traces | string = "not looked at yet";
  /** What the last good state was made of, by its name in the folder. */
  #good: ReadonlyMap<string, FilePart> | undefined;
  #busy = false;
  state: FolderState = { readAt: 0, problems: [], good: 0, broken: 0 };

  constructor(folder: string, parts: WatchParts) {
    this.#folder = folder;
    this.#parts = parts;
  }

  /** Looks whether anything changed, and reads it until two looks see the same: half a change is not a state. */
  async look(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let traces = this.#trace(); !this.#isSeen(traces); traces = this.#trace()) await this.#read(traces);
    } finally {
      this.#busy = false;
    }
  }

  /** Grants count at once, also while the folder cannot be read: one that was taken away must not stay. */
  remake(): void {
    if (!this.#good) return;
    const before = this.state;
    const made = makeSnapshot(this.#good, this.#parts.grants?.());
    if (!made.ok || made.value.catalogue.revision === before.snapshot?.catalogue.revision) return;
    this.state = { ...before, snapshot: made.value };
    this.#parts.changed(this.state);
  }

  #trace(): Traces | string {
    try {
      return traceFolder(this.#folder);
    } catch (fault) {
      return `"${this.#folder}" could not be read (${fault instanceof Error && "code" in fault ? String(fault.code) : String(fault)}).`;
    }
  }

  #isSeen(traces: Traces | string): boolean {
    if (typeof traces === "string" || typeof this.#seen === "string") return traces === this.#seen;
    return isSameTrace(traces, this.#seen);
  }

  async #read(traces: Traces | string): Promise<void> {
    this.#seen = traces;
    const read =
      typeof traces === "string" ? refuse("FILE_UNREADABLE", "", traces, MEND) : await this.#readFiles(traces);
    const before = this.state;
    this.state = step(before, read, this.#parts.now());
    if (!isNothingNew(before, this.state)) this.#parts.changed(this.state);
  }

  async #readFiles(traces: Traces): Promise<Result<Snapshot>> {
    const changed = [...traces].filter(([path, trace]) => this.#files.get(path)?.trace !== trace).map(([path]) => path);
    const texts = readInputs(changed);
    if (!texts.ok) return texts;
    const read = await readParts(texts.value);
    const files = new Map([...this.#files].filter(([path]) => traces.has(path)));
    for (const [index, path] of changed.entries()) {
      const result = read[index];
      if (result) files.set(path, { trace: traces.get(path) ?? "", read: result });
    }
    this.#files = files;
    const joined = join(this.#folder, files);
    const made = joined.ok ? makeSnapshot(joined.value, this.#parts.grants?.()) : joined;
    if (joined.ok && made.ok) this.#good = joined.value;
    return made;
  }
}

const MEND = "Check the folder and its permissions.";

function join(
  folder: string,
  files: ReadonlyMap<string, { readonly read: Result<FilePart> }>,
): Result<ReadonlyMap<string, FilePart>> {
  const parts = new Map<string, FilePart>();
  const problems: Problem[] = [];
  for (const [path, { read }] of files)
    if (read.ok) parts.set(relative(folder, path), read.value);
    else problems.push(...read.problems);
  return problems.length > 0 ? refuseAll(problems) : ok(parts);
}

function step(before: FolderState, read: Result<Snapshot>, at: number): FolderState {
  if (!read.ok) return { ...before, problems: read.problems, broken: before.broken + 1 };
  const same = before.snapshot?.catalogue.revision === read.value.catalogue.revision;
  const snapshot = same && before.snapshot ? before.snapshot : read.value;
  return { snapshot, readAt: at, problems: [], good: before.good + 1, broken: before.broken };
}

const isNothingNew = (before: FolderState, now: FolderState): boolean =>
  now.problems.length === 0 && before.problems.length === 0 && before.snapshot === now.snapshot;
