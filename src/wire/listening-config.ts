import type { Static } from "typebox";
import { ok, problem, refuseAll, type Result } from "../domain/problem.ts";
import { fields, optional, setOf, text } from "./kinds/fields.ts";

/** HOST:PORT, an IPv6 address in brackets. */
export const LISTEN = "^(\\[[0-9a-fA-F:.]+\\]|[^:\\[\\]]+):[0-9]{1,5}$";

const ACCOUNT = "^[^/]+/[^/]+$";

/** The part `grpc` of the server's configuration. */
export const GRPC_CONFIG = fields("Istio's certificate service over gRPC; left out: there is none.", {
  listen: text("HOST:PORT to listen on; 15012 is where Istio's clients look.", 261, { pattern: LISTEN }),
  nodeProxies: optional(
    setOf(
      "Accounts, NAMESPACE/NAME, whose Pods may ask for identities of Pods on their own node, as ztunnel does.",
      text("NAMESPACE/NAME of an account.", 317, { pattern: ACCOUNT }),
      8,
      { default: [] },
    ),
  ),
});

/** The part `bundleEndpoint` of the server's configuration. */
export const BUNDLE_ENDPOINT_CONFIG = fields(
  "The bundle for other trust domains, by profile https_spiffe: served with a certificate of Signet's own identity. Left out: by the serving certificate alone.",
  { listen: text("HOST:PORT to listen on.", 261, { pattern: LISTEN }) },
);

/** Where Istio's certificate service listens, and which accounts may speak for the Pods of their node. */
export type GrpcConfig = Address & { readonly nodeProxies: readonly string[] };

/** Where something listens. */
export type Address = { readonly host: string; readonly port: number };

/** What flags may say of all this over the file. */
export type ListeningFlags = {
  readonly listen?: string;
  readonly grpcListen?: string;
  readonly nodeProxy?: readonly string[];
  readonly bundleListen?: string;
};

type Written = {
  readonly listen?: string;
  readonly grpc?: Static<typeof GRPC_CONFIG>;
  readonly bundleEndpoint?: Static<typeof BUNDLE_ENDPOINT_CONFIG>;
};

/** Where the server listens, and where what stands beside it does. */
export type Listening = Address & { readonly grpc?: GrpcConfig; readonly bundleEndpoint?: Address };

/** Reads where everything listens; flags stand over the file. */
export function readListening(written: Written, flags: ListeningFlags): Result<Listening> {
  const own = readListen(flags.listen ?? written.listen ?? "127.0.0.1:8443", "listen");
  if (!own.ok) return own;
  const grpc = readGrpc(written.grpc, flags);
  if (!grpc.ok) return grpc;
  const asked = flags.bundleListen ?? written.bundleEndpoint?.listen;
  if (asked === undefined) return ok({ ...own.value, ...grpc.value });
  const bundleEndpoint = readListen(asked, "bundleEndpoint.listen");
  return bundleEndpoint.ok ? ok({ ...own.value, ...grpc.value, bundleEndpoint: bundleEndpoint.value }) : bundleEndpoint;
}

function readGrpc(grpc: Written["grpc"], flags: ListeningFlags): Result<Pick<Listening, "grpc">> {
  const asked = flags.grpcListen ?? grpc?.listen;
  if (asked === undefined) return flags.nodeProxy ? refuseAll([PROXY_ALONE]) : ok({});
  const service = readService(asked, flags.nodeProxy ?? grpc?.nodeProxies ?? []);
  return service.ok ? ok({ grpc: service.value }) : service;
}

function readService(listen: string, nodeProxies: readonly string[]): Result<GrpcConfig> {
  const address = readListen(listen, "grpc.listen");
  const strange = nodeProxies.find((account) => !new RegExp(ACCOUNT).test(account));
  if (strange !== undefined) return refuseAll([problem("FIELD_INVALID", "grpc.nodeProxies", notAnAccount(strange))]);
  return address.ok ? ok({ ...address.value, nodeProxies }) : address;
}

const PROXY_ALONE = problem(
  "FIELD_CONFLICT",
  "grpc.nodeProxies",
  "Node proxies are named, and there is no certificate service.",
  "Say where it listens, for example --grpc-listen 0.0.0.0:15012.",
);

const notAnAccount = (text: string): string => `"${text}" is not NAMESPACE/NAME of an account.`;

function readListen(listen: string, path: string): Result<Address> {
  const colon = listen.lastIndexOf(":");
  const host = listen.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  const port = Number(listen.slice(colon + 1));
  if (new RegExp(LISTEN).test(listen) && port <= 65_535) return ok({ host, port });
  return refuseAll([
    problem("FIELD_INVALID", path, `"${listen}" is not HOST:PORT.`, "Write for example 127.0.0.1:8443, or [::1]:0."),
  ]);
}
