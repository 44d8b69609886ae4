import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";

/** Who may call the webhooks: holders of a client certificate of this authority (PEM) with one of these common names. */
export type Clients = {
  readonly ca: string;
  readonly names: readonly string[];
  /** A header by which the server's own call is known; its value is never sent elsewhere. */
  readonly self: { readonly header: string; readonly value: string };
};

/** Tells for each request whether its caller may ask. */
export const callerCheck =
  ({ names, self }: Clients) =>
  (request: IncomingMessage): boolean =>
    isSelf(request.headers[self.header], self.value) || isNamed(request, names);

function isNamed({ socket }: IncomingMessage, names: readonly string[]): boolean {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return false;
  const name: unknown = socket.getPeerCertificate().subject?.CN;
  return typeof name === "string" && names.includes(name);
}

function isSelf(given: string | readonly string[] | undefined, value: string): boolean {
  if (typeof given !== "string" || given.length !== value.length) return false;
  return timingSafeEqual(Buffer.from(given, "latin1"), Buffer.from(value, "latin1"));
}
