import { spawn } from "node:child_process";

export type KubectlOptions = { readonly stdin?: string; readonly timeoutMs?: number };

/** `code` is null when kubectl was ended by a signal or by `timeoutMs`. */
export type KubectlResult = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Runs a kubectl with the given environment; throws only when it cannot be started. */
export function runKubectl(
  binary: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  options: KubectlOptions,
): Promise<KubectlResult> {
  const child = spawn(binary, args, {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "pipe"],
    timeout: options.timeoutMs ?? 60_000,
    killSignal: "SIGKILL",
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // kubectl may end without reading what it is given.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.stdin ?? "");
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ code, stdout: Buffer.concat(stdout).toString("utf8"), stderr: Buffer.concat(stderr).toString("utf8") });
    });
  });
}
