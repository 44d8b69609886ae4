import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import type { Limits } from "./limits.ts";
import type { Meters } from "./metrics.ts";

/** The open connections of one server. */
export type Connections = {
  readonly count: () => number;
  /** Whether a connection is so old that it is to move to a renewed certificate. */
  readonly isOld: (request: IncomingMessage) => boolean;
  /** Ends every connection, also those that have not come so far as to speak TLS or HTTP. */
  readonly destroyAll: () => void;
};

type Seen = { readonly since: number; requests: number };

/**
 * Watches a server's connections from the first packet on: one that brings no request in time is closed (Node's own limits
 * begin only where TLS is spoken), and none can bring down the process.
 */
export function watchConnections(server: Server, limits: Limits, meters: Meters): Connections {
  const open = new Map<Socket, Seen>();
  const byPeer = new Map<string, Seen>();
  const speaking = new WeakMap<Socket, Seen>();
  server.on("connection", (socket: Socket) => {
    const seen: Seen = { since: performance.now(), requests: 0 };
    const peer = peerOf(socket);
    open.set(socket, seen);
    byPeer.set(peer, seen);
    speaking.set(socket, seen);
    endIfSilent(socket, seen, limits.firstRequestMs);
    socket.on("close", () => {
      open.delete(socket);
      if (byPeer.get(peer) === seen) byPeer.delete(peer);
    });
  });
  // TLS wraps the socket in another one; both have the same peer.
  server.on("secureConnection", (socket: Socket) => {
    const seen = byPeer.get(peerOf(socket));
    if (seen) speaking.set(socket, seen);
    socket.on("error", () => socket.destroy());
  });
  server.on("request", ({ socket }: IncomingMessage) => {
    const seen = speaking.get(socket);
    if (seen) seen.requests += 1;
  });
  server.on("tlsClientError", (_fault, socket: Socket) => {
    meters.clientError("tls");
    socket.destroy();
  });
  return {
    count: () => open.size,
    isOld: ({ socket }) => {
      const since = speaking.get(socket)?.since;
      return since !== undefined && performance.now() - since > limits.connectionAgeMs;
    },
    destroyAll: () => {
      for (const socket of open.keys()) socket.destroy();
    },
  };
}

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

/** Closes a connection that has brought no request in time; its errors concern nobody else. */
function endIfSilent(socket: Socket, seen: Seen, withinMs: number): void {
  const timer = setTimeout(() => {
    if (seen.requests === 0) socket.destroy();
  }, withinMs);
  timer.unref();
  socket.on("error", () => socket.destroy());
  socket.on("close", () => clearTimeout(timer));
}
