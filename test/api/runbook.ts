import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** One block of commands in a page: the nearest words before it in bold, and whether it needs nodes. */
export type Block = { readonly title: string; readonly script: string; readonly needsNodes: boolean };

const root = join(import.meta.dirname, "..", "..");

/** The blocks marked `sh` of a page in docs, in order; other blocks are shown, not run. */
export function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(join(root, "docs", page), "utf8");
  return [...text.matchAll(/^```(\w+)( nodes)?\n([\s\S]*?)^```$/gm)]
    .filter(([, language]) => language === "sh")
    .map((match, index) => {
      const before = text.slice(0, match.index);
      const title = [...before.matchAll(/^(?:\*\*(.+?)\*\*|## (.+))/gm)].at(-1);
      return {
        title: `${index + 1}: ${(title?.[1] ?? title?.[2] ?? "").replace(/\.$/, "")}`,
        script: match[3] ?? "",
        needsNodes: match[2] !== undefined,
      };
    });
}

/** What a script left behind. */
export type Ran = { readonly code: number | null; readonly output: string };

/** Runs a block as somebody would who pastes it into bash, but that the first failure ends it. */
export function runScript(script: string, cwd: string, env: Readonly<Record<string, string>>): Promise<Ran> {
  const child = spawn("bash", ["--norc", "-euo", "pipefail", "-c", script], { cwd, env: { ...process.env, ...env } });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
    });
  child.stdin.end();
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}
