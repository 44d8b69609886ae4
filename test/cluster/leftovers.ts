import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

/** The living processes whose command line holds the text, as `PID COMMAND LINE`; zombies have none and are left out. */
export async function processesNaming(text: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)("ps", ["-eo", "pid=,stat=,args="], { maxBuffer: 1 << 26 });
  return stdout
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.includes(text) && !/^\d+ Z/.test(line));
}

/** What is left of a state folder: its processes and itself. Waits up to `patienceMs` for nothing. */
export async function leftoversOf(stateDir: string, patienceMs: number): Promise<readonly string[]> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const left = [...(await processesNaming(stateDir)), ...(existsSync(stateDir) ? [stateDir] : [])];
    if (left.length === 0 || Date.now() > deadline) return left;
    await sleep(50);
  }
}
