import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ComponentName } from "./components.ts";
import type { Reaper } from "./reaper.ts";

/** Runs the components of one cluster, each with a log of its own under `logs/`. */
export type Runner = {
  readonly start: (name: ComponentName, flags: readonly string[]) => void;
  /** SIGTERM, and SIGKILL after `graceMs` (at once when 0); resolves when the process has ended. */
  readonly stop: (name: ComponentName, graceMs: number) => Promise<void>;
  /** Polls until `check` gives true; throws, with the end of the component's log, when that one dies or time is up. */
  readonly until: (name: ComponentName, what: string, check: () => Promise<boolean>) => Promise<void>;
  readonly running: () => readonly ComponentName[];
};

/** A component that ended or did not get ready; the message carries the end of its log. */
export class ComponentFailure extends Error {
  readonly component: ComponentName;
  readonly logTail: string;
  constructor(component: ComponentName, what: string, logTail: string) {
    super(`${component} ${what}; the end of its log:\n${logTail}`);
    this.component = component;
    this.logTail = logTail;
  }
}

const READY_MS = 90_000;
const POLL_MS = 40;
const TAIL_LINES = 8;

/** Runs binaries from `bin/` of the state folder, which is also their working directory; `signal` ends waiting. */
export function makeRunner(stateDir: string, reaper: Reaper, signal?: AbortSignal): Runner {
  // etcd reads ETCD_*, all of them proxies: a test cluster must be the same in every environment.
  const env = { PATH: process.env["PATH"], HOME: stateDir };
  const children = new Map<ComponentName, ChildProcess>();
  const logFile = (name: ComponentName) => join(stateDir, "logs", `${name}.log`);
  const alive = (name: ComponentName) => isAlive(children.get(name));
  return {
    start: (name, flags) => {
      const log = openSync(logFile(name), "a", 0o600);
      const child = reaper.spawn(join(stateDir, "bin", name), flags, {
        cwd: stateDir,
        env,
        stdio: ["ignore", log, log],
      });
      closeSync(log);
      child.unref();
      children.set(name, child);
    },
    stop: async (name, graceMs) => {
      const child = children.get(name);
      if (child === undefined || !isAlive(child)) return;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.ref();
      child.kill(graceMs === 0 ? "SIGKILL" : "SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
      await ended;
      clearTimeout(timer);
    },
    until: async (name, what, check) => {
      const deadline = Date.now() + READY_MS;
      while (!(await check())) {
        signal?.throwIfAborted();
        if (!alive(name)) throw new ComponentFailure(name, "ended by itself", tailOf(logFile(name)));
        if (Date.now() > deadline)
          throw new ComponentFailure(name, `was not ready in time: ${what}`, tailOf(logFile(name)));
        await sleep(POLL_MS);
      }
    },
    running: () => [...children.keys()].filter(alive),
  };
}

function isAlive(child: ChildProcess | undefined): boolean {
  return child !== undefined && child.exitCode === null && child.signalCode === null;
}

function tailOf(file: string): string {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  return lines.slice(-TAIL_LINES).join("\n");
}
