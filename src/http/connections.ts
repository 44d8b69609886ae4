import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import type { Limits } from "./limits.ts";
import type { Meters } from "./metrics.ts";

/** The open connections of one server. */
export type Connections = {
  readonly count: () => number;
  /** Whether a connection is so old that it is to move to a renewed certificate. */
  readonly isOld: (request: IncomingMessage) => boolean;
};

type Seen = { readonly since: number; requests: number };

/**
 * Watches a server's connections: one that brings no request in time is closed, and none can bring down the process. `secure`
 * is the event after which a connection can speak HTTP.
 */
export function watchConnections(server: Server, limits: Limits, meters: Meters, secure: string): Connections {
  const open = new Map<Socket, Seen>();
  server.on(secure, (socket: Socket) => {
    const seen: Seen = { since: performance.now(), requests: 0 };
    open.set(socket, seen);
    const timer = setTimeout(() => {
      if (seen.requests === 0) socket.destroy();
    }, limits.firstRequestMs);
    timer.unref();
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(timer);
      open.delete(socket);
    });
  });
  server.on("request", ({ socket }: IncomingMessage) => {
    const seen = open.get(socket);
    if (seen) seen.requests += 1;
  });
  server.on("tlsClientError", () => meters.clientError("tls"));
  return {
    count: () => open.size,
    isOld: ({ socket }) => {
      const since = open.get(socket)?.since;
      return since !== undefined && performance.now() - since > limits.connectionAgeMs;
    },
  };
}
