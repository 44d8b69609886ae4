import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";

/** A host by name, with its address and the TCP and UDP ports that it listens on. */
export type Host = { readonly name: string; readonly address: string; readonly ports: readonly number[] };

/** `web -> db tcp/5432`, and what became of it: open, refused or dropped. */
export type Matrix = ReadonlyMap<string, string>;

type Running = {
  readonly host: Host;
  readonly child: ChildProcess;
  readonly ask: (order: object) => Promise<readonly string[]>;
};

const NEIGHBOUR = join(import.meta.dirname, "neighbour.ts");

/** Hosts in network namespaces of their own on one bridge, which go with their processes. */
export class Neighbours {
  readonly #bridge: ChildProcess;
  readonly #running: ReadonlyMap<string, Running>;

  private constructor(bridge: ChildProcess, running: ReadonlyMap<string, Running>) {
    this.#bridge = bridge;
    this.#running = running;
  }

  static async start(hosts: readonly Host[]): Promise<Neighbours> {
    const bridge = spawn("unshare", ["--net", "sleep", "infinity"], { stdio: "ignore" });
    await once(bridge, "spawn");
    await isApart(bridge);
    inside(bridge, "ip link set lo up; ip link add hub type bridge; ip link set hub up");
    const running = await Promise.all(hosts.map(async (host) => [host.name, await startHost(host)] as const));
    for (const [index, [, { host, child }]] of running.entries()) {
      inside(
        bridge,
        `ip link add p${index} type veth peer name eth0 netns ${child.pid}; ip link set p${index} master hub up`,
      );
      inside(child, `ip link set lo up; ip addr add ${host.address}/24 dev eth0; ip link set eth0 up`);
    }
    return new Neighbours(bridge, new Map(running));
  }

  /** Runs a script in a host's namespace, with a text as its input. Throws what it says where it fails. */
  run(name: string, script: string, input = ""): string {
    return inside(this.#of(name).child, script, input);
  }

  /** What becomes of a connection between each ordered pair on each port that anybody listens on, by both protocols. */
  async matrix(ms = 700): Promise<Matrix> {
    const all = [...this.#running.values()];
    const ports = [...new Set(all.flatMap(({ host }) => host.ports))].sort((a, b) => a - b);
    const lines = await Promise.all(
      all.map(async ({ host: from, ask }) => {
        const asks = all
          .filter(({ host }) => host !== from)
          .flatMap(({ host: to }) =>
            ports.flatMap((port) =>
              (["tcp", "udp"] as const).map((proto) => ({ proto, to: to.address, name: to.name, port })),
            ),
          );
        const results = await ask({ asks, ms });
        return asks.map(
          ({ proto, name, port }, index) => [`${from.name} -> ${name} ${proto}/${port}`, results[index] ?? ""] as const,
        );
      }),
    );
    return new Map(lines.flat());
  }

  /** One connection. */
  async tcp(from: string, to: string, port: number, ms = 700): Promise<string> {
    return (await this.#of(from).ask({ asks: [{ proto: "tcp", to, port }], ms }))[0] ?? "";
  }

  /** Keeps one TCP connection open from a host. */
  async hold(from: string, to: string, port: number): Promise<string> {
    return (await this.#of(from).ask({ hold: { proto: "tcp", to, port }, ms: 0 }))[0] ?? "";
  }

  /** Whether what is sent over the connection that a host holds still comes back. */
  async beat(from: string): Promise<string> {
    return (await this.#of(from).ask({ ms: 700 }))[0] ?? "";
  }

  async close(): Promise<void> {
    const children = [this.#bridge, ...[...this.#running.values()].map(({ child }) => child)];
    await Promise.all(
      children.map((child) => {
        const gone = once(child, "exit");
        child.kill("SIGKILL");
        return gone;
      }),
    );
  }

  #of(name: string): Running {
    const found = this.#running.get(name);
    if (!found) throw new Error(`there is no host ${name}`);
    return found;
  }
}

async function startHost(host: Host): Promise<Running> {
  const child = spawn("unshare", ["--net", process.execPath, NEIGHBOUR, ...host.ports.map(String)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const waiting = new Map<number, (results: readonly string[]) => void>();
  const lines = createInterface({ input: child.stdout });
  await once(lines, "line");
  lines.on("line", (line) => {
    const { id, results } = JSON.parse(line) as { readonly id: number; readonly results: readonly string[] };
    waiting.get(id)?.(results);
    waiting.delete(id);
  });
  let count = 0;
  const ask = (order: object): Promise<readonly string[]> =>
    new Promise((resolve) => {
      waiting.set(++count, resolve);
      child.stdin.write(`${JSON.stringify({ ...order, id: count })}\n`);
    });
  return { host, child, ask };
}

/** `unshare` has made its namespace by the time its program runs. */
async function isApart({ pid }: ChildProcess): Promise<void> {
  const net = (of: string): string => readlinkSync(`/proc/${of}/ns/net`);
  while (net(String(pid)) === net("self")) await new Promise((resolve) => setTimeout(resolve, 10));
}

const inside = ({ pid }: ChildProcess, script: string, input = ""): string =>
  execFileSync("nsenter", ["--net", `--target=${pid}`, "bash", "--norc", "-euc", script], { input, encoding: "utf8" });
