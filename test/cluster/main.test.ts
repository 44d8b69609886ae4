import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { leftoversOf, processesNaming } from "./leftovers.ts";

const MAIN = join(import.meta.dirname, "main.ts");
/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

function startMain(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, npm_lifecycle_event: undefined, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function runMain(...args: readonly string[]): Promise<Ended> {
  const child = startMain(args);
  const out = collect(child.stdout);
  const err = collect(child.stderr);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout: out(), stderr: err() };
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  let text = "";
  stream?.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
  });
  return () => text;
}

/** Resolves with the first match in what the program prints. */
function printed(child: ChildProcess, pattern: RegExp): Promise<string> {
  const out = collect(child.stdout);
  return new Promise((resolve, reject) => {
    child.stdout?.on("data", () => {
      const found = out().match(pattern)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once("close", () => reject(new Error(`ended without printing ${pattern}: ${out()}`)));
  });
}

const STATE_DIR = /KUBECONFIG=(\S+)\/kubeconfig\/admin/;

describe("the cluster's command line", { timeout: FIRST_BOOT_MS }, () => {
  test("--once hands its command kubectl and KUBECONFIG, passes its exit code on, and leaves no process", async () => {
    const ended = await runMain(
      "--once",
      'echo "state $KUBECONFIG"; kubectl get namespace default -o name; sleep 600.25 & exit 7',
    );
    expect(ended.code).toBe(7);
    expect(ended.stdout).toMatch(/^state \S+\/kubeconfig\/admin\nnamespace\/default\n$/);
    const stateDir = ended.stdout.match(/state (\S+)\/kubeconfig\/admin/)?.[1] ?? "";
    expect(await leftoversOf(stateDir, 0)).toEqual([]);
    expect(await processesNaming("sleep 600.25")).toEqual([]);
  });

  test("a signal ends the cluster in order", async () => {
    const child = startMain([]);
    const stateDir = await printed(child, STATE_DIR);
    const began = Date.now();
    child.kill("SIGTERM");
    const [code] = (await once(child, "exit")) as [number | null];
    expect(code).toBe(143);
    expect(Date.now() - began).toBeLessThan(3_000);
    expect(await leftoversOf(stateDir, 0)).toEqual([]);
  });

  test("a signal while it boots ends it in order too", async () => {
    const parent = await mkdtemp(join(tmpdir(), "signet-test-"));
    const child = startMain([], { TMPDIR: parent });
    await expect.poll(() => processesNaming(`${parent}/signet-cluster`), { timeout: FIRST_BOOT_MS }).not.toEqual([]);
    child.kill("SIGTERM");
    const [code] = (await once(child, "exit")) as [number | null];
    expect(code).toBe(143);
    expect(await processesNaming(parent)).toEqual([]);
    expect(await readdir(parent)).toEqual([]);
    await rm(parent, { recursive: true });
  });

  test("kill -9 of the program leaves no process and no folder", async () => {
    const child = startMain(["--once", 'echo "KUBECONFIG=$KUBECONFIG"; sleep 600.5 & sleep 600.75']);
    const stateDir = await printed(child, STATE_DIR);
    expect(await processesNaming(stateDir)).not.toEqual([]);
    child.kill("SIGKILL");
    expect(await leftoversOf(stateDir, 3_000)).toEqual([]);
    expect(await processesNaming("sleep 600.5")).toEqual([]);
    expect(await processesNaming("sleep 600.75")).toEqual([]);
  });

  test("kill -9 of the npm that started it leaves no process and no folder", async () => {
    // The trailing command keeps the shell from handing its own process over.
    const npm = spawn("/bin/sh", ["-c", `"${process.execPath}" "${MAIN}"; true`], {
      env: { ...process.env, npm_lifecycle_event: "cluster" },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const stateDir = await printed(npm, STATE_DIR);
    npm.kill("SIGKILL");
    expect(await leftoversOf(stateDir, 3_000)).toEqual([]);
  });

  test("an option it does not know ends it with 2 and the help", async () => {
    const ended = await runMain("--nonsense");
    expect(ended).toMatchObject({ code: 2, stdout: "" });
    expect(ended.stderr).toMatch(/^Unknown option '--nonsense'.*npm run cluster -- \[options\]/s);
  });
});
