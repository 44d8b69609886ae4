import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Reaper } from "../reaper.ts";

/** A program to be started inside; `log` takes both its outputs. */
export type Program = {
  readonly id: string;
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly dir: string;
  readonly log: string;
};

/**
 * The namespaces of a node (network, mounts, processes): all that runs, is mounted or configured in them goes when their
 * first process goes, and that one goes when its input ends, so that `kill -9` of the tool leaves nothing either.
 */
export type Namespaces = {
  /** The network namespace, as a file to enter it by. */
  readonly network: string;
  readonly start: (program: Program) => void;
  /** Sends SIGTERM, and SIGKILL after `graceMs`; resolves when the program has ended. */
  readonly stop: (id: string, graceMs: number) => Promise<void>;
  /** Runs a program to its end; throws with the end of its log when its code is not 0. */
  readonly run: (program: Program) => Promise<void>;
  readonly isRunning: (id: string) => boolean;
};

const FLAGS = ["--net", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"];
const TAIL_LINES = 12;

/** Makes the namespaces; `bin` is the folder with node-init. */
export function makeNamespaces(reaper: Reaper, bin: string): Namespaces {
  const child = reaper.spawn("unshare", [...FLAGS, "--", join(bin, "node-init")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.unref();
  const running = new Map<string, PromiseWithResolvers<number>>();
  hear(child, (id, code) => {
    running.get(id)?.resolve(code);
    running.delete(id);
  });
  child.once("exit", () => {
    for (const each of running.values()) each.resolve(-1);
    running.clear();
  });
  const tell = (order: object): void => void child.stdin?.write(`${JSON.stringify(order)}\n`);
  const start = (program: Program): Promise<number> => {
    const ending = Promise.withResolvers<number>();
    running.set(program.id, ending);
    const env = Object.entries(program.env).map(([name, value]) => `${name}=${value}`);
    tell({ start: { ...program, env } });
    return ending.promise;
  };
  return {
    network: `/proc/${child.pid}/ns/net`,
    start: (program) => void start(program),
    stop: async (id, graceMs) => {
      const ended = running.get(id)?.promise;
      if (ended === undefined) return;
      tell({ signal: { id, signal: 15 } });
      const timer = setTimeout(() => tell({ signal: { id, signal: 9 } }), graceMs);
      await ended;
      clearTimeout(timer);
    },
    run: async (program) => {
      const code = await start(program);
      if (code !== 0) throw new Error(`${program.argv.join(" ")} ended with ${code}:\n${tailOf(program.log)}`);
    },
    isRunning: (id) => running.has(id),
  };
}

function hear(child: ChildProcess, ended: (id: string, code: number) => void): void {
  child.stdin?.on("error", () => undefined);
  if (child.stdout === null) return;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const said = JSON.parse(line) as { readonly id: string; readonly code: number };
    ended(said.id, said.code);
  });
}

/** The last lines of a log; empty where there is none. */
export function tailOf(file: string): string {
  try {
    return readFileSync(file, "utf8").trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
  } catch {
    return "";
  }
}
