import { hash } from "node:crypto";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { ok, refuse, type Result } from "../../domain/problem.ts";
import type { Credential } from "./services.ts";

/** Longest token that is looked at, in bytes; a service account's has about 1,500. */
const MOST_TOKEN_BYTES = 8192;
/** RFC 6750 §2.1. */
const BEARER = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/;

/** What a request shows, and the name under which a credential is counted before it is known to be anybody's. */
export type Shown = { readonly credential: Credential; readonly key: string };

/** What is looked at of a request, over whichever HTTP it comes. */
export type Knocking = {
  readonly headers: { readonly authorization?: string | undefined };
  readonly socket: Socket | TLSSocket;
};

/** A root issues itself: without an end its issuer would be asked for for ever. */
const MOST_CHAIN = 3;

const known = new WeakMap<TLSSocket, Shown>();

/**
 * The caller's credential: the Authorization header, or else the connection's certificate. Work is bounded by the size of a
 * token; nothing is parsed. Refuses with CALLER_UNKNOWN.
 */
export function credentialOf({ headers, socket }: Knocking): Result<Shown> {
  const { authorization } = headers;
  if (authorization !== undefined) return bearer(authorization);
  const shown = socket instanceof TLSSocket ? certificateOf(socket) : undefined;
  if (shown) return ok(shown);
  return refuse(
    "CALLER_UNKNOWN",
    "",
    "The caller has shown neither a token nor a certificate.",
    "Send `Authorization: Bearer TOKEN` with a service account token for audience signet.dev, or connect with your SVID.",
  );
}

function bearer(authorization: string): Result<Shown> {
  const token = authorization.length <= MOST_TOKEN_BYTES + 7 ? BEARER.exec(authorization)?.[1] : undefined;
  if (token === undefined)
    return refuse("CALLER_UNKNOWN", "", "The header Authorization is not `Bearer TOKEN`.", "Send the token as it is.");
  return ok({ credential: { kind: "token", token }, key: hash("sha256", token, "base64") });
}

/** Once for each connection. */
function certificateOf(socket: TLSSocket): Shown | undefined {
  const before = known.get(socket);
  if (before) return before;
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return undefined;
  const chain = [certificate.raw];
  for (let above = certificate.issuerCertificate; above && chain.length < MOST_CHAIN; above = above.issuerCertificate)
    chain.push(above.raw);
  const shown: Shown = { credential: { kind: "certificate", chain }, key: certificate.fingerprint256 };
  known.set(socket, shown);
  return shown;
}
