import { issuingRoutes } from "../../http/issuing/routes.ts";
import type { Issuing } from "../../http/issuing/services.ts";
import type { ServingPair } from "../../http/listening.ts";
import { buildServer, type HttpServer } from "../../http/server.ts";
import type { Services } from "../../http/services.ts";
import { clientsOf, type Running, VERSION } from "../server-parts.ts";
import { besideBundleEndpoint, type OwnIdentity } from "./open-bundle-endpoint.ts";
import { besideGrpc } from "./open-grpc.ts";

/** What a server's face is made of, whatever the mode. */
export type FaceMeans = {
  readonly config: Running["config"];
  readonly services: Services;
  readonly pair: ServingPair;
  readonly issuing: { readonly http: Issuing; readonly own: OwnIdentity };
  readonly now: () => number;
};

/** The server over HTTP with the issuing doors in it, and what is configured beside it. */
export function openFace({ config, services, pair, issuing: { http, own }, now }: FaceMeans): HttpServer {
  const { log } = services;
  const server = buildServer(services, {
    version: VERSION,
    pair,
    askCertificates: true,
    routes: [issuingRoutes(http)],
    ...clientsOf(config),
  });
  const { monotonic } = http;
  const both = besideGrpc(server, { config, log, issuing: http, pair });
  return besideBundleEndpoint(both, { config, log, own, now, monotonic });
}
