import type { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { commandInPath, type Reaper } from "./reaper.ts";
import { linkerFlags, type Recipe, versionOf } from "./recipes.ts";

const TAIL_LINES = 12;

/** Whether a Go toolchain is in PATH; an older one fetches the newer it needs by itself. */
export function hasGo(): boolean {
  return commandInPath("go") !== undefined;
}

/**
 * Builds one binary from the module files in `goFolder` to `target`; Go's working files go to `scratch`.
 * Throws with the compiler's last lines when the build fails.
 */
export async function goBuild(
  recipe: Recipe,
  goFolder: string,
  target: string,
  scratch: string,
  reaper: Reaper,
): Promise<void> {
  await mkdir(scratch, { recursive: true });
  const flags = linkerFlags(recipe.module, versionOf(recipe.module, goFolder));
  const tags = recipe.module.tags === undefined ? [] : ["-tags", recipe.module.tags];
  const args = ["build", "-trimpath", "-buildvcs=false", ...tags, "-ldflags", flags, "-o", target, recipe.package];
  const go = reaper.spawn("go", args, {
    cwd: join(goFolder, recipe.module.folder),
    env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off", GOTMPDIR: scratch },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const tail = keepTail(go.stderr);
  const code = await exitOf(go);
  if (code !== 0) throw new Error(`go ${args.join(" ")} ended with ${code}:\n${tail().join("\n")}`);
}

function keepTail(stream: NodeJS.ReadableStream | null): () => readonly string[] {
  let lines: readonly string[] = [];
  stream?.on("data", (chunk: Buffer) => {
    lines = [
      ...lines,
      ...chunk
        .toString("utf8")
        .split("\n")
        .filter((line) => line !== ""),
    ].slice(-TAIL_LINES);
  });
  return () => lines;
}

function exitOf(child: ReturnType<typeof spawn>): Promise<number | NodeJS.Signals | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
}
