import { constants } from "node:crypto";
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
import type { ServingPair } from "../server.ts";
import type { Log } from "../services.ts";
import { answerWith, messageIn, refuseMethod, refuseType, refuseWith } from "./answer.ts";
import { readCertificateRequest, renderCertificateResponse } from "./certificate-request.ts";

/** The method that ztunnel and Istio's agents call (istio/api security/v1alpha1/ca.proto). */
const METHOD = "/istio.v1.auth.IstioCertificateService/CreateCertificate";
/** Largest body; a request with an RSA-4096 key has about 1,700 bytes in PEM. */
const BODY_BYTES = 16 * 1024;
const STREAM_MS = 30_000;
const IDLE_MS = 120_000;
/** Older sessions are asked to go, and come again with the certificate of the day. */
const SESSION_MS = 3_600_000;
const CONNECTIONS = 1024;
const STREAMS = 100;

/** The gRPC face. */
export type GrpcServer = {
  /** Starts to listen; gives the port that was bound. */
  readonly listen: (host: string, port: number) => Promise<number>;
  readonly renew: (pair: ServingPair) => void;
  /** Takes no more, and lets what is in flight finish within so many milliseconds. */
  readonly stop: (graceMs: number) => Promise<void>;
};

/**
 * Istio's certificate service over HTTP/2 and TLS. The caller is known before its message is read, by the same means and with
 * the same shares as over REST.
 */
export function buildGrpcServer(issuing: Issuing, pair: ServingPair, log: Pick<Log, "error">): GrpcServer {
  const sessions = new Set<ServerHttp2Session>();
  const server = createListener(pair);
  server.on("session", (session) => watch(session, sessions));
  server.on("stream", (stream, headers) => {
    stream.setTimeout(STREAM_MS, () => stream.close(http2.NGHTTP2_CANCEL));
    stream.on("error", () => stream.destroy());
    handle(stream, headers, issuing).catch((fault: unknown) => {
      log.error({ err: fault }, "A gRPC request could not be answered.");
      refuseWith(stream, [INTERNAL]);
    });
  });
  return {
    listen: (host, port) => listen(server, host, port),
    renew: (next) => server.setSecureContext(secureOptions(next)),
    stop: (graceMs) => stop(server, sessions, graceMs),
  };
}

const INTERNAL = problem("INTERNAL", "", "The request could not be answered.");

const secureOptions = ({ certificate, key }: ServingPair) => ({
  cert: certificate,
  key,
  minVersion: "TLSv1.2" as const,
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
});

function createListener(pair: ServingPair): Http2SecureServer {
  const server = createSecureServer({
    ...secureOptions(pair),
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ["h2"],
    handshakeTimeout: 10_000,
    maxSessionMemory: 1,
    maxHeaderListPairs: 64,
    settings: { maxConcurrentStreams: STREAMS, maxHeaderListSize: BODY_BYTES, enablePush: false },
  });
  server.maxConnections = CONNECTIONS;
  server.on("tlsClientError", (_fault, socket: Socket) => socket.destroy());
  server.on("unknownProtocol", (socket: Socket) => socket.destroy());
  server.on("sessionError", () => undefined);
  return server;
}

function watch(session: ServerHttp2Session, sessions: Set<ServerHttp2Session>): void {
  sessions.add(session);
  const age = setTimeout(() => session.close(), SESSION_MS);
  age.unref();
  session.setTimeout(IDLE_MS, () => session.destroy());
  session.on("error", () => session.destroy());
  session.on("close", () => {
    clearTimeout(age);
    sessions.delete(session);
  });
}

async function handle(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, issuing: Issuing): Promise<void> {
  const path = String(headers[":path"]);
  if (!/^application\/grpc(\+proto)?$/.test(headers["content-type"] ?? "")) return refuseType(stream);
  if (path !== METHOD) return refuseMethod(stream, path);
  const socket = stream.session?.socket;
  if (!socket) return;
  // What comes meanwhile waits in the stream's own window.
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

async function listen(server: Http2SecureServer, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

async function stop(server: Http2SecureServer, sessions: Set<ServerHttp2Session>, graceMs: number): Promise<void> {
  if (!server.listening) return;
  const end = setTimeout(() => {
    for (const session of sessions) session.destroy();
  }, graceMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    for (const session of sessions) session.close();
  });
  clearTimeout(end);
}
