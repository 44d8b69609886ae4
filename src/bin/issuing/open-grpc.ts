import { setTimeout as pause } from "node:timers/promises";
import { buildGrpcServer } from "../../http/grpc/server.ts";
import type { Issuing } from "../../http/issuing/services.ts";
import type { ServingPair } from "../../http/listening.ts";
import type { HttpServer } from "../../http/server.ts";
import type { Running } from "../server-parts.ts";

/** What a server has besides its own HTTP face. */
type Beside = {
  readonly config: Pick<Running["config"], "grpc">;
  readonly log: Running["log"];
  readonly issuing: Issuing;
  readonly pair: ServingPair;
};

/**
 * The face with Istio's certificate service beside it, where that is configured: the two listen, renew their certificate and
 * drain as one.
 */
export function besideGrpc(http: HttpServer, { config, log, issuing, pair }: Beside): HttpServer {
  const { grpc } = config;
  if (!grpc) return http;
  const server = buildGrpcServer(issuing, pair, log);
  return {
    ...http,
    listen: async (host, port) => {
      const bound = await server.listen(grpc.host, grpc.port);
      log.info({ host: grpc.host, port: bound }, "Istio's certificate service listens.");
      return http.listen(host, port);
    },
    renew: (next) => {
      http.renew(next);
      server.renew(next);
    },
    drain: async (delayMs, graceMs) => {
      const stopped = pause(delayMs).then(() => server.stop(graceMs));
      await Promise.all([http.drain(delayMs, graceMs), stopped]);
    },
  };
}
