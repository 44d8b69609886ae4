import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Cluster } from "../boot.ts";
import { startReaper } from "../reaper.ts";

/**
 * What became of a connection: `open` (a TCP handshake was completed, a UDP packet came back), `late` (a handshake was, but
 * its first packet had been dropped), `refused` (reset, or ICMP says that nobody listens), `dropped` (nothing came back in
 * time), `gone` (the asking Pod has no process).
 */
export type Outcome = "open" | "late" | "refused" | "dropped" | "gone";

/**
 * One question: may the Pod with this UID reach that IPv4 address and port? A `live` one is asked over a TCP connection that
 * the first round made, and every later one goes on with.
 */
export type Probe = {
  readonly from: string;
  readonly proto: "tcp" | "udp" | "live";
  readonly to: string;
  readonly port: number;
};

/** Asks from inside Pods' network namespaces, all at once; close it when done. */
export type Prober = {
  /** The outcomes in the order of the probes; takes no longer than the slowest, at most `timeoutMs`. */
  readonly round: (probes: readonly Probe[], timeoutMs: number) => Promise<readonly Outcome[]>;
  readonly close: () => Promise<void>;
};

/** Starts the program that asks; it finds Pods' namespaces by the names of their control groups, and needs root. */
export function startProber(cluster: Cluster): Prober {
  const reaper = startReaper(undefined);
  const child = reaper.spawn(join(cluster.stateDir, "bin/node-probe"), [], { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map<number, PromiseWithResolvers<readonly Outcome[]>>();
  hear(child, waiting);
  let count = 0;
  return {
    round: (probes, timeoutMs) => {
      const id = ++count;
      const answer = Promise.withResolvers<readonly Outcome[]>();
      waiting.set(id, answer);
      child.stdin?.write(`${JSON.stringify({ id, timeoutMs, probes })}\n`);
      return answer.promise;
    },
    close: () => reaper.close(),
  };
}

function hear(child: ChildProcess, waiting: Map<number, PromiseWithResolvers<readonly Outcome[]>>): void {
  child.stdin?.on("error", () => undefined);
  child.once("exit", () => {
    for (const each of waiting.values()) each.reject(new Error("the prober has ended"));
  });
  if (child.stdout === null) return;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { id, results } = JSON.parse(line) as { readonly id: number; readonly results: readonly Outcome[] };
    waiting.get(id)?.resolve(results);
    waiting.delete(id);
  });
}
