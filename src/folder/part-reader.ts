import process from "node:process";
import type { Result } from "../domain/problem.ts";
import { type FilePart, readPart } from "./file-part.ts";
import type { TextFile } from "./read-inputs.ts";

/** What is answered for each file. */
export type PartAnswer = Result<FilePart>;

const end = (): void => process.exit(0);

/** A process of its own: reads each file that it is sent, answers, and ends when its parent has no more or is gone. */
process.on("message", (file: TextFile) => {
  const answer: PartAnswer = readPart(file);
  process.send?.(answer);
});
process.on("disconnect", end);
process.on("error", end);
// Ctrl-C reaches every process of a terminal; what is being read may be finished while the parent drains.
process.on("SIGINT", () => undefined);
