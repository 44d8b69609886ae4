import { createServer as createPlain, type Server, type ServerOptions } from "node:http";
import { createServer as createSecure, type Server as SecureServer } from "node:https";
import type { Socket } from "node:net";
import { type FastifyInstance, fastify } from "fastify";
import { problem } from "../domain/problem.ts";
import { watchConnections } from "./connections.ts";
import { type Limits, LIMITS } from "./limits.ts";
import { listenAt, secureOptions, type ServingPair } from "./listening.ts";
import { makeMeters, type Meters } from "./metrics.ts";
import { PROBLEM_TYPE, renderProblems } from "./problem-json.ts";
import { callerCheck, type Clients } from "./clients.ts";
import { addHealth } from "./health.ts";
import type { Services } from "./services.ts";
import { webhookDoor } from "./webhook-door.ts";

/** How a server is built. Without `pair` it speaks plain HTTP: for tests and benches. */
export type ServerSettings = {
  readonly version: string;
  readonly pair?: ServingPair;
  readonly limits?: Partial<Limits>;
  /** Who may call the webhooks; left out: everybody who can reach them. */
  readonly clients?: Clients;
  /** Whether callers are asked for a certificate; whoever has none may still come. */
  readonly askCertificates?: boolean;
  /** Routes that other parts of the server add. */
  readonly routes?: readonly ((app: FastifyInstance, draining: () => boolean) => void)[];
};

/** The control plane's face. */
export type HttpServer = {
  readonly app: FastifyInstance;
  readonly meters: Meters;
  /** Starts to listen; gives the port that was bound. */
  readonly listen: (host: string, port: number) => Promise<number>;
  /** New connections get the new certificate; old ones move to it when they are of age. */
  readonly renew: (pair: ServingPair) => void;
  /** Says that it is not ready, waits `delayMs` for callers to notice, then lets what is in flight finish within `graceMs`. */
  readonly drain: (delayMs: number, graceMs: number) => Promise<void>;
};

/** Builds the server: the webhooks' door, health, metrics, and whatever routes are handed in. */
export function buildServer(services: Services, settings: ServerSettings): HttpServer {
  const limits = { ...LIMITS, ...settings.limits };
  const server = createListener(limits, settings);
  let draining = false;
  const ready = (): boolean => !draining && services.checks().every((check) => check.ok);
  const meters = makeMeters({ services, ready, connections: () => connections.count() }, settings.version);
  const connections = watchConnections(server, limits, meters);
  const closing = (request: Parameters<typeof connections.isOld>[0]): boolean => draining || connections.isOld(request);
  const { clients } = settings;
  const door = webhookDoor({ services, meters, limits, closing, ...(clients ? { mayAsk: callerCheck(clients) } : {}) });
  const app = buildApp(server, { door, limits, meters, services });
  app.addHook("onSend", async (request, reply) => {
    if (closing(request.raw)) reply.header("Connection", "close");
  });
  addHealth(app, services, meters, () => draining);
  for (const add of settings.routes ?? []) add(app, () => draining);
  return {
    app,
    meters,
    listen: (host, port) => listen(app, server, host, port),
    renew: (pair) => {
      if (isSecure(server)) server.setSecureContext({ ...secureOptions(pair), ...caOf(settings.clients) });
    },
    drain: async (delayMs, graceMs) => {
      draining = true;
      if (!server.listening) return app.close();
      await pause(delayMs);
      await closeGently({ app, server, connections }, graceMs);
    },
  };
}

const isSecure = (server: Server): server is SecureServer => "setSecureContext" in server;

const caOf = (clients: Clients | undefined): { readonly ca?: string } => (clients ? { ca: clients.ca } : {});

function createListener(limits: Limits, { pair, clients, askCertificates }: ServerSettings): Server {
  const options: ServerOptions = {
    keepAliveTimeout: limits.keepAliveMs,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    maxHeaderSize: limits.headerBytes,
    connectionsCheckingInterval: Math.min(5000, limits.requestMs),
    noDelay: true,
  };
  const server = pair
    ? createSecure({
        ...options,
        ...secureOptions(pair),
        ...caOf(clients),
        // Health and metrics are for callers without certificates; the webhooks' door looks for itself.
        requestCert: clients !== undefined || askCertificates === true,
        rejectUnauthorized: false,
        ALPNProtocols: ["http/1.1"],
        handshakeTimeout: limits.handshakeMs,
      })
    : createPlain(options);
  server.maxConnections = limits.connections;
  return server;
}

type AppParts = {
  readonly door: ReturnType<typeof webhookDoor>;
  readonly limits: Limits;
  readonly meters: Meters;
  readonly services: Services;
};

/** No route has a schema: what comes in is read in wire/, and the compilers of schemas are not loaded. */
const noSchemas = () => () => {
  throw new Error("no route has a schema");
};

function buildApp(server: Server, { door, limits, meters, services }: AppParts): FastifyInstance {
  const app = fastify({
    serverFactory: (handler) =>
      server.on("request", (request, response) => {
        if (!door(request, response)) handler(request, response);
      }),
    bodyLimit: limits.bodyBytes,
    logger: false,
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    clientErrorHandler: (error, socket) => refuseGarbage(error, socket, meters),
  });
  app.setNotFoundHandler((request, reply) => {
    meters.refused("other", 404);
    const { body } = renderProblems([problem("NOT_FOUND", "", `There is no ${request.method} route here.`)]);
    return reply.code(404).type(PROBLEM_TYPE).send(body);
  });
  app.setErrorHandler((fault: { readonly statusCode?: number; readonly message: string }, _request, reply) => {
    const given = fault.statusCode ?? 500;
    const status = given >= 400 && given < 500 ? given : 500;
    if (status === 500) services.log.error({ err: fault }, "A request could not be answered.");
    meters.refused("other", status);
    const found = status === 500 ? INTERNAL : problem("FIELD_INVALID", "", fault.message);
    return reply
      .code(status)
      .type(PROBLEM_TYPE)
      .send(renderProblems([found], status).body);
  });
  return app;
}

const INTERNAL = problem("INTERNAL", "", "The request could not be answered.");

const GARBAGE: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/** What is not HTTP gets one line and a close. */
function refuseGarbage(error: NodeJS.ErrnoException, socket: Socket, meters: Meters): void {
  meters.clientError("http");
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = GARBAGE[error.code ?? ""] ?? "400 Bad Request";
  socket.on("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Listens by itself: the framework would bind `localhost` twice. */
async function listen(app: FastifyInstance, server: Server, host: string, port: number): Promise<number> {
  await app.ready();
  return listenAt(server, host, port);
}

const pause = (ms: number): Promise<void> =>
  ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : Promise.resolve();

type Closing = {
  readonly app: FastifyInstance;
  readonly server: Server;
  readonly connections: ReturnType<typeof watchConnections>;
};

/** Idle connections are closed at once, busy ones after their answer, all when the grace is over. */
async function closeGently({ app, server, connections }: Closing, graceMs: number): Promise<void> {
  const sweep = setInterval(() => server.closeIdleConnections(), 20);
  const end = setTimeout(connections.destroyAll, graceMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearInterval(sweep);
  clearTimeout(end);
  await app.close();
}
