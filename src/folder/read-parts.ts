import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { refuse, type Result } from "../domain/problem.ts";
import { type FilePart, readPart } from "./file-part.ts";
import type { PartAnswer } from "./part-reader.ts";
import type { TextFile } from "./read-inputs.ts";

/** YAML is read at about a megabyte a second; what takes longer than a moment is read elsewhere. */
const INLINE_CHARACTERS = 64 * 1024;

/**
 * Reads files, one result for each. Many or large ones are read in a process that ends with them: reviews never wait, and
 * the memory that syntax trees take is given back whole.
 */
export async function readParts(files: readonly TextFile[]): Promise<readonly Result<FilePart>[]> {
  const characters = files.reduce((sum, { text }) => sum + text.length, 0);
  return characters <= INLINE_CHARACTERS ? files.map(readPart) : readElsewhere(files);
}

/** One file is on its way at a time, so that no more than one is held twice. */
function readElsewhere(files: readonly TextFile[]): Promise<readonly Result<FilePart>[]> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const reader = fork(fileURLToPath(new URL(`./part-reader.${extension}`, import.meta.url)), {
    serialization: "advanced",
    execArgv: [],
  });
  return new Promise((resolve) => {
    const results: Result<FilePart>[] = [];
    const next = (): void => {
      const file = files[results.length];
      if (file) reader.send(file);
      else reader.disconnect();
    };
    reader.on("message", (result: PartAnswer) => {
      results.push(result);
      next();
    });
    reader.on("error", (fault) => results.push(unreadable(fault)));
    reader.on("exit", () => resolve(results.length < files.length ? [...results, unreadable("it ended")] : results));
    next();
  });
}

const unreadable = (fault: unknown): Result<never> =>
  refuse("FILE_UNREADABLE", "", `The reader of the catalogue failed: ${String(fault)}.`, "Split large files.");
