import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";

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
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const own = typeof address === "object" && address !== null ? address.port : 0;
  const path = `${kubeconfig}.lag`;
  await writeFile(path, text.replaceAll(`${host}:${port}`, `127.0.0.1:${own}`), { mode: 0o600 });
  return {
    kubeconfig: path,
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
