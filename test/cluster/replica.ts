import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { stringify } from "yaml";
import type { Reaper } from "./reaper.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** One `signet server --mode cluster` as a child process. */
export type Replica = {
  readonly name: string;
  readonly port: number;
  readonly state: string;
  readonly pid: number;
  /** /readyz as it answers now: its status, 0 where nothing answers, and its text. */
  readonly readyz: () => Promise<{ readonly status: number; readonly text: string }>;
  readonly metrics: () => Promise<string>;
  /** What it answers at another path. */
  readonly text: (path: string) => Promise<string>;
  /** Lines of its log so far, as JSON objects. */
  readonly log: () => readonly Readonly<Record<string, unknown>>[];
  readonly running: () => boolean;
  /** Sends the signal and resolves when the process has ended; gives its exit code. */
  readonly end: (signal: "SIGTERM" | "SIGKILL") => Promise<number | null>;
};

/** How one replica is started. */
export type ReplicaOptions = {
  readonly name: string;
  readonly stateDir: string;
  readonly kubeconfig: string;
  readonly reaper: Reaper;
  /** Goes over the configuration, as it is written in YAML. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** What Node is given before the command; left out: the command line's source. */
  readonly program?: readonly string[];
};

/** Starts a replica and resolves when it listens; it may not be ready yet. */
export async function startReplica(options: ReplicaOptions): Promise<Replica> {
  const folder = join(options.stateDir, "signet", options.name);
  await mkdir(folder, { recursive: true });
  const file = join(folder, "server.yaml");
  const { cluster, ...rest } = options.config ?? {};
  await writeFile(file, stringify({ ...configOf(folder, options.kubeconfig, cluster), ...rest }));
  const program = options.program ?? [join(ROOT, "src/bin/cli.ts")];
  const child = options.reaper.spawn(process.execPath, [...program, "server", "--config", file], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const lines: Record<string, unknown>[] = [];
  const port = await listening(child, join(folder, "server.log"), lines);
  return handle(options.name, folder, child, port, lines);
}

function configOf(folder: string, kubeconfig: string, cluster: unknown): object {
  const given = typeof cluster === "object" ? cluster : {};
  return {
    mode: "cluster",
    listen: "127.0.0.1:0",
    state: join(folder, "state"),
    log: { level: "info", format: "json" },
    cluster: { kubeconfig, settle: "1s", ...given },
  };
}

async function listening(child: ChildProcess, logFile: string, lines: Record<string, unknown>[]): Promise<number> {
  const { stderr } = child;
  if (!stderr) throw new Error("the replica has no log");
  stderr.pipe(createWriteStream(logFile));
  const found = new Promise<number>((resolve) => {
    createInterface({ input: stderr }).on("line", (line) => {
      const read = readLine(line);
      lines.push(read);
      if (read["msg"] === "The server listens.") resolve(Number(read["port"]));
    });
  });
  const ended = once(child, "exit").then(async () => {
    throw new Error(`the replica ended before it listened:\n${await readFile(logFile, "utf8")}`);
  });
  return Promise.race([found, ended]);
}

function readLine(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return { msg: line };
  }
}

function handle(
  name: string,
  folder: string,
  child: ChildProcess,
  port: number,
  lines: readonly Record<string, unknown>[],
): Replica {
  const running = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    name,
    port,
    state: join(folder, "state"),
    pid: child.pid ?? 0,
    readyz: () => get(port, "/readyz").catch(() => ({ status: 0, text: "" })),
    metrics: async () => (await get(port, "/metrics")).text,
    text: async (path) => (await get(port, path)).text,
    log: () => lines,
    running,
    end: async (signal) => {
      if (!running()) return child.exitCode;
      const ended = once(child, "exit");
      child.kill(signal);
      await ended;
      return child.exitCode;
    },
  };
}

/** What the certificate says is the API server's matter, not this one's. */
function get(port: number, path: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, agent: false, rejectUnauthorized: false, timeout: 5_000 };
    const outgoing = request(options, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.once("end", () =>
        resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    outgoing.once("timeout", () => outgoing.destroy(new Error("no answer in time")));
    outgoing.once("error", reject);
    outgoing.end();
  });
}
