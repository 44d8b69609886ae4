import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

type Variables = Readonly<Record<string, string>>;

/** A server in a process of its own. */
export type Child = {
  readonly pid: number;
  readonly port: number;
  /** From the process' start to the line that names the port. */
  readonly readyMs: number;
  readonly end: () => Promise<void>;
};

/** Starts a Node process and waits until it says where it listens. */
export async function startChild(args: readonly string[], port: RegExp, env: Variables = {}): Promise<Child> {
  const started = performance.now();
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const found = await portOf(child, port);
  const readyMs = performance.now() - started;
  return {
    pid: child.pid ?? 0,
    port: found,
    readyMs,
    end: async () => {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
    },
  };
}

function portOf(child: ChildProcess, pattern: RegExp): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const port = pattern.exec(said)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    child.on("exit", (code) => reject(new Error(`a server ended with ${code}: ${said}`)));
  });
}

const dockerfile = (): string => readFileSync("Dockerfile", "utf8");

/** The variables that the image sets. */
const variables = (): Variables =>
  Object.fromEntries(
    [...dockerfile().matchAll(/^ENV (\w+)=(\S+)$/gm)].map(([, name = "", value = ""]) => [name, value]),
  );

/** What the image gives to Node, but for the folder that it lies in there. */
export function entrypoint(): readonly string[] {
  const [, list = ""] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile()) ?? [];
  const [, ...args] = JSON.parse(list) as readonly string[];
  return args.map((each) => each.replace(/^\/app\//, ""));
}

/** Starts a program with the flags and variables that the image gives to Node. */
export const startAsImage = (args: readonly string[], port: RegExp): Promise<Child> =>
  startChild([...entrypoint().filter((each) => each.startsWith("--")), ...args], port, variables());

/** Starts Signet's own server as its image does, quiet, on a free port. */
export const startSignet = (state: string, catalogue?: string): Promise<Child> =>
  startChild(
    [
      ...entrypoint(),
      "server",
      "--listen",
      "127.0.0.1:0",
      "--state",
      state,
      ...(catalogue === undefined ? [] : ["--catalogue", catalogue]),
    ],
    /:(\d+)\/readyz/,
    variables(),
  );
