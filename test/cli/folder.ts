import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder with one file of manifests, gone after the test. */
export function folderWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "signet-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "input.yaml"), text);
  return folder;
}
