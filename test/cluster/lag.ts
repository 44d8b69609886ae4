import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer, request } from "node:https";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Cluster } from "./boot.ts";

/** A way to the API server that can be made to stand still: connections stay open, and nothing comes back on them. */
export type Lag = {
  /** Path of the kubeconfig that leads through it. */
  readonly kubeconfig: string;
  readonly freeze: () => void;
  readonly thaw: () => void;
  readonly close: () => void;
};

/** Opens the way in front of the API server that a kubeconfig names. */
export async function startLag(kubeconfig: string): Promise<Lag> {
  const text = await readFile(kubeconfig, "utf8");
  const [, host = "", port = ""] = /https:\/\/([\d.]+):(\d+)/.exec(text) ?? [];
  const answers = new Set<Socket>();
  const open = new Set<Socket>();
  let frozen = false;
  const server = createServer((client) => {
    const upstream = connect({ host, port: Number(port), noDelay: true });
    client.setNoDelay(true);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      from.on("error", () => to.destroy());
      from.once("close", () => {
        open.delete(from);
        answers.delete(from);
        to.destroy();
      });
      from.on("data", (chunk) => to.write(chunk));
    }
    answers.add(upstream);
    if (frozen) upstream.pause();
  });
  return {
    kubeconfig: await leadingThrough(server, kubeconfig),
    freeze: () => {
      frozen = true;
      for (const socket of answers) socket.pause();
    },
    thaw: () => {
      frozen = false;
      for (const socket of answers) socket.resume();
    },
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

/** Listens, and writes a kubeconfig that leads here instead. */
async function leadingThrough(server: Server, kubeconfig: string): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const own = typeof address === "object" && address !== null ? address.port : 0;
  const path = `${kubeconfig}.lag`;
  const text = await readFile(kubeconfig, "utf8");
  await writeFile(path, text.replace(/https:\/\/[\d.]+:\d+/, `https://127.0.0.1:${own}`), { mode: 0o600 });
  return path;
}

/** The same, but that only watches stand still: what is read is answered. The kubeconfig has to show a token. */
export async function startWatchLag(cluster: Cluster, kubeconfig: string): Promise<Lag> {
  const watches = new Set<IncomingMessage>();
  let frozen = false;
  const forward = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const { method = "GET", url = "/", headers } = incoming;
    const upstream = request(new URL(url, cluster.url), { method, headers, ca: cluster.authority.cert }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on("data", (chunk: Buffer) => outgoing.write(chunk));
      answer.once("end", () => outgoing.end());
      answer.once("error", () => outgoing.destroy());
      if (!url.includes("watch=")) return;
      watches.add(answer);
      answer.once("close", () => watches.delete(answer));
      if (frozen) answer.pause();
    });
    upstream.on("error", () => outgoing.destroy());
    outgoing.once("close", () => upstream.destroy());
    incoming.pipe(upstream);
  };
  const server = createSecureServer(await cluster.authority.server({ name: "lag" }, ["127.0.0.1"]), forward);
  const set = (stands: boolean): void => {
    frozen = stands;
    for (const answer of watches) {
      if (stands) answer.pause();
      else answer.resume();
    }
  };
  return {
    kubeconfig: await leadingThrough(server, kubeconfig),
    freeze: () => set(true),
    thaw: () => set(false),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
