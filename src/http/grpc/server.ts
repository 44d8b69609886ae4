import {
  constants as http2,
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { problem, type Problem } from "../../domain/problem.ts";
import { admissionOf } from "../issuing/admit.ts";
import type { Caller, Issuing } from "../issuing/services.ts";
import { listenAt, secureOptions, type ServingPair } from "../listening.ts";
import type { Log } from "../services.ts";
import { answerWith, messageIn, refuseMethod, refuseType, refuseWith } from "./answer.ts";
import { readCertificateRequest, renderCertificateResponse } from "./certificate-request.ts";

/** The method that ztunnel and Istio's agents call (istio/api security/v1alpha1/ca.proto). */
const METHOD = "/istio.v1.auth.IstioCertificateService/CreateCertificate";
/** Largest body; a request with an RSA-4096 key has about 1,700 bytes in PEM. */
const BODY_BYTES = 16 * 1024;

/** What all callers together may take; times in milliseconds, each from the beginning on, however much comes meanwhile. */
export type GrpcLimits = {
  readonly connections: number;
  /** Calls in one connection. */
  readonly streams: number;
  /** Calls in all connections; with the largest body that is what is held for callers who are not known yet. */
  readonly allStreams: number;
  /** Calls from one address: however many credentials and connections it has, there is place for others. */
  readonly addressStreams: number;
  /** From a call's headers to its end. */
  readonly streamMs: number;
  /** A connection in which nothing comes and goes. */
  readonly idleMs: number;
  /** Older connections are asked to go, and come again with the certificate of the day; one more `streamMs`, and they are ended. */
  readonly sessionMs: number;
};

const LIMITS: GrpcLimits = {
  connections: 1024,
  streams: 100,
  allStreams: 1024,
  addressStreams: 256,
  streamMs: 30_000,
  idleMs: 120_000,
  sessionMs: 3_600_000,
};

/** The gRPC face. */
export type GrpcServer = {
  /** Starts to listen; gives the port that was bound. */
  readonly listen: (host: string, port: number) => Promise<number>;
  readonly renew: (pair: ServingPair) => void;
  /** Takes no more, and lets what is in flight finish within so many milliseconds. */
  readonly stop: (graceMs: number) => Promise<void>;
};

/**
 * Istio's certificate service over HTTP/2 and TLS. The caller is known before its message is looked at, by the same means and
 * with the same shares as over REST.
 */
export function buildGrpcServer(
  issuing: Issuing,
  pair: ServingPair,
  log: Pick<Log, "error">,
  given: Partial<GrpcLimits> = {},
): GrpcServer {
  const limits = { ...LIMITS, ...given };
  const server = createListener(pair, limits);
  const open: Open = { sockets: new Set(), sessions: new Set() };
  const calls = countCalls(limits);
  server.on("connection", (socket: Socket) => {
    open.sockets.add(socket);
    socket.on("close", () => open.sockets.delete(socket));
  });
  server.on("session", (session) => watch(session, open.sessions, limits));
  server.on("stream", (stream, headers) => {
    stream.on("error", () => stream.destroy());
    const leave = calls.enter(stream.session?.socket?.remoteAddress ?? "");
    // Nothing was done for it: it may come again (RFC 9113 §8.7).
    if (!leave) return stream.close(http2.NGHTTP2_REFUSED_STREAM);
    const end = setTimeout(() => stream.close(http2.NGHTTP2_CANCEL), limits.streamMs);
    stream.on("close", () => {
      clearTimeout(end);
      leave();
    });
    handle(stream, headers, issuing).catch((fault: unknown) => {
      log.error({ err: fault }, "A gRPC request could not be answered.");
      refuseWith(stream, [INTERNAL]);
    });
  });
  return {
    listen: (host, port) => listenAt(server, host, port),
    renew: (next) => server.setSecureContext(secureOptions(next)),
    stop: (graceMs) => stop(server, open, graceMs),
  };
}

/** Counts calls that are not over, all of them and by address; `enter` gives the way out, or nothing where there is no place. */
function countCalls({ allStreams, addressStreams }: GrpcLimits) {
  const byAddress = new Map<string, number>();
  let all = 0;
  const enter = (address: string): (() => void) | undefined => {
    const own = byAddress.get(address) ?? 0;
    if (all >= allStreams || own >= addressStreams) return undefined;
    all += 1;
    byAddress.set(address, own + 1);
    return () => {
      all -= 1;
      const left = (byAddress.get(address) ?? 1) - 1;
      if (left === 0) byAddress.delete(address);
      else byAddress.set(address, left);
    };
  };
  return { enter };
}

const INTERNAL = problem("INTERNAL", "", "The request could not be answered.");

/** Connections from their first packet on, and those among them that speak HTTP/2. */
type Open = { readonly sockets: Set<Socket>; readonly sessions: Set<ServerHttp2Session> };

function createListener(pair: ServingPair, { connections, streams }: GrpcLimits): Http2SecureServer {
  const server = createSecureServer({
    ...secureOptions(pair),
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ["h2"],
    handshakeTimeout: 10_000,
    maxSessionMemory: 1,
    maxHeaderListPairs: 64,
    settings: { maxConcurrentStreams: streams, maxHeaderListSize: BODY_BYTES, enablePush: false },
  });
  server.maxConnections = connections;
  server.on("tlsClientError", (_fault, socket: Socket) => socket.destroy());
  server.on("unknownProtocol", (socket: Socket) => socket.destroy());
  server.on("sessionError", () => undefined);
  return server;
}

function watch(session: ServerHttp2Session, sessions: Set<ServerHttp2Session>, limits: GrpcLimits): void {
  sessions.add(session);
  const asked = setTimeout(() => session.close(), limits.sessionMs).unref();
  const ended = setTimeout(() => session.destroy(), limits.sessionMs + limits.streamMs).unref();
  session.setTimeout(limits.idleMs, () => session.destroy());
  session.on("error", () => session.destroy());
  session.on("close", () => {
    clearTimeout(asked);
    clearTimeout(ended);
    sessions.delete(session);
  });
}

async function handle(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, issuing: Issuing): Promise<void> {
  const path = String(headers[":path"]);
  if (!/^application\/grpc(\+proto)?$/.test(headers["content-type"] ?? "")) return refuseType(stream);
  if (path !== METHOD) return refuseMethod(stream, path);
  const socket = stream.session?.socket;
  if (!socket) return;
  // It comes meanwhile, and is held no further than the limit.
  const body = readBody(stream);
  const admission = await admissionOf(issuing)({ headers, socket }, "grpc");
  if (!("caller" in admission)) return refuseWith(stream, admission.turned.problems);
  const read = await body;
  if ("problem" in read) return refuseWith(stream, [read.problem]);
  const message = messageIn(read.bytes);
  if (!message) return refuseWith(stream, [NOT_ONE]);
  return create(stream, admission.caller, message);
}

async function create(stream: ServerHttp2Stream, caller: Caller, message: Buffer): Promise<void> {
  const request = readCertificateRequest(message);
  if (!request.ok) return refuseWith(stream, request.problems);
  const { wish, identity } = request.value;
  const whom = identity === undefined ? { ok: true as const, value: caller } : caller.inNameOf(identity);
  if (!whom.ok) return refuseWith(stream, whom.problems);
  const issued = await whom.value.issueSvid(wish);
  if (!issued.ok) return refuseWith(stream, issued.problems);
  answerWith(stream, renderCertificateResponse(issued.value.certificates, issued.value.bundle));
}

const NOT_ONE = problem("FIELD_INVALID", "", "The body is not one message without compression.", "Send one message.");
const TOO_LARGE = problem("INPUT_TOO_LARGE", "", `The body has more than ${BODY_BYTES} bytes.`, "Send less.");

type Body = { readonly bytes: Buffer } | { readonly problem: Problem };

/** Never more than the limit is held; a stream that is given up resolves to what it has. */
function readBody(stream: ServerHttp2Stream): Promise<Body> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > BODY_BYTES) resolve({ problem: TOO_LARGE });
      else chunks.push(chunk);
    });
    stream.on("end", () => resolve({ bytes: Buffer.concat(chunks) }));
    stream.on("close", () => resolve({ bytes: Buffer.concat(chunks) }));
  });
}

async function stop(server: Http2SecureServer, { sockets, sessions }: Open, graceMs: number): Promise<void> {
  if (!server.listening) return;
  const end = setTimeout(() => {
    for (const session of sessions) session.destroy();
    for (const socket of sockets) socket.destroy();
  }, graceMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    for (const session of sessions) session.close();
  });
  clearTimeout(end);
}
