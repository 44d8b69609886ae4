import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { onTestFinished } from "vitest";

/** A program of the test's own that runs. */
export type Running = {
  /** Whole lines that it wrote, both outputs in one. */
  readonly lines: () => readonly string[];
  readonly stop: () => Promise<void>;
};

/** Starts a program, which ends with the test at the latest. */
export function start(argv: readonly string[], env: Readonly<Record<string, string>> = {}, cwd = "/"): Running {
  const [command = "", ...args] = argv;
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  const ended = once(child, "exit");
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    await ended;
  };
  onTestFinished(stop);
  return { lines: () => text.split("\n").slice(0, -1), stop };
}

/** Resolves when somebody listens; throws with what the program said where nobody does in half a minute. */
export async function listening(port: number, program: Running): Promise<void> {
  for (const until = Date.now() + 30_000; ; await pause(50)) {
    if (await accepts(port)) return;
    if (Date.now() > until) throw new Error(`nobody listens on ${port}:\n${program.lines().join("\n")}`);
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
