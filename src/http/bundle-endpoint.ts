import { createServer, type ServerOptions } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { BUNDLE_PATHS } from "../wire/openid.ts";
import { Buckets } from "./issuing/buckets.ts";
import { listenAt, secureOptions, type ServingPair } from "./listening.ts";

/** What all callers together may take; times in milliseconds. Everybody may call, and asks once in minutes. */
const LIMITS = { connections: 256, handshakeMs: 5_000, requestMs: 10_000, headerBytes: 16 * 1024 } as const;
/** Connections of one address at one time. */
const MOST_OF_ONE = 16;
/** New connections: a handshake takes about a millisecond of the one thread that answers admission too. */
const SHARES = { all: { burst: 100, perSecond: 50 }, address: { burst: 20, perSecond: 5 } } as const;

const SERVER: ServerOptions = {
  handshakeTimeout: LIMITS.handshakeMs,
  headersTimeout: LIMITS.requestMs,
  requestTimeout: LIMITS.requestMs,
  connectionsCheckingInterval: LIMITS.requestMs,
  maxHeaderSize: LIMITS.headerBytes,
  ALPNProtocols: ["http/1.1"],
  minVersion: "TLSv1.2",
};

/** The listener for other trust domains. */
export type BundleEndpoint = {
  /** Starts to listen; gives the port that was bound. Without a certificate no handshake is completed. */
  readonly listen: (host: string, port: number) => Promise<number>;
  readonly renew: (pair: ServingPair) => void;
  /** Takes no more, and lets what is in flight finish within so many milliseconds. */
  readonly stop: (graceMs: number) => Promise<void>;
};

/**
 * Serves the bundle and nothing else, by an X.509-SVID (SPIFFE Federation §5.2.2), to everybody. A connection is for one
 * request, so that each is made with the certificate of the day. Whoever comes too often is closed before the handshake.
 * `monotonic` gives milliseconds of a clock that never jumps.
 */
export function buildBundleEndpoint(bundle: () => string | undefined, monotonic: () => number): BundleEndpoint {
  const server = createServer(SERVER);
  server.maxConnections = LIMITS.connections;
  const open = new Map<Socket, string>();
  const mayEnter = makeDoor(open, monotonic);
  // Node's own begins the handshake: it hears of a connection only after us.
  const handshakes = server.listeners("connection");
  server.removeAllListeners("connection").on("connection", (socket: Socket) => {
    const { remoteAddress = "" } = socket;
    if (!mayEnter(remoteAddress)) return void socket.destroy();
    open.set(socket, remoteAddress);
    // However slowly it goes on, its time is over then.
    const end = setTimeout(() => socket.destroy(), 3 * LIMITS.requestMs);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(end);
      open.delete(socket);
    });
    for (const each of handshakes) each.call(server, socket);
  });
  server.on("secureConnection", (socket: Socket) => socket.on("error", () => socket.destroy()));
  server.on("tlsClientError", (_fault, socket: Socket) => socket.destroy());
  server.on("clientError", (_fault, socket) => socket.destroy());
  server.on("request", (request, response) => answer(request, response, bundle));
  return {
    listen: (host, port) => listenAt(server, host, port),
    renew: (pair) => server.setSecureContext(secureOptions(pair)),
    stop: async (graceMs) => {
      if (!server.listening) return;
      const end = setTimeout(() => {
        for (const socket of open.keys()) socket.destroy();
      }, graceMs);
      await new Promise<void>((resolve) => server.close(() => resolve()));
      clearTimeout(end);
    },
  };
}

/** Whether one more connection of an address is taken. Its own share comes first, so that one address does not use up all. */
function makeDoor(open: ReadonlyMap<Socket, string>, monotonic: () => number): (address: string) => boolean {
  const [byAddress, all] = [new Buckets(SHARES.address), new Buckets(SHARES.all)];
  return (address) => {
    const now = monotonic();
    const standing = [...open.values()].filter((each) => each === address).length;
    return standing < MOST_OF_ONE && byAddress.take(address, now) === 0 && all.take("", now) === 0;
  };
}

function answer({ method, url }: IncomingMessage, response: ServerResponse, bundle: () => string | undefined): void {
  response.setHeader("Connection", "close");
  if (url !== BUNDLE_PATHS.bundle) return void response.writeHead(404).end();
  if (method !== "GET") return void response.writeHead(405, { Allow: "GET" }).end();
  const text = bundle();
  if (text === undefined) return void response.writeHead(503, { "Retry-After": "1" }).end();
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) }).end(text);
}
