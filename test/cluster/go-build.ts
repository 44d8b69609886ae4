import type { spawn } from "node:child_process";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { commandInPath, type Reaper } from "./reaper.ts";
import { type GoModule, linkerFlags, type Recipe, versionIn, versionOf } from "./recipes.ts";

const TAIL_LINES = 12;

/** Whether a Go toolchain is in PATH; an older one fetches the newer it needs by itself. */
export function hasGo(): boolean {
  return commandInPath("go") !== undefined;
}

/**
 * Makes one binary, or one folder, from the module files in `goFolder` to `target`; Go's working files go to `scratch`.
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
  const { module } = recipe;
  const cwd = await sourceFolder(module, join(goFolder, module.folder), join(scratch, "source"), reaper);
  const go = (...args: string[]) => runGo(args, cwd, scratch, reaper);
  if ("copy" in recipe) {
    const source = join((await downloadModule(module.path, go)).Dir, recipe.copy);
    return cp(source, target, { recursive: true });
  }
  const flags = linkerFlags(module, versionOf(module, goFolder));
  const tags = module.tags === undefined ? [] : ["-tags", module.tags];
  await go("build", "-trimpath", "-buildvcs=false", ...tags, "-ldflags", flags, "-o", target, recipe.package);
}

type Go = (...args: string[]) => Promise<string>;

/** The module files as they are, or a copy of them beside the patched module that they ask for. */
async function sourceFolder(module: GoModule, given: string, copy: string, reaper: Reaper): Promise<string> {
  const { patched } = module;
  if (patched === undefined) return given;
  await cp(given, copy, { recursive: true });
  const version = versionIn(await readFile(join(given, "go.mod"), "utf8"), patched.module);
  // Asked outside the module files, since in there the module is already replaced.
  const empty = join(copy, "empty");
  await mkdir(empty);
  await writeFile(join(empty, "go.mod"), "module empty\n");
  const asked = `${patched.module}@${version}`;
  const published = await downloadModule(asked, (...args) => runGo(args, empty, copy, reaper, patched.module));
  if (published.Sum !== patched.sum) throw new Error(`${asked} has the sum ${published.Sum}, not ${patched.sum}`);
  await cp(published.Dir, join(copy, patched.folder), { recursive: true });
  const file = join(copy, patched.folder, patched.file);
  const text = await readFile(file, "utf8");
  if (!text.includes(patched.after)) throw new Error(`${patched.file} of ${patched.module} has no ${patched.after}`);
  await rm(file, { force: true });
  await writeFile(file, text.replace(patched.after, `${patched.after}\n${patched.line}`));
  return copy;
}

type Downloaded = { readonly Dir: string; readonly Sum: string };

async function downloadModule(module: string, go: Go): Promise<Downloaded> {
  return JSON.parse(await go("mod", "download", "-json", module)) as Downloaded;
}

/** Runs go to its end and gives what it printed; throws with its last lines when it fails. `unlisted` is a module that the public database of checksums is not asked about. */
async function runGo(
  args: readonly string[],
  cwd: string,
  scratch: string,
  reaper: Reaper,
  unlisted = process.env["GONOSUMDB"],
): Promise<string> {
  const go = reaper.spawn("go", args, {
    cwd,
    env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off", GOTMPDIR: scratch, GONOSUMDB: unlisted },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const out: Buffer[] = [];
  go.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  const tail = keepTail(go.stderr);
  const code = await exitOf(go);
  if (code !== 0) throw new Error(`go ${args.join(" ")} ended with ${code}:\n${tail().join("\n")}`);
  return Buffer.concat(out).toString("utf8");
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
