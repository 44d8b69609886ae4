import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** What stands in for a Service on loopback: takes connections, and hands each to one of the ready replicas in turn. */
export type Balancer = {
  readonly port: number;
  /** The ports that new connections go to; those that are open stay where they are, as with kube-proxy. */
  readonly route: (ports: readonly number[]) => void;
  /** Ends the connections that are open: whoever held them connects anew. */
  readonly cut: () => void;
  readonly close: () => void;
};

/** Opens the balancer on a port of 127.0.0.1, a free one unless it is named. A replica that refuses is passed over for the next. */
export async function startBalancer(port = 0): Promise<Balancer> {
  let ports: readonly number[] = [];
  let turn = 0;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    open.add(client);
    client.once("close", () => open.delete(client));
    client.on("error", () => client.destroy());
    const order = ports.map((_, index) => ports[(turn + index) % ports.length] ?? 0);
    turn += 1;
    void forward(client, order);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    route: (next) => {
      ports = next;
    },
    cut,
    close: () => {
      server.close();
      cut();
    },
  };
}

async function forward(client: Socket, order: readonly number[]): Promise<void> {
  for (const port of order) {
    const replica = connect({ host: "127.0.0.1", port, noDelay: true });
    const met = await once(replica, "connect").then(
      () => true,
      () => false,
    );
    if (!met) continue;
    client.setNoDelay(true);
    replica.on("error", () => client.destroy());
    replica.once("close", () => client.destroy());
    client.once("close", () => replica.destroy());
    client.pipe(replica).pipe(client);
    return;
  }
  client.destroy();
}
